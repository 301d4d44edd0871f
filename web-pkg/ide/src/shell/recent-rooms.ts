import { isRoomName } from "./route.ts";
import { recall, remember } from "./remembered.ts";

/** A room that was open on this device, and when. */
export interface RecentRoom {
  readonly room: string;
  readonly at: number;
}

/** The latest first. */
export function recentRooms(): readonly RecentRoom[] {
  return recall("rooms", isList) ?? [];
}

export function noteRoom(room: string): void {
  const others = recentRooms().filter((known) => known.room !== room);
  remember("rooms", [{ room, at: Date.now() }, ...others].slice(0, MOST));
}

export function forgetRoom(room: string): void {
  remember(
    "rooms",
    recentRooms().filter((known) => known.room !== room),
  );
}

/** Whether this device has been in a room, as far as it remembers, also one that was taken off the list. */
export function wasHereBefore(room: string): boolean {
  return recentRooms().some((known) => known.room === room) || recall(`open/${room}`, isAnything) !== null;
}

function isAnything(value: unknown): value is object {
  return typeof value === "object";
}

function isList(value: unknown): value is RecentRoom[] {
  return Array.isArray(value) && value.every(isRecent);
}

function isRecent(value: unknown): value is RecentRoom {
  if (typeof value !== "object" || value === null) return false;
  const { room, at } = value as Record<string, unknown>;
  return typeof room === "string" && isRoomName(room) && typeof at === "number";
}

/** As many as a person reads at a glance. */
const MOST = 5;
