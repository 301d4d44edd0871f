/** A file of somebody's disk, and where it stands below what they picked. */
export interface Offered {
  readonly path: string;
  readonly file: File;
}

/** All that somebody picked or dropped. */
export interface Offer {
  readonly files: readonly Offered[];
  /** Folders and files that tools make for themselves, by name. */
  readonly leftOut: readonly string[];
  /** There are more than one offer takes. */
  readonly isTooMany: boolean;
}

/** Of a field for files, or one for a folder. */
export function offerOfList(list: Iterable<File>): Offer {
  const gathering = new Gathering();
  for (const file of list) gathering.take(file.webkitRelativePath || file.name, file);
  return gathering;
}

/** Of a drop. What was dropped must be asked for before the event ends, so it is read in two steps. */
export function offerOfDrop({ items, files }: DataTransfer): Promise<Offer> {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  return entries.length === 0 ? Promise.resolve(offerOfList(files)) : gathered(entries);
}

async function gathered(entries: readonly FileSystemEntry[]): Promise<Offer> {
  const gathering = new Gathering();
  for (const entry of entries) await walk(entry, gathering);
  return gathering;
}

async function walk(entry: FileSystemEntry, gathering: Gathering): Promise<void> {
  const path = entry.fullPath.replace(/^\//, "");
  if (gathering.isTooMany || gathering.leavesOut(path)) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)).catch(() => UNREADABLE);
    return gathering.take(path, file);
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A folder is told in parts; an empty part is the end.
    const some = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) return;
    for (const inner of some) await walk(inner, gathering);
  }
}

class Gathering implements Offer {
  readonly files: Offered[] = [];
  readonly #leftOut = new Set<string>();
  isTooMany = false;

  get leftOut(): readonly string[] {
    return [...this.#leftOut];
  }

  take(path: string, file: File): void {
    if (this.isTooMany || this.leavesOut(path)) return;
    if (this.files.length === FILES) this.isTooMany = true;
    else this.files.push({ path, file });
  }

  leavesOut(path: string): boolean {
    const name = path.split("/").find((part) => OF_TOOLS.has(part));
    if (name !== undefined) this.#leftOut.add(name);
    return name !== undefined;
  }
}

/** Reading it fails, with a sentence. */
const UNREADABLE = { size: 0, arrayBuffer: () => Promise.reject(new Error("unreadable")) } as unknown as File;
/** Thousands of files that nobody wrote, or none that anybody reads. */
const OF_TOOLS: ReadonlySet<string> = new Set([".git", "node_modules", "__pycache__", ".DS_Store", "Thumbs.db", "desktop.ini"]);
/** Beside what else this page may open (`TEXTS`). */
export const FILES = 500;
