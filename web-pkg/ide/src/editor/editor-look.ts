import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** Colours come from the page's tokens, so that a change of theme needs no new editor. */
const look = EditorView.theme({
  "&": { height: "100%", fontSize: "0.875rem", backgroundColor: "transparent", color: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.65" },
  ".cm-content": { padding: "0.75rem 0 40vh", caretColor: "var(--tide)" },
  ".cm-line": { padding: "0 1.25rem 0 0.5rem" },
  ".cm-gutters": { backgroundColor: "transparent", border: "none", color: "var(--code-comment)" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "2.75rem", padding: "0 0.5rem 0 0.75rem", fontSize: "0.8125rem" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--line-here) 70%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  ".cm-cursor": { borderLeft: "2px solid var(--tide)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selection)",
  },
  ".cm-placeholder": { color: "var(--ink-soft)", fontFamily: "var(--sans)" },
  ".cm-matchingBracket": { backgroundColor: "var(--tide-soft)", outline: "1px solid var(--tide)" },
  ".cm-panels": {
    backgroundColor: "var(--shore)",
    color: "var(--ink)",
    borderColor: "var(--line)",
    fontFamily: "var(--sans)",
  },
  ".cm-panels .cm-textfield": {
    border: "1px solid var(--line-strong)",
    borderRadius: "6px",
    backgroundColor: "var(--raised)",
  },
  ".cm-panels .cm-button": {
    border: "1px solid var(--line)",
    borderRadius: "6px",
    backgroundImage: "none",
    backgroundColor: "var(--raised)",
  },
  ".cm-searchMatch": { backgroundColor: "var(--wait-ground)", outline: "1px solid var(--wait-line)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--selection)" },
  ".cm-tooltip": { border: "1px solid var(--line)", backgroundColor: "var(--raised)", color: "var(--ink)" },
});

const code = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword, tags.controlKeyword], color: "var(--code-keyword)" },
  {
    tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.macroName],
    color: "var(--code-function)",
  },
  { tag: [tags.typeName, tags.className, tags.namespace, tags.tagName], color: "var(--code-type)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.attributeValue], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.unit, tags.color], color: "var(--code-number)" },
  { tag: [tags.comment, tags.docComment], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.attributeName, tags.propertyName], color: "var(--code-function)" },
  { tag: [tags.meta, tags.processingInstruction, tags.labelName], color: "var(--code-mark)" },
  { tag: tags.heading, color: "var(--tide)", fontWeight: "700" },
  { tag: tags.strong, fontWeight: "700" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.strikethrough, textDecoration: "line-through" },
  { tag: [tags.link, tags.url], color: "var(--code-function)", textDecoration: "underline" },
  { tag: tags.quote, color: "var(--ink-soft)" },
  { tag: tags.monospace, color: "var(--code-string)" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

export const editorLook: Extension = [look, syntaxHighlighting(code)];
