import { useEffect, useRef, useState } from "react";
import type { Listed, StreamId } from "@causeway/web";
import { useDocuments, useRoom } from "@causeway/web/react";
import { recall, remember } from "../shell/remembered.ts";

/** A file that was taken off the room's list, and where it stood. */
export type RemovedFile = Listed;

/** What this device has seen leave the room's list, by whomever, newest first, until it is put back or forgotten. */
export interface RemovedFiles {
  readonly list: readonly RemovedFile[];
  /** Takes a file off this list, on this device. Its text stays where it is. */
  forget(file: RemovedFile): void;
}

export function useRemovedFiles(): RemovedFiles {
  const { name } = useRoom();
  const listed = useDocuments();
  const [list, change] = useState(() => removedFrom(name));
  const before = useRef(listed);
  useEffect(() => {
    const last = before.current;
    before.current = listed;
    change((removed) => after(removed, last, listed));
  }, [listed]);
  useEffect(() => remember(`removed/${name}`, list), [name, list]);
  return { list, forget: (file) => change((list) => list.filter((other) => other.id !== file.id)) };
}

/** What this device remembers to have left a room's list. */
export function removedFrom(room: string): readonly RemovedFile[] {
  return recall(`removed/${room}`, areRemoved) ?? NONE;
}

/** What is off the list after it has changed. What is listed again leaves. */
export function after(
  removed: readonly RemovedFile[],
  before: readonly Listed[],
  now: readonly Listed[],
): readonly RemovedFile[] {
  const listed = new Set<StreamId>(now.map(({ id }) => id));
  const gone = before.filter(({ id }) => !listed.has(id));
  const known = new Set(gone.map(({ id }) => id));
  const rest = removed.filter(({ id }) => !listed.has(id) && !known.has(id));
  if (gone.length === 0 && rest.length === removed.length) return removed;
  return [...gone.map(({ id, path }) => ({ id, path })), ...rest].slice(0, MOST);
}

function areRemoved(value: unknown): value is readonly RemovedFile[] {
  return Array.isArray(value) && value.every(isRemoved);
}

function isRemoved(value: unknown): value is RemovedFile {
  if (typeof value !== "object" || value === null) return false;
  const { id, path } = value as Record<string, unknown>;
  return typeof id === "string" && id.startsWith("ydoc:") && typeof path === "string";
}

const NONE: readonly RemovedFile[] = [];
/** A folder of a school project and then some: it is remembered as a few kilobytes. */
const MOST = 500;
