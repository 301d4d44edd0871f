import { useCallback, useState } from "react";
import { recall, remember } from "./remembered.ts";

/** The two columns beside the text, as this device last had them. */
export interface Layout {
  readonly left: Column;
  readonly right: Column;
}

export interface Column {
  readonly isOpen: boolean;
  /** In pixels. */
  readonly width: number;
}

export type Side = keyof Layout;

export function useLayout(): readonly [Layout, (side: Side, change: Partial<Column>) => void] {
  const [layout, setLayout] = useState<Layout>(() => recall("layout", isLayout) ?? USUAL);
  const change = useCallback((side: Side, change: Partial<Column>) => {
    setLayout((layout) => {
      const next = { ...layout, [side]: fitted(side, { ...layout[side], ...change }) };
      remember("layout", next);
      return next;
    });
  }, []);
  return [layout, change];
}

/** Held within what a column can be of use at. */
function fitted(side: Side, { isOpen, width }: Column): Column {
  const { least, most } = WIDTHS[side];
  return { isOpen, width: Math.round(Math.max(least, Math.min(most, width))) };
}

function isLayout(value: unknown): value is Layout {
  if (typeof value !== "object" || value === null) return false;
  const { left, right } = value as Record<string, unknown>;
  return [left, right].every(isColumn);
}

function isColumn(value: unknown): value is Column {
  if (typeof value !== "object" || value === null) return false;
  const { isOpen, width } = value as Record<string, unknown>;
  return typeof isOpen === "boolean" && typeof width === "number" && Number.isFinite(width);
}

/** Pixels. */
export const WIDTHS = {
  left: { least: 180, usual: 248, most: 480 },
  right: { least: 260, usual: 320, most: 560 },
} as const;

const USUAL: Layout = {
  left: { isOpen: true, width: WIDTHS.left.usual },
  right: { isOpen: true, width: WIDTHS.right.usual },
};
