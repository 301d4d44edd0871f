import type { Room } from "@causeway/web";
import type { ShownFile } from "../files/shown-files.ts";
import { archivePaths } from "./archive-paths.ts";
import { download, downloadBlob } from "./download.ts";
import { Patience, readText } from "./read-text.ts";
import { zip, type ZipFile } from "./zip.ts";

/** What was handed to the browser, and what could not be. */
export interface TakenOut {
  readonly count: number;
  /** Paths of files of which this page has nothing, and nobody said that they are empty. */
  readonly missing: readonly string[];
  /** Paths of files that were handed out as this page has them, while nobody said that this is all. */
  readonly unsure: readonly string[];
}

/** Hands one file to the browser. `null`: it was cancelled. */
export async function takeOutFile(room: Room, file: ShownFile, signal: AbortSignal): Promise<TakenOut | null> {
  const read = await readText(room, file.id, new Patience(), signal);
  if (signal.aborted) return null;
  if (read === null) return { count: 0, missing: [file.path], unsure: [] };
  download(file.path, read.text);
  return { count: 1, missing: [], unsure: read.isWhole ? [] : [file.path] };
}

export interface TakingOut {
  /** Of the archive, without its ending. */
  readonly name: string;
  readonly signal: AbortSignal;
  onProgress(done: number): void;
}

/**
 * Hands many to the browser as one archive, with their folders; `null`: it was cancelled. Where none of them is here, there is
 * no archive.
 */
export async function takeOutAll(room: Room, files: readonly ShownFile[], { name, signal, onProgress }: TakingOut): Promise<TakenOut | null> {
  const read: ZipFile[] = [];
  const missing: string[] = [];
  const unsure: string[] = [];
  const patience = new Patience();
  for (let at = 0; at < files.length; at += AT_ONCE) {
    onProgress(at);
    const some = files.slice(at, at + AT_ONCE);
    const texts = await Promise.all(some.map((file) => readText(room, file.id, patience, signal)));
    if (signal.aborted) return null;
    for (const [nth, { path }] of some.entries()) {
      const one = texts[nth] ?? null;
      if (one === null) {
        missing.push(path);
        continue;
      }
      read.push({ path, text: one.text });
      if (!one.isWhole) unsure.push(path);
    }
  }
  const paths = archivePaths(read.map((file) => file.path));
  const packed = read.map((file, nth) => ({ ...file, path: paths[nth] ?? file.path }));
  if (packed.length > 0) downloadBlob(`${name}.zip`, zip(packed, new Date()));
  return { count: packed.length, missing, unsure };
}

/** Texts that are opened together: enough to fill a slow line. */
const AT_ONCE = 8;
