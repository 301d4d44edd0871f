import { useEffect, useState } from "react";
import { useRoom } from "@causeway/web/react";
import { recall, remember } from "../shell/remembered.ts";
import { foldersOf, isIn } from "./tree.ts";
import type { ShownFile } from "./shown-files.ts";

/** Which folders are folded, and those made here that have no file yet: a room knows a folder by its files alone. */
export interface Folds {
  readonly closed: ReadonlySet<string>;
  readonly made: readonly string[];
  readonly all: readonly string[];
  toggle(path: string): void;
  /** Opens a folder and those around it. */
  unfold(path: string): void;
  make(path: string): void;
  moved(from: string, to: string): void;
  drop(path: string): void;
}

export function useFolds(files: readonly ShownFile[]): Folds {
  const { name } = useRoom();
  const [folded, setFolded] = useState<readonly string[]>(() => recall(`folded/${name}`, isPaths) ?? []);
  const [made, setMade] = useState<readonly string[]>([]);
  useEffect(() => remember(`folded/${name}`, folded), [name, folded]);
  return {
    closed: new Set(folded),
    made,
    all: foldersOf(files, made),
    toggle: (path) =>
      setFolded((folded) =>
        folded.includes(path) ? folded.filter((other) => other !== path) : [...folded, path].slice(-MOST),
      ),
    unfold: (path) => setFolded((folded) => folded.filter((other) => other !== path && !isIn(other, path))),
    make: (path) => setMade((made) => [...made.filter((other) => other !== path), path]),
    moved: (from, to) => {
      const renamed = (path: string) => (path === from || isIn(from, path) ? to + path.slice(from.length) : path);
      setMade((made) => made.map(renamed));
      setFolded((folded) => folded.map(renamed));
    },
    drop: (path) => setMade((made) => made.filter((other) => other !== path && !isIn(path, other))),
  };
}

function isPaths(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((path) => typeof path === "string");
}

/** Folders of long ago are forgotten. */
const MOST = 200;
