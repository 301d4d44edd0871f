import type { Documents } from "./documents.js";
import type { Listed, StreamId } from "./ids.js";

/** A file of the room: a document and where it stands. */
export interface RoomFile {
  readonly id: StreamId;
  /** Names of folders and the file, parted by `/`; no two files have the same. */
  readonly path: string;
  /** Its last part. */
  readonly name: string;
}

/**
 * The listed documents as files. Two that were given one path at once both stay: the second is shown as `name (2)`, with
 * the ending behind it.
 */
export function filesOf(list: readonly Listed[]): readonly RoomFile[] {
  const listed = new Set(list.map(({ path }) => path));
  const shown = new Set<string>();
  // Numbers below were found taken, and stay so: a thousand documents of one path cost a thousand looks.
  const untried = new Map<string, number>();
  return list.map(({ id, path }) => {
    let free = path;
    for (let n = untried.get(path) ?? 2; shown.has(free); n += 1) {
      const next = numbered(path, n);
      if (!listed.has(next)) free = next;
      untried.set(path, n + 1);
    }
    shown.add(free);
    return { id, path: free, name: free.slice(free.lastIndexOf("/") + 1) };
  });
}

/** The folders in which files stand, and those in which folders stand; ordered. */
export function foldersOf(files: readonly RoomFile[]): readonly string[] {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) folders.add(path.slice(0, at));
  }
  return [...folders].sort();
}

/** Moves a file, or a folder with all that stands in it, one operation each. Nothing stands at `from`: nothing happens. */
export async function renameFiles(documents: Documents, from: string, to: string): Promise<void> {
  for (const { id, path } of filesAt(documents, from)) await documents.rename(id, to + path.slice(from.length));
}

/** Takes a file, or a folder with all that stands in it, off the list. */
export async function removeFiles(documents: Documents, path: string): Promise<void> {
  for (const { id } of filesAt(documents, path)) await documents.remove(id);
}

function filesAt(documents: Documents, at: string): readonly RoomFile[] {
  return filesOf(documents.list()).filter(({ path }) => path === at || path.startsWith(`${at}/`));
}

function numbered(path: string, n: number): string {
  const name = path.lastIndexOf("/") + 1;
  const dot = path.lastIndexOf(".");
  const end = dot > name ? dot : path.length;
  return `${path.slice(0, end)} (${n})${path.slice(end)}`;
}
