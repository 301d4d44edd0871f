import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { Editor, Text } from "../client/index.js";

/** What an undo button needs. */
export interface Undo {
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  undo(): void;
  redo(): void;
}

/** An editor session on a text for as long as the component is mounted; `null` while the text is not open. */
export function useEditor(text: Text | null): Editor | null {
  const [editor, setEditor] = useState<Editor | null>(null);
  useEffect(() => {
    if (text === null) return;
    let opened: Editor | null = null;
    // The first event says that the text is open.
    const unsubscribe = text.subscribe(() => {
      if (opened === null) setEditor((opened = text.editor()));
    });
    return () => {
      unsubscribe();
      setEditor(null);
      opened?.close();
    };
  }, [text]);
  return editor;
}

/** Undo and redo of one editor session: only what was written there. */
export function useUndo(editor: Editor | null): Undo {
  const last = useRef(NEITHER);
  const subscribe = useCallback(
    (changed: () => void) => (editor === null ? () => undefined : editor.subscribe(changed)),
    [editor],
  );
  const get = () => {
    const now = editor === null ? NEITHER : { canUndo: editor.canUndo, canRedo: editor.canRedo };
    const same = now.canUndo === last.current.canUndo && now.canRedo === last.current.canRedo;
    return same ? last.current : (last.current = now);
  };
  const can = useSyncExternalStore(subscribe, get, () => NEITHER);
  return useMemo(() => ({ ...can, undo: () => void editor?.undo(), redo: () => void editor?.redo() }), [can, editor]);
}

const NEITHER = { canUndo: false, canRedo: false };
