import { useEffect, useRef, useState } from "react";
import type { Listed, StreamId } from "@causeway/web";
import { useDocuments, useRoom } from "@causeway/web/react";
import { recall, remember } from "../shell/remembered.ts";

/** A file that was taken off the room's list, and where it stood. */
export type RemovedFile = Listed;

/** What this device has seen leave the room's list, by whomever, newest first, until it is put back. */
export function useRemovedFiles(): readonly RemovedFile[] {
  const { name } = useRoom();
  const listed = useDocuments();
  const [removed, change] = useState(() => recall(`removed/${name}`, areRemoved) ?? NONE);
  const before = useRef(listed);
  useEffect(() => {
    const last = before.current;
    before.current = listed;
    change((removed) => after(removed, last, listed));
  }, [listed]);
  useEffect(() => remember(`removed/${name}`, removed), [name, removed]);
  return removed;
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
