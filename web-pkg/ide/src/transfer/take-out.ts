import type { Room } from "@causeway/web";
import type { ShownFile } from "../files/shown-files.ts";
import { download, downloadBlob } from "./download.ts";
import { readText } from "./read-text.ts";
import { zip, type ZipFile } from "./zip.ts";

/** What was handed to the browser, and what could not be. */
export interface TakenOut {
  readonly count: number;
  /** Paths of files that are not on this device, while nobody could be asked. */
  readonly missing: readonly string[];
}

/** Hands one file to the browser. */
export async function takeOutFile(room: Room, file: ShownFile): Promise<TakenOut> {
  const text = await readText(room, file.id);
  if (text === null) return { count: 0, missing: [file.path] };
  download(file.path, text);
  return { count: 1, missing: [] };
}

/** Hands many to the browser as one archive, with their folders. Where none of them is here, there is no archive. */
export async function takeOutAll(
  room: Room,
  files: readonly ShownFile[],
  name: string,
  onProgress: (done: number) => void,
): Promise<TakenOut> {
  const read: ZipFile[] = [];
  const missing: string[] = [];
  for (let at = 0; at < files.length; at += AT_ONCE) {
    onProgress(at);
    const some = files.slice(at, at + AT_ONCE);
    const texts = await Promise.all(some.map((file) => readText(room, file.id)));
    for (const [nth, { path }] of some.entries()) {
      const text = texts[nth] ?? null;
      if (text === null) missing.push(path);
      else read.push({ path, text });
    }
  }
  if (read.length > 0) downloadBlob(`${name}.zip`, zip(read, new Date()));
  return { count: read.length, missing };
}

/** Texts that are opened together: enough to fill a slow line, and few in memory. */
const AT_ONCE = 8;
