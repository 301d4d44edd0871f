import { EditorSelection, type StateEffect } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import type { Anchor, Text } from "@causeway/web";
import type { EditorPlace } from "./open-editors.ts";

/** Where somebody is in a view, so that it can be found again when others have written meanwhile. */
export function placeOf(view: EditorView, text: Text): EditorPlace {
  const { anchor, head } = view.state.selection.main;
  const inSight = view.scrollDOM.getBoundingClientRect().top - view.documentTop;
  const top = view.lineBlockAtHeight(Math.max(0, inSight)).from;
  const held = (at: number): Anchor => text.anchor(Math.min(at, text.length), "before");
  return { anchor: held(anchor), head: held(head), top: held(top) };
}

/** How a view begins in which somebody has been before. */
export function beginningAt(
  place: EditorPlace | undefined,
  text: Text,
): { readonly selection?: EditorSelection; readonly scrollTo?: StateEffect<unknown> } {
  if (place === undefined) return {};
  const at = (anchor: Anchor): number => Math.min(text.resolve(anchor) ?? 0, text.length);
  return {
    selection: EditorSelection.single(at(place.anchor), at(place.head)),
    scrollTo: EditorView.scrollIntoView(at(place.top), { y: "start", yMargin: 0 }),
  };
}
