import { useEffect, useRef, useState, type RefObject } from "react";
import type { TreeRow } from "./tree.ts";

/** Which line of the tree the Tab key reaches, and ways to give a line the focus. */
export interface TreeFocus {
  readonly tree: RefObject<HTMLDivElement | null>;
  readonly path: string | null;
  /** A line has taken the focus. */
  note(path: string): void;
  now(path: string): void;
  /** As soon as the line is there. */
  next(path: string): void;
}

export function useTreeFocus(rows: readonly TreeRow[], current: string | null): TreeFocus {
  const tree = useRef<HTMLDivElement>(null);
  const wanted = useRef<string | null>(null);
  const [noted, note] = useState<string | null>(null);
  const has = (path: string | null) => rows.some((row) => row.path === path);
  const line = (path: string) => tree.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(path)}"]`);
  useEffect(() => {
    const found = wanted.current === null ? null : line(wanted.current);
    if (found === null || found === undefined) return;
    wanted.current = null;
    found.focus();
  });
  return {
    tree,
    path: has(noted) ? noted : has(current) ? current : (rows[0]?.path ?? null),
    note,
    now: (path) => line(path)?.focus(),
    next: (path) => {
      wanted.current = path;
      note(path);
    },
  };
}
