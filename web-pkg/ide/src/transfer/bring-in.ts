import type { Room, StreamId } from "@causeway/web";
import { complaintAbout } from "../files/shown-files.ts";
import { TakenNames, freePath } from "../files/taken-names.ts";
import { joined } from "../files/tree.ts";
import type { Offered } from "./offered.ts";
import { openedIn } from "./opened.ts";
import { textOfFile } from "./text-of-file.ts";

/** What became of files that were to come into a room. */
export interface BroughtIn {
  readonly files: readonly { readonly id: StreamId; readonly path: string }[];
  /** Of `files` those whose name was taken: they have a number behind it. */
  readonly numbered: readonly string[];
  readonly refused: readonly Refused[];
  /** Paths of files that are listed, while their words were still being written as it was stopped. */
  readonly unsure: readonly string[];
  /** Why it was stopped before all were looked at. */
  readonly stopped: Stop | null;
}

/** Somebody cancelled it, or the disk of this device takes nothing. */
export type Stop = "cancelled" | "disk";

export interface Refused {
  readonly path: string;
  readonly sentence: string;
}

export interface BringingIn {
  /** "" is the room itself. */
  readonly folder: string;
  /** Stops at once; what is in stays, and what is being written gets there by itself. */
  readonly signal: AbortSignal;
  onProgress(done: number): void;
}

/** Makes a text of each file. Nothing that is in the room is touched: a name that is taken gets a number. */
export async function bringIn(room: Room, offered: readonly Offered[], { folder, signal, onProgress }: BringingIn): Promise<BroughtIn> {
  const files: { id: StreamId; path: string }[] = [];
  const numbered: string[] = [];
  const refused: Refused[] = [];
  const underway = new Set<string>();
  const reserved: string[] = [];
  const stopping = new Stopping(room, signal);
  const one = async ({ path: relative, file }: Offered, taken: TakenNames): Promise<void> => {
    const wanted = joined(folder, relative.normalize("NFC"));
    const refuse = (sentence: string) => void refused.push({ path: relative, sentence });
    const complaint = complaintAbout(wanted, []);
    if (complaint !== null) return refuse(complaint);
    const read = await textOfFile(file);
    if (stopping.why !== null) return;
    if ("refusal" in read) return refuse(read.refusal);
    const path = freePath(wanted, taken);
    taken.add(path);
    reserved.push(path);
    underway.add(path);
    try {
      files.push({ id: await written(room, path, read.text), path });
      if (path !== wanted) numbered.push(path);
    } catch (failure) {
      refuse(failure instanceof Error ? failure.message : String(failure));
    } finally {
      underway.delete(path);
    }
  };
  try {
    for (let at = 0; at < offered.length && stopping.why === null; at += AT_ONCE) {
      onProgress(at);
      const taken = new TakenNames([...room.documents.list().map(({ path }) => path), ...reserved], composed);
      const batch = Promise.all(offered.slice(at, at + AT_ONCE).map((each) => one(each, taken)));
      await Promise.race([batch, stopping.asked]);
    }
  } finally {
    stopping.end();
  }
  // What goes on behind a stop changes what was told no more.
  return { files: [...files], numbered: [...numbered], refused: [...refused], unsure: [...underway], stopped: stopping.why };
}

/** Waits for a reason to stop: an answer of the disk may never come. */
class Stopping {
  why: Stop | null = null;
  readonly asked: Promise<void>;
  readonly #signal: AbortSignal;
  readonly #stopReading: () => void;
  #ask: () => void = () => undefined;

  constructor(room: Room, signal: AbortSignal) {
    this.asked = new Promise((resolve) => (this.#ask = resolve));
    this.#signal = signal;
    signal.addEventListener("abort", this.#cancel);
    const look = () => room.storage.get().state === "failing" && this.#stop("disk");
    this.#stopReading = room.storage.subscribe(look);
    if (signal.aborted) this.#cancel();
    look();
  }

  end(): void {
    this.#signal.removeEventListener("abort", this.#cancel);
    this.#stopReading();
  }

  readonly #cancel = (): void => this.#stop("cancelled");

  #stop(why: Stop): void {
    this.why ??= why;
    this.#ask();
  }
}

/** Resolves when this device has it on its disk, if it keeps anything there. */
async function written(room: Room, path: string, words: string): Promise<StreamId> {
  const id = await room.documents.create(path);
  openedIn(room).add(id);
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

/** Systems spell an ü in two ways. */
function composed(path: string): string {
  return path.normalize("NFC");
}

/** Files that are read and written together: the disk's answers overlap, and few are in memory. */
const AT_ONCE = 8;
