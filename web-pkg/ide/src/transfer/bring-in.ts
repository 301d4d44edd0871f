import type { Room, StreamId } from "@causeway/web";
import { complaintAbout } from "../files/shown-files.ts";
import { joined } from "../files/tree.ts";
import type { Offered } from "./offered.ts";
import { textOfFile } from "./text-of-file.ts";

/** What became of files that were to come into a room. */
export interface BroughtIn {
  readonly files: readonly { readonly id: StreamId; readonly path: string }[];
  /** Of `files` those whose name was taken: they have a number behind it. */
  readonly numbered: readonly string[];
  readonly refused: readonly Refused[];
}

export interface Refused {
  readonly path: string;
  readonly sentence: string;
}

export interface BringingIn {
  /** "" is the room itself. */
  readonly folder: string;
  /** Stops before the next file; those that are in stay. */
  readonly signal: AbortSignal;
  onProgress(done: number): void;
}

/** Makes a text of each file. Nothing that is in the room is touched: a name that is taken gets a number. */
export async function bringIn(room: Room, offered: readonly Offered[], { folder, signal, onProgress }: BringingIn): Promise<BroughtIn> {
  const brought = { files: [] as { id: StreamId; path: string }[], numbered: [] as string[], refused: [] as Refused[] };
  const reserved = new Set<string>();
  const one = async ({ path: relative, file }: Offered): Promise<void> => {
    const wanted = joined(folder, relative.normalize("NFC"));
    const refuse = (sentence: string) => void brought.refused.push({ path: relative, sentence });
    const complaint = complaintAbout(wanted, []);
    if (complaint !== null) return refuse(complaint);
    const read = await textOfFile(file);
    if ("refusal" in read) return refuse(read.refusal);
    const path = freePath(wanted, new Set([...room.documents.list().map((listed) => listed.path), ...reserved]));
    reserved.add(path);
    try {
      brought.files.push({ id: await written(room, path, read.text), path });
      if (path !== wanted) brought.numbered.push(path);
    } catch (failure) {
      refuse(failure instanceof Error ? failure.message : String(failure));
    }
  };
  for (let at = 0; at < offered.length && !signal.aborted; at += AT_ONCE) {
    onProgress(at);
    await Promise.all(offered.slice(at, at + AT_ONCE).map(one));
  }
  return brought;
}

/** Resolves when this device has it on its disk, if it keeps anything there. */
async function written(room: Room, path: string, words: string): Promise<StreamId> {
  const id = await room.documents.create(path);
  const text = room.text(id);
  try {
    await text.ready;
    if (words === "") return id;
    const editor = text.editor();
    try {
      await editor.applyDelta([{ insert: words }]).reached("device").catch(ignoreNoDisk);
    } finally {
      editor.close();
    }
    return id;
  } catch (failure) {
    // A name without its words would be taken for the file.
    await room.documents.remove(id).catch(() => undefined);
    throw failure;
  } finally {
    text.release();
  }
}

function ignoreNoDisk(failure: unknown): void {
  if ((failure as { readonly code?: string }).code !== "no-disk") throw failure;
}

/** `name (2)`, with the ending behind it, where the name is taken. */
export function freePath(path: string, taken: ReadonlySet<string>): string {
  const name = path.lastIndexOf("/") + 1;
  const dot = path.lastIndexOf(".");
  const end = dot > name ? dot : path.length;
  let free = path;
  for (let n = 2; taken.has(free); n += 1) free = `${path.slice(0, end)} (${n})${path.slice(end)}`;
  return free;
}

/** Files that are read and written together: the disk's answers overlap, and few are in memory. */
const AT_ONCE = 8;
