import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView, ViewPlugin } from "@codemirror/view";
import type { Observable, Unsubscribe } from "../client/index.js";

/** Takes no input while the text cannot be written, and says so to screen readers. */
export function writable(text: { readonly writable: Observable<boolean> }): Extension {
  const lock = new Compartment();
  const locked = (): Extension => EditorState.readOnly.of(!text.writable.get());
  const follow = (view: EditorView): { destroy: Unsubscribe } => {
    // Not while the view is being updated.
    const look = (): void => queueMicrotask(() => view.dispatch({ effects: lock.reconfigure(locked()) }));
    // A state may have been made long before it is shown.
    if (view.state.readOnly === text.writable.get()) look();
    return { destroy: text.writable.subscribe(look) };
  };
  return [lock.of(locked()), ViewPlugin.define(follow)];
}
