import { folderOf } from "./tree.ts";

/** Names of files that are taken, and of the folders they stand in. `alike` spells names the same that nobody could tell apart. */
export class TakenNames {
  readonly #taken = new Set<string>();

  constructor(
    paths: Iterable<string>,
    private readonly alike: (path: string) => string,
  ) {
    for (const path of paths) this.add(path);
  }

  has(path: string): boolean {
    return this.#taken.has(this.alike(path));
  }

  add(path: string): void {
    for (let at = path; at !== ""; at = folderOf(at)) this.#taken.add(this.alike(at));
  }
}

/** `name (2)`, with the ending behind it, where the name is taken. */
export function freePath(path: string, taken: { has(path: string): boolean }): string {
  const name = path.lastIndexOf("/") + 1;
  const dot = path.lastIndexOf(".");
  const end = dot > name ? dot : path.length;
  let free = path;
  for (let n = 2; taken.has(free); n += 1) free = `${path.slice(0, end)} (${n})${path.slice(end)}`;
  return free;
}

/** As a Mac or Windows compares names. */
export function folded(path: string): string {
  return path.normalize("NFC").toLowerCase();
}
