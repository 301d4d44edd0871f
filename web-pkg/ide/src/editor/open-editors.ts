import { useEffect, useState } from "react";
import type { Anchor, Editor, StreamId, Text } from "@causeway/web";

/** Where somebody was in a text: what they had selected, and the first line they saw. */
export interface EditorPlace {
  readonly anchor: Anchor;
  readonly head: Anchor;
  readonly top: Anchor;
}

/** One editor for each file in a tab: what can be undone, and where one was, are there when one comes back to it. */
export class OpenEditors {
  readonly #open = new Map<StreamId, { readonly text: Text; readonly editor: Editor }>();
  readonly #places = new Map<StreamId, EditorPlace>();

  /** The editor on a text that is open. */
  editorOn(text: Text): Editor {
    const before = this.#open.get(text.id);
    if (before?.text === text) return before.editor;
    before?.editor.close();
    const editor = text.editor();
    this.#open.set(text.id, { text, editor });
    return editor;
  }

  placeIn(id: StreamId): EditorPlace | undefined {
    return this.#places.get(id);
  }

  note(id: StreamId, place: EditorPlace): void {
    if (this.#open.has(id)) this.#places.set(id, place);
  }

  /** The other files are in no tab any more. */
  keepOnly(ids: readonly StreamId[]): void {
    for (const [id, { editor }] of this.#open) {
      if (ids.includes(id)) continue;
      editor.close();
      this.#open.delete(id);
      this.#places.delete(id);
    }
  }
}

/** The editors of the tabs, for as long as the component is mounted. */
export function useOpenEditors(ids: readonly StreamId[]): OpenEditors {
  const [editors] = useState(() => new OpenEditors());
  useEffect(() => editors.keepOnly(ids), [editors, ids]);
  useEffect(() => () => editors.keepOnly([]), [editors]);
  return editors;
}

/** The editor of a text that is shown; `null` while it is not open. */
export function useOpenEditor(editors: OpenEditors, text: Text | null): Editor | null {
  const [editor, setEditor] = useState<Editor | null>(null);
  useEffect(() => {
    if (text === null) return;
    setEditor(editors.editorOn(text));
    return () => setEditor(null);
  }, [editors, text]);
  return editor;
}
