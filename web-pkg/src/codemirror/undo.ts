import { Prec, type Extension } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import type { SyncPlugin } from "./sync.js";

/** The keys and menus that take back and make again. They are used up even when there is nothing to take back. */
export function undoKeys(plugin: SyncPlugin): Extension {
  const undo = (view: EditorView): boolean => {
    view.plugin(plugin)?.undo();
    return true;
  };
  const redo = (view: EditorView): boolean => {
    view.plugin(plugin)?.redo();
    return true;
  };
  const keys = keymap.of([
    { key: "Mod-z", run: undo, preventDefault: true },
    { key: "Mod-y", run: redo, preventDefault: true },
    { key: "Mod-Shift-z", run: redo, preventDefault: true },
  ]);
  const menus = EditorView.domEventHandlers({
    beforeinput(event, view) {
      if (event.inputType !== "historyUndo" && event.inputType !== "historyRedo") return false;
      event.preventDefault();
      return event.inputType === "historyUndo" ? undo(view) : redo(view);
    },
  });
  return [Prec.high(keys), menus];
}
