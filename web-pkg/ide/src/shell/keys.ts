import { useEffect, useRef } from "react";
import { keyOf } from "./key-of.ts";

/** What the command key of this system is called in a hint. */
export const COMMAND = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl+";

/** Keys of the whole page, such as `mod+p`, before anything inside sees them. `mod` is Command on a Mac, otherwise Control. */
export function usePageKeys(keys: Readonly<Record<string, () => void>>): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const run = latest.current[spelled(event)];
      if (run === undefined) return;
      // A dialog has the keys to itself. What the browser would do instead helps nobody there either.
      const isInDialog = document.querySelector("dialog[open]") !== null;
      if (isInDialog && !BROWSERS.includes(spelled(event))) return;
      event.preventDefault();
      event.stopPropagation();
      if (!isInDialog) run();
    };
    addEventListener("keydown", onKeyDown, true);
    return () => removeEventListener("keydown", onKeyDown, true);
  }, []);
}

/** How keys such as `mod+shift+p` are written on this system: ⇧⌘P, or Ctrl+Shift+P. */
export function shownKeys(keys: string): string {
  const isMac = COMMAND === "⌘";
  const parts = keys.split("+").map((part) => (isMac ? MAC_KEYS : OTHER_KEYS)[part] ?? part);
  return parts.join(isMac ? "" : "+");
}

function spelled(event: KeyboardEvent): string {
  const { ctrlKey, metaKey, altKey, shiftKey } = event;
  const mod = COMMAND === "⌘" ? metaKey : ctrlKey;
  return `${mod ? "mod+" : ""}${altKey ? "alt+" : ""}${shiftKey ? "shift+" : ""}${keyOf(event)}`;
}

const MAC_KEYS: Readonly<Record<string, string>> = { mod: "⌘", alt: "⌥", shift: "⇧" };
const OTHER_KEYS: Readonly<Record<string, string>> = { mod: "Ctrl", alt: "Alt", shift: "Shift" };
/** Keys with which a browser opens a dialog or a page of its own. */
const BROWSERS: readonly string[] = ["mod+s", "f1"];
