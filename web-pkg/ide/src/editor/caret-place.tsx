import type { EditorState } from "@codemirror/state";
import type { ReactElement } from "react";
import { useObservable } from "@causeway/web/react";
import { Held } from "../shell/held.ts";

/** Where the caret of the text in the middle stands; lines and columns count from 1. */
export interface CaretPlace {
  readonly line: number;
  readonly column: number;
  /** Characters that are selected. */
  readonly selected: number;
}

/** One per room page. */
export class Caret extends Held<CaretPlace | null> {
  constructor() {
    super(null);
  }
}

export function caretPlace({ doc, selection }: EditorState): CaretPlace {
  const { head } = selection.main;
  const line = doc.lineAt(head);
  const selected = selection.ranges.reduce((sum, range) => sum + range.to - range.from, 0);
  return { line: line.number, column: head - line.from + 1, selected };
}

export function CaretPlaceLine({ caret }: { readonly caret: Caret }): ReactElement | null {
  const place = useObservable(caret);
  if (place === null) return null;
  const { line, column, selected } = place;
  return (
    <span className="foot-item caret-place" title="Line and column of your caret">
      Ln {line}, Col {column}
      {selected > 0 && ` (${selected} selected)`}
    </span>
  );
}
