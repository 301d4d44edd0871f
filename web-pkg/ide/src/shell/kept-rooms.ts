import { useSyncExternalStore } from "react";
import { Held } from "./held.ts";

/** A room that was left in this tab and kept, as it has the only copy of something. */
export interface KeptRoom {
  readonly room: string;
  /** Its engine or its worker has ended: nothing of it gets anywhere by waiting. */
  readonly hasStopped: boolean;
}

export function useKeptRooms(): readonly KeptRoom[] {
  return useSyncExternalStore(subscribe, read);
}

/** Says whether a room that is kept has stopped; `null`: it is not kept. */
export function setKept(room: string, hasStopped: boolean | null): void {
  const before = kept.get().find((other) => other.room === room);
  if (before === undefined ? hasStopped === null : before.hasStopped === hasStopped) return;
  const others = kept.get().filter((other) => other !== before);
  kept.set(hasStopped === null ? others : [...others, { room, hasStopped }]);
}

const kept = new Held<readonly KeptRoom[]>([]);
const subscribe = (changed: () => void): (() => void) => kept.subscribe(changed);
const read = (): readonly KeptRoom[] => kept.get();
