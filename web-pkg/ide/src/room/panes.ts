import type { IconName } from "../parts/icon.tsx";

/** What a phone shows one of at a time. */
export type Pane = "files" | "edit" | "chat" | "people";

export const PANES: readonly { readonly pane: Pane; readonly words: string; readonly icon: IconName }[] = [
  { pane: "files", words: "Files", icon: "folder" },
  { pane: "edit", words: "Edit", icon: "code" },
  { pane: "chat", words: "Chat", icon: "chat" },
  { pane: "people", words: "People", icon: "people" },
];
