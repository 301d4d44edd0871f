import { useSyncExternalStore } from "react";
import { Held } from "./held.ts";

/** The rooms that were left in this tab and go on unseen, as they have the only copy of something. */
export function useKeptRooms(): readonly string[] {
  return useSyncExternalStore(subscribe, read);
}

/** A room that was left has the only copy of something, or has it no more. */
export function setKept(room: string, isKept: boolean): void {
  if (kept.get().includes(room) === isKept) return;
  const others = kept.get().filter((other) => other !== room);
  kept.set(isKept ? [...others, room] : others);
}

const kept = new Held<readonly string[]>([]);
const subscribe = (changed: () => void): (() => void) => kept.subscribe(changed);
const read = (): readonly string[] => kept.get();
