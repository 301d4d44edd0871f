import type { StreamId } from "@causeway/web";
import { parted, type ShownFile } from "./shown-files.ts";

/** A visible line of the file tree. `depth` counts from 0; `place` of `among` is for screen readers. */
export type TreeRow = FolderRow | FileRow;

export interface FolderRow extends RowPlace {
  readonly kind: "folder";
  /** Without a slash at its end. */
  readonly path: string;
  readonly isOpen: boolean;
}

export interface FileRow extends RowPlace {
  readonly kind: "file";
  readonly path: string;
  readonly file: ShownFile;
}

interface RowPlace {
  readonly name: string;
  readonly depth: number;
  readonly place: number;
  readonly among: number;
}

/** The visible lines: folders before files, each by name. `made` are folders that have no file yet. */
export function treeRows(
  files: readonly ShownFile[],
  made: readonly string[],
  closed: ReadonlySet<string>,
): readonly TreeRow[] {
  const rows: TreeRow[] = [];
  list(rows, plant(files, made), 0, closed);
  return rows;
}

/** All folders that have a file or were made on this page, outer before inner. */
export function foldersOf(files: readonly ShownFile[], made: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const path of [...files.map((file) => folderOf(file.path)), ...made]) {
    for (let folder = path; folder !== ""; folder = folderOf(folder)) folders.add(folder);
  }
  return [...folders].sort(byName);
}

/** The folder a path stands in, without a slash at its end; "" is the room itself. */
export function folderOf(path: string): string {
  return parted(path).folder.slice(0, -1);
}

export function joined(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** Whether a path stands in a folder, however deep. */
export function isIn(folder: string, path: string): boolean {
  return folder === "" || path.startsWith(`${folder}/`);
}

/** One file's way to another path. */
export interface Move {
  readonly id: StreamId;
  readonly from: string;
  readonly to: string;
}

/** What becomes of each file when a file or folder gets another path. */
export function movesFor(files: readonly ShownFile[], from: string, to: string): readonly Move[] {
  return files.flatMap((file) => {
    if (file.path === from) return [{ id: file.id, from, to }];
    if (!isIn(from, file.path)) return [];
    return [{ id: file.id, from: file.path, to: to + file.path.slice(from.length) }];
  });
}

/** Why something cannot be put into a folder, as a sentence, or `null`. A folder does not fit into itself. */
export function complaintAboutMove(files: readonly ShownFile[], path: string, folder: string): string | null {
  const { name } = parted(path);
  const to = joined(folder, name);
  if (to === path) return `${name} is there already.`;
  if (folder === path || isIn(path, folder)) return "A folder cannot be put into itself.";
  const taken = new Set(files.map((file) => file.path));
  const clash = movesFor(files, path, to).find((move) => taken.has(move.to));
  return clash === undefined ? null : `There is a file ${clash.to} already.`;
}

/** Natural order: `part 2` before `part 10`, upper case beside lower case. */
export function byName(a: string, b: string): number {
  return NAMES.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

interface Branch {
  readonly path: string;
  readonly folders: Map<string, Branch>;
  readonly files: ShownFile[];
}

function plant(files: readonly ShownFile[], made: readonly string[]): Branch {
  const root: Branch = { path: "", folders: new Map(), files: [] };
  for (const folder of made) branchAt(root, folder);
  for (const file of files) branchAt(root, folderOf(file.path)).files.push(file);
  return root;
}

function branchAt(root: Branch, path: string): Branch {
  let branch = root;
  for (const name of path === "" ? [] : path.split("/")) {
    let inner = branch.folders.get(name);
    if (inner === undefined) {
      inner = { path: joined(branch.path, name), folders: new Map(), files: [] };
      branch.folders.set(name, inner);
    }
    branch = inner;
  }
  return branch;
}

function list(rows: TreeRow[], branch: Branch, depth: number, closed: ReadonlySet<string>): void {
  const among = branch.folders.size + branch.files.length;
  let place = 0;
  for (const [name, inner] of [...branch.folders].sort(([a], [b]) => byName(a, b))) {
    const isOpen = !closed.has(inner.path);
    rows.push({ kind: "folder", path: inner.path, name, depth, place: ++place, among, isOpen });
    if (isOpen) list(rows, inner, depth + 1, closed);
  }
  for (const file of branch.files.sort((a, b) => byName(a.path, b.path))) {
    const { path } = file;
    rows.push({ kind: "file", path, file, name: parted(path).name, depth, place: ++place, among });
  }
}

const NAMES = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
