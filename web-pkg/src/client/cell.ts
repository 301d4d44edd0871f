import type { Observable, Unsubscribe } from "./observable.js";
import { tell } from "./tell.js";

/** A value with readers. A value equal to the one there is changes nothing and tells nobody. */
export class Cell<T> implements Observable<T> {
  readonly #readers = new Set<(value: T) => void>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** Whether anybody follows it. */
  get isRead(): boolean {
    return this.#readers.size > 0;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (same(this.#value, value)) return;
    this.#value = value;
    tell(this.#readers, value);
  }

  subscribe(callback: (value: T) => void): Unsubscribe {
    const reader = (value: T): void => callback(value);
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }
}

/** Equal as plain data. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}
