import type { Room, StreamId, Unsubscribe } from "../client/index.js";

/** Something of the client that is held with its first reader and released `GRACE_MS` after the last one left. */
export class Held<T extends { release(): void }> {
  readonly #open: () => T;
  readonly #readers = new Set<() => void>();
  #value: T | null = null;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  constructor(open: () => T) {
    this.#open = open;
  }

  /** `null` while no mounted component holds it. */
  get(): T | null {
    return this.#value;
  }

  subscribe(reader: () => void): Unsubscribe {
    clearTimeout(this.#leaving);
    this.#readers.add(reader);
    if (this.#value === null) this.#set(this.#open());
    return () => {
      if (!this.#readers.delete(reader) || this.#readers.size > 0) return;
      clearTimeout(this.#leaving);
      this.#leaving = setTimeout(() => this.#set(null), GRACE_MS);
    };
  }

  #set(value: T | null): void {
    this.#value?.release();
    this.#value = value;
    for (const reader of [...this.#readers]) reader();
  }
}

/** One value per room and stream, made when it is first asked for. */
export function holder<T>(make: (room: Room, id: StreamId) => T): (room: Room, id: StreamId) => T {
  const byRoom = new WeakMap<Room, Map<StreamId, T>>();
  return (room, id) => {
    let made = byRoom.get(room);
    if (made === undefined) byRoom.set(room, (made = new Map()));
    let value = made.get(id);
    if (value === undefined) made.set(id, (value = make(room, id)));
    return value;
  };
}

/** Longer than StrictMode needs to mount again and a person to go back to what was just left. */
const GRACE_MS = 1_000;
