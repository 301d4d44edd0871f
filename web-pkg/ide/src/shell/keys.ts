import { useEffect, useRef } from "react";

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
      // A dialog has the keys to itself.
      if (run === undefined || document.querySelector("dialog[open]") !== null) return;
      event.preventDefault();
      event.stopPropagation();
      run();
    };
    addEventListener("keydown", onKeyDown, true);
    return () => removeEventListener("keydown", onKeyDown, true);
  }, []);
}

function spelled({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): string {
  const mod = COMMAND === "⌘" ? metaKey : ctrlKey;
  return `${mod ? "mod+" : ""}${altKey ? "alt+" : ""}${shiftKey ? "shift+" : ""}${key.toLowerCase()}`;
}
