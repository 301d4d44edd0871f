import type { Listed, StreamId } from "@causeway/web";

/** A line of the file list. */
export interface ShownFile extends Listed {
  /** Whether the room's directory has it. */
  readonly listed: boolean;
}

/** What is known about the room when its files are to be shown. */
export interface Knowledge {
  /** Whether the relay, or long silence, has settled what the directory holds. */
  readonly settled: boolean;
  /** The document that all pages of an empty room agree on. */
  readonly first: StreamId;
  /** Whether somebody took it off the list while this page was open. */
  readonly firstWasRemoved: boolean;
}

/**
 * The files of a room, or `null` while an empty list may still fill.
 *
 * An empty room shows the first document under a name of its own without listing it: looking at a room writes nothing.
 * The page in which the first edit is made lists it, and since all pages list the same stream under the same name, it
 * does not matter how many of them do.
 */
export function shownFiles(
  list: readonly Listed[],
  { settled, first, firstWasRemoved }: Knowledge,
): readonly ShownFile[] | null {
  if (list.length > 0) return list.map(({ id, path }) => ({ id, path, listed: true }));
  if (!settled) return null;
  return firstWasRemoved ? [] : [{ id: first, path: FIRST_PATH, listed: false }];
}

/** What is wrong with a path for a new or renamed file, as a sentence, or `null`. */
export function complaintAbout(path: string, taken: readonly string[]): string | null {
  if (path === "") return "Give the file a name, such as notes.md.";
  if (/\p{Cc}/u.test(path) || path.split("/").some((part) => part === "" || part === "." || part === "..")) {
    return "A name has no empty part, and no part is “.” or “..”.";
  }
  if (new TextEncoder().encode(path).length > PATH_BYTES) return "This name is too long.";
  if (taken.includes(path)) return "There is a file of this name already.";
  return null;
}

/** Folder and name of a path, for showing them apart. */
export function parted(path: string): { readonly folder: string; readonly name: string } {
  const cut = path.lastIndexOf("/") + 1;
  return { folder: path.slice(0, cut), name: path.slice(cut) };
}

export const FIRST_PATH = "main.md";

/** The engine refuses longer ones. */
const PATH_BYTES = 512;
