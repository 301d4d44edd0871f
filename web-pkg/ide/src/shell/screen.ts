import { useSyncExternalStore } from "react";

/** How much fits beside each other: one pane (`phone`), files and text (`tablet`), or chat and people too (`desktop`). */
export type Screen = "phone" | "tablet" | "desktop";

export function useScreen(): Screen {
  return useSyncExternalStore(onWidth, now);
}

function now(): Screen {
  if (PHONE.matches) return "phone";
  return TABLET.matches ? "tablet" : "desktop";
}

function onWidth(changed: () => void): () => void {
  for (const width of [PHONE, TABLET]) width.addEventListener("change", changed);
  return () => {
    for (const width of [PHONE, TABLET]) width.removeEventListener("change", changed);
  };
}

/** The style sheets say the same widths. Below the first, a column beside the text leaves too few characters for code. */
const PHONE = matchMedia("(max-width: 48rem)");
const TABLET = matchMedia("(max-width: 68rem)");
