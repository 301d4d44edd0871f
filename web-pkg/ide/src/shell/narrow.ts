import { useSyncExternalStore } from "react";

/** Whether files and people leave the text no room beside them. */
export function useIsNarrow(): boolean {
  return useSyncExternalStore(onWidth, () => NARROW.matches);
}

function onWidth(changed: () => void): () => void {
  NARROW.addEventListener("change", changed);
  return () => NARROW.removeEventListener("change", changed);
}

/** Below this the side column would leave too few characters for code; `room.css` and `side.css` say the same. */
const NARROW = matchMedia("(max-width: 48rem)");
