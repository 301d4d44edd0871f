import type { Observable, Unsubscribe } from "@causeway/web";

/** A value that one part of the page sets often and another shows, without drawing anew what lies between them. */
export class Held<T> implements Observable<T> {
  readonly #readers = new Set<(value: T) => void>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    for (const reader of [...this.#readers]) reader(value);
  }

  subscribe(reader: (value: T) => void): Unsubscribe {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }
}
