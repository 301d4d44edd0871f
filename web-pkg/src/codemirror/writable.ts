import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView, ViewPlugin } from "@codemirror/view";
import type { Text, Unsubscribe } from "../client/index.js";

/** Takes no input while the text cannot be written, and says so to screen readers. */
export function writable(text: Text): Extension {
  const lock = new Compartment();
  const locked = (): Extension => EditorState.readOnly.of(!text.writable.get());
  const follow = (view: EditorView): { destroy: Unsubscribe } => ({
    // Not while the view is being updated.
    destroy: text.writable.subscribe(() => queueMicrotask(() => view.dispatch({ effects: lock.reconfigure(locked()) }))),
  });
  return [lock.of(locked()), ViewPlugin.define(follow)];
}
