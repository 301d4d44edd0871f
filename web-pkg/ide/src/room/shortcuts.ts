import { COMMAND } from "../shell/keys.ts";

/** A key, or several that do the same, and what happens. Written as `shownKeys` reads them. */
export interface Shortcut {
  readonly keys: readonly string[];
  readonly does: string;
}

/** All keys of the page that no one would guess, by the part of the page that has them. */
export const SHORTCUTS: readonly { readonly where: string; readonly list: readonly Shortcut[] }[] = [
  {
    where: "Anywhere",
    list: [
      { keys: ["mod+P"], does: "Go to a file, or make one" },
      { keys: ["mod+J"], does: "Write in the chat" },
      { keys: ["mod+B"], does: "Show or hide the files" },
      { keys: ["alt+PageDown", "alt+PageUp"], does: "Next tab, tab before" },
      { keys: ["mod+S"], does: "See where your work is saved" },
      { keys: ["F1"], does: "This list" },
    ],
  },
  {
    where: "In the text",
    list: [
      { keys: ["Escape then Tab"], does: "Leave the text with the keyboard" },
      { keys: ["Tab", "shift+Tab"], does: "Indent more, less" },
      { keys: ["mod+F"], does: "Find; Enter goes on, Escape closes" },
      { keys: [COMMAND === "⌘" ? "mod+alt+F" : "mod+H"], does: "Find and replace" },
      { keys: ["mod+Z", "mod+shift+Z"], does: "Undo, redo what you wrote" },
      { keys: ["mod+/"], does: "Make a line a comment, or no more" },
      { keys: ["mod+D"], does: "Select the next that is the same" },
      { keys: ["alt+↑", "alt+↓"], does: "Move the line" },
      { keys: ["mod+alt+G"], does: "Go to a line" },
    ],
  },
  {
    where: "In the files",
    list: [
      { keys: ["↑", "↓", "←", "→"], does: "Go from line to line, fold and unfold" },
      { keys: ["Enter"], does: "Open" },
      { keys: ["F2"], does: "Rename" },
      { keys: ["F6"], does: "Move to a folder" },
      { keys: ["Delete"], does: "Remove; on a tab: close it" },
      { keys: ["shift+F10"], does: "All that can be done" },
    ],
  },
  {
    where: "In the chat",
    list: [
      { keys: ["Enter", "shift+Enter"], does: "Send, new line" },
      { keys: ["↑"], does: "In an empty field: change your last message" },
      { keys: ["R", "E", "Enter"], does: "On a message: reply, react, all that can be done" },
    ],
  },
];
