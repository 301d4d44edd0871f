import { EditorState, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import type { Editor, PresenceLane, Text } from "../client/index.js";
import { cursors } from "./cursors.js";
import { isFromText, sync } from "./sync.js";
import { undoKeys } from "./undo.js";
import { writable } from "./writable.js";

export interface CausewayOptions {
  /** Shows the others' cursors, and tells them this one. */
  readonly presence?: PresenceLane;
  /**
   * The editor session to write under, closed by whoever opened it: for apps that change the text beside the view, with one
   * undo stack for both. Each view wants one of its own. Default: one of the view's own.
   */
  readonly editor?: Editor;
}

/**
 * Binds a view to a text. Create the view with `doc: text.toString()` once the text is ready (before, it takes no input),
 * and leave CodeMirror's `history` out: undo is the text's, and takes back only what was written in this view.
 */
export function causeway(text: Text, options: CausewayOptions = {}): Extension {
  const plugin = sync(text, options.editor);
  return [
    // One line break is one unit, as in the text. Whatever else ends lines elsewhere is made one on its way in.
    EditorState.lineSeparator.of("\n"),
    EditorView.clipboardInputFilter.of(withUnixLines),
    EditorState.changeFilter.of((transaction) => isFromText(transaction) || (text.writable.get() && text.isOpen)),
    writable(text),
    plugin,
    undoKeys(plugin),
    options.presence === undefined ? [] : cursors(text, options.presence),
  ];
}

function withUnixLines(pasted: string): string {
  return pasted.replace(/\r\n?/g, "\n");
}
