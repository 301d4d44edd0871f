import type { SearchQuery } from "@codemirror/search";
import type { EditorState } from "@codemirror/state";

/** Where a query is met, from the beginning of the text on. */
export interface Matches {
  readonly places: readonly { readonly from: number; readonly to: number }[];
  /** There are more than these. */
  readonly isCut: boolean;
  /** Nothing is looked for. */
  readonly isIdle: boolean;
}

export function matchesIn(state: EditorState, query: SearchQuery): Matches {
  if (query.search === "" || !query.valid) return { places: [], isCut: false, isIdle: query.search === "" };
  const places: { from: number; to: number }[] = [];
  const cursor = query.getCursor(state);
  for (let next = cursor.next(); next.done !== true; next = cursor.next()) {
    if (places.length === MOST) return { places, isCut: true, isIdle: false };
    const { from, to } = next.value;
    places.push({ from, to });
  }
  return { places, isCut: false, isIdle: false };
}

/** How many there are, and which of them is selected. */
export function countWords({ places, isCut, isIdle }: Matches, from: number, to: number): string {
  if (isIdle) return "";
  if (places.length === 0) return "Not found";
  const many = isCut ? `${MOST}+` : `${places.length}`;
  const at = places.findIndex((place) => place.from === from && place.to === to);
  return at < 0 ? `${many} found` : `${at + 1} of ${many}`;
}

/** Nobody steps through more one by one. */
const MOST = 1_000;
