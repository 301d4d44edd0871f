import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import {
  EditorView,
  drawSelection,
  dropCursor,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
} from "@codemirror/view";
import { useEffect, useLayoutEffect, useRef, useState, type ReactElement } from "react";
import type { Editor, Text } from "@causeway/web";
import { causeway } from "@causeway/web/codemirror";
import { useRoom } from "@causeway/web/react";
import { languageOf } from "../files/languages.ts";
import { caretPlace, type Caret } from "./caret-place.tsx";
import { editorLook } from "./editor-look.ts";
import { finding } from "./find-panel.ts";
import type { OpenEditors } from "./open-editors.ts";
import { beginningAt, placeOf } from "./place.ts";
import { reveal as showPlace, revealing, type Reveal } from "./reveal.ts";

export interface EditorPaneProps {
  readonly text: Text;
  readonly editor: Editor;
  /** Where one was in each file. */
  readonly editors: OpenEditors;
  readonly path: string;
  readonly caret: Caret;
  /** A place somebody wants to see. */
  readonly reveal: Reveal | null;
  /** Rises when somebody wants to write here, wherever the focus is. */
  readonly wish: number;
  /** Tells the view as it comes and, with `null`, as it goes. */
  onView(view: EditorView | null): void;
}

/** CodeMirror on one text. The text, not React, is what it shows; React only mounts it and names it. */
export function EditorPane({ text, editor, editors, path, caret, reveal, wish, onView }: EditorPaneProps): ReactElement {
  const { presence } = useRoom();
  const place = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<EditorView | null>(null);
  const [named] = useState(() => new Compartment());
  const [coloured] = useState(() => new Compartment());

  useEffect(() => {
    if (place.current === null) return;
    const made = new EditorView({
      parent: place.current,
      doc: text.toString(),
      ...beginningAt(editors.placeIn(text.id), text),
      extensions: [causeway(text, { presence, editor }), telling(caret), named.of([]), coloured.of([]), BASICS],
    });
    setView(made);
    caret.set(caretPlace(made.state));
    if (mayTakeFocus()) made.focus();
    return () => {
      setView(null);
      caret.set(null);
      made.destroy();
    };
  }, [text, editor, editors, presence, caret, named, coloured]);

  // While the view is still laid out. Once the engine has ended there is no way back.
  useLayoutEffect(() => {
    if (view === null) return;
    return () => {
      if (text.writable.get()) editors.note(text.id, placeOf(view, text));
    };
  }, [view, text, editors]);

  useEffect(() => {
    onView(view);
    return () => onView(null);
  }, [view, onView]);

  useEffect(() => {
    if (view !== null && wish > 0 && !matchMedia("(pointer: coarse)").matches) view.focus();
  }, [view, wish]);

  useEffect(() => {
    if (view !== null && reveal?.stream === text.id) return showPlace(view, text, reveal);
  }, [view, text, reveal]);

  useEffect(() => {
    view?.dispatch({ effects: named.reconfigure(EditorView.contentAttributes.of(describe(path))) });
  }, [view, named, path]);

  const language = languageOf(path);
  useEffect(() => {
    if (view === null) return;
    let isWanted = true;
    const colour = (extension: Extension) => {
      if (isWanted) view.dispatch({ effects: coloured.reconfigure(extension) });
    };
    if (language === null) colour([]);
    // A grammar that cannot be fetched (offline, or an older build) leaves plain text, which is as good to write in.
    else language.load().then(colour, () => colour([]));
    return () => {
      isWanted = false;
    };
  }, [view, coloured, language]);

  return <div className="editor" ref={place} />;
}

/** Tells where the caret stands. */
function telling(caret: Caret): Extension {
  return EditorView.updateListener.of(({ state, selectionSet, docChanged }) => {
    if (selectionSet || docChanged) caret.set(caretPlace(state));
  });
}

/** A touch screen would open its keyboard over the text, and whoever is busy elsewhere stays there. */
function mayTakeFocus(): boolean {
  const isElsewhere = document.activeElement !== null && document.activeElement !== document.body;
  return !isElsewhere && !matchMedia("(pointer: coarse)").matches;
}

function describe(path: string): Record<string, string> {
  return {
    "aria-label": `Text of ${path}`,
    "aria-describedby": "editor-keys",
    spellcheck: languageOf(path)?.name === "Markdown" ? "true" : "false",
    // Editable text takes the focus anyway; named so, tools know that the scrolling box around it can be reached.
    tabindex: "0",
  };
}

const BASICS: Extension = [
  lineNumbers(),
  highlightActiveLineGutter(),
  highlightSpecialChars(),
  drawSelection(),
  dropCursor(),
  EditorState.allowMultipleSelections.of(true),
  indentOnInput(),
  bracketMatching(),
  closeBrackets(),
  highlightActiveLine(),
  highlightSelectionMatches(),
  EditorView.lineWrapping,
  placeholder("Start writing. Whoever has the link to this room reads along."),
  editorLook,
  finding,
  revealing,
  keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, indentWithTab]),
];
