import { useCallback, useMemo, useSyncExternalStore } from "react";
import type { Presence, Room } from "../client/index.js";
import { useRoom } from "./room.js";

/** What this page shows of its person. Cursor and typing belong to the editors and are left out: they change per key. */
export type MyPresence = Pick<Presence, "name" | "colour" | "status">;

/** What the others see of this page's person, and a function that changes it. */
export function useMyPresence(): readonly [MyPresence, (change: Partial<MyPresence>) => void] {
  const room = useRoom();
  const mirror = mirrorOf(room);
  const subscribe = useCallback((changed: () => void) => mirror.subscribe(changed), [mirror]);
  const get = useCallback(() => mirror.get(), [mirror]);
  const mine = useSyncExternalStore(subscribe, get, get);
  return useMemo(() => [mine, (change) => mirror.set(change)] as const, [mine, mirror]);
}

/** The client has no event for a person's own presence: all hooks of a room share this one. */
class Mirror {
  readonly #room: Room;
  readonly #readers = new Set<() => void>();
  #mine: MyPresence;

  constructor(room: Room) {
    this.#room = room;
    this.#mine = shown(room.presence.get());
  }

  get(): MyPresence {
    return this.#mine;
  }

  set(change: Partial<MyPresence>): void {
    this.#room.presence.set(change);
    this.#mine = shown(this.#room.presence.get());
    for (const reader of [...this.#readers]) reader();
  }

  subscribe(reader: () => void): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }
}

function shown({ name, colour, status }: Presence): MyPresence {
  return { name, colour, status };
}

function mirrorOf(room: Room): Mirror {
  let mirror = mirrors.get(room);
  if (mirror === undefined) mirrors.set(room, (mirror = new Mirror(room)));
  return mirror;
}

const mirrors = new WeakMap<Room, Mirror>();
