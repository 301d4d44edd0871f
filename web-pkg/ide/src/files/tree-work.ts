import { useState } from "react";
import type { MenuPlace } from "../parts/menu.tsx";
import { attempt } from "../shell/attempt.ts";
import { useFolds, type Folds } from "./folds.ts";
import type { RoomFiles } from "./room-files.ts";
import { complaintAbout, parted, type ShownFile } from "./shown-files.ts";
import { folderOf, isIn, joined, movesFor, treeRows, type TreeRow } from "./tree.ts";
import { useTreeFocus, type TreeFocus } from "./tree-focus.ts";

/** What is being named: a new file or folder in a folder, or an old one anew. */
export type Naming =
  { readonly what: "file" | "folder"; readonly folder: string } | { readonly what: "rename"; readonly row: TreeRow };

/** The tree's lines, what is under way in it, and what can be done to it. */
export interface TreeWork {
  readonly list: readonly ShownFile[];
  readonly rows: readonly TreeRow[];
  readonly folds: Folds;
  readonly focus: TreeFocus;
  readonly naming: Naming | null;
  readonly menu: { readonly row: TreeRow; readonly at: MenuPlace } | null;
  readonly moving: TreeRow | null;
  /** A folder that is to be removed with these files, if one agrees. */
  readonly removing: { readonly row: TreeRow; readonly files: readonly ShownFile[] } | null;
  choose(row: TreeRow): void;
  make(what: "file" | "folder", folder: string): void;
  rename(row: TreeRow): void;
  /** What is wrong with a name for what is being named, as a sentence, or `null`. */
  complaint(name: string): string | null;
  /** Gives the name to what is being named. */
  named(name: string): Promise<void>;
  askWhereTo(row: TreeRow): void;
  /** Puts a file or folder into a folder. */
  move(path: string, folder: string): void;
  /** Takes a file or an empty folder away, and asks before one with files. */
  remove(row: TreeRow): void;
  /** Does what was asked. */
  removeAsked(): void;
  openMenu(row: TreeRow, at: MenuPlace): void;
  /** Ends naming, menu, moving and removing. */
  done(): void;
}

export interface TreeNews {
  /** A file was chosen. */
  onChosen(): void;
  onRemoved(files: readonly ShownFile[]): void;
}

export function useTreeWork(files: RoomFiles, { onChosen, onRemoved }: TreeNews): TreeWork {
  const list = files.list ?? NONE;
  const folds = useFolds(list);
  const rows = treeRows(list, folds.made, folds.closed);
  const focus = useTreeFocus(rows, files.current?.path ?? null);
  const [naming, setNaming] = useState<Naming | null>(null);
  const [menu, openMenu] = useState<TreeWork["menu"]>(null);
  const [moving, askWhereTo] = useState<TreeRow | null>(null);
  const [removing, askFirst] = useState<TreeWork["removing"]>(null);

  const place = async (from: string, to: string) => {
    folds.moved(from, to);
    focus.next(to);
    await files.move(from, to);
  };
  const named = async (name: string) => {
    if (naming === null) return;
    if (naming.what === "rename") return place(naming.row.path, joined(folderOf(naming.row.path), name));
    const path = joined(naming.folder, name);
    if (naming.what === "file") {
      await files.create(path);
      onChosen();
    } else {
      folds.make(path);
      focus.next(path);
    }
  };
  const take = async (row: TreeRow, gone: readonly ShownFile[]) => {
    if (row.kind === "folder") folds.drop(row.path);
    focus.next(neighbour(rows, row)?.path ?? row.path);
    if (gone.length > 0 && (await attempt(() => files.remove(gone)))) onRemoved(gone);
  };
  const remove = (row: TreeRow) => {
    const gone = (row.kind === "file" ? [row.file] : list.filter((file) => isIn(row.path, file.path))).filter(
      (file) => file.listed,
    );
    if (row.kind === "folder" && gone.length > 0) askFirst({ row, files: gone });
    else void take(row, gone);
  };
  return {
    ...{ list, rows, folds, focus, naming, menu, moving, removing, askWhereTo, named, remove },
    removeAsked() {
      if (removing !== null) void take(removing.row, removing.files);
    },
    choose(row) {
      if (row.kind === "folder") return folds.toggle(row.path);
      files.choose(row.file.id);
      onChosen();
    },
    make(what, folder) {
      folds.unfold(folder);
      setNaming({ what, folder });
    },
    rename: (row) => setNaming({ what: "rename", row }),
    complaint: (name) => (naming === null ? null : wrongWith(naming, name, list)),
    move(path, folder) {
      folds.unfold(folder);
      void attempt(() => place(path, joined(folder, parted(path).name)));
    },
    openMenu: (row, at) => openMenu({ row, at }),
    done() {
      setNaming(null);
      openMenu(null);
      askWhereTo(null);
      askFirst(null);
    },
  };
}

/** The line that is reached when this one is gone. */
function neighbour(rows: readonly TreeRow[], gone: TreeRow): TreeRow | undefined {
  const at = rows.indexOf(gone);
  return rows.slice(at + 1).find((row) => !isIn(gone.path, row.path)) ?? rows[at - 1];
}

function wrongWith(naming: Naming, name: string, list: readonly ShownFile[]): string | null {
  const taken = list.map((file) => file.path);
  if (naming.what !== "rename") return complaintAbout(name === "" ? "" : joined(naming.folder, name), taken);
  const from = naming.row.path;
  const to = name === "" ? "" : joined(folderOf(from), name);
  const staying = taken.filter((path) => path !== from && !isIn(from, path));
  const clash = movesFor(list, from, to).find((move) => staying.includes(move.to));
  return complaintAbout(to, clash === undefined ? [] : [to]);
}

const NONE: readonly ShownFile[] = [];
