import { StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, EditorView, type DecorationSet } from "@codemirror/view";
import type { Anchor, StreamId, Text } from "@causeway/web";

/**
 * A wish to see a place of a text, granted once. Each wish is an object of its own, so that the same place can be wished for
 * again.
 */
export interface Reveal {
  readonly stream: StreamId;
  readonly anchor: Anchor;
}

/**
 * Scrolls to a place and lights its line up for a moment. The own caret stays where it is. Of a file that was never open on
 * this device the place may be still to come: the wish waits for it, until somebody does something in the text.
 */
export function reveal(view: EditorView, text: Text, wish: Reveal): () => void {
  if (granted.has(wish) || show(view, text, wish)) return () => undefined;
  const stop = text.subscribe(() => {
    if (show(view, text, wish)) end();
  });
  const end = () => {
    stop();
    granted.add(wish);
    for (const deed of DEEDS) view.dom.removeEventListener(deed, end);
  };
  for (const deed of DEEDS) view.dom.addEventListener(deed, end);
  return end;
}

/** Whether the place is there to be shown. */
function show(view: EditorView, text: Text, wish: Reveal): boolean {
  const at = text.resolve(wish.anchor);
  if (at === null) return false;
  granted.add(wish);
  const position = Math.min(at, view.state.doc.length);
  view.dispatch({ effects: [EditorView.scrollIntoView(position, { y: "center" }), LIGHT.of(position)] });
  // A view that was closed meanwhile takes it and shows nothing.
  setTimeout(() => view.dispatch({ effects: LIGHT.of(null) }), LIT_MS);
  return true;
}

const DEEDS = ["keydown", "pointerdown", "wheel"] as const;

/** Whoever comes back to the file later has their own place in it. */
const granted = new WeakSet<Reveal>();

const LIGHT = StateEffect.define<number | null>({
  map: (position, changes) => (position === null ? null : changes.mapPos(position)),
});

/** The line that is lit up. */
export const revealing: Extension = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(lit, transaction) {
    let now = lit.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(LIGHT)) continue;
      if (effect.value === null) now = Decoration.none;
      else {
        const line = transaction.state.doc.lineAt(effect.value);
        now = Decoration.set([Decoration.line({ class: "lit-line" }).range(line.from)]);
      }
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** As long as the animation in `editor.css`. */
const LIT_MS = 1_600;
