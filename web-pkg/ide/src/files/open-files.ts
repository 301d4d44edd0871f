import type { StreamId } from "@causeway/web";

/** Which files are open, in the order of their tabs, and which one is looked at. */
export interface OpenFiles {
  readonly tabs: readonly StreamId[];
  /** `null`: none is looked at, because all tabs were closed. */
  readonly shown: StreamId | null;
}

export const NOTHING_OPEN: OpenFiles = { tabs: [], shown: null };

/** Shows a file, in a tab beside the one looked at if it has none. */
export function opened({ tabs, shown }: OpenFiles, id: StreamId): OpenFiles {
  if (tabs.includes(id)) return shown === id ? { tabs, shown } : { tabs, shown: id };
  const at = shown === null ? tabs.length : tabs.indexOf(shown) + 1;
  return { tabs: [...tabs.slice(0, at), id, ...tabs.slice(at)], shown: id };
}

/** Closes a tab; its right neighbour is looked at next, otherwise its left one. */
export function closed(open: OpenFiles, id: StreamId): OpenFiles {
  const at = open.tabs.indexOf(id);
  if (at < 0) return open;
  const tabs = open.tabs.filter((other) => other !== id);
  return { tabs, shown: open.shown === id ? (tabs[at] ?? tabs[at - 1] ?? null) : open.shown };
}

/** The tab `step` places to the right (or left), around the ends. */
export function beside({ tabs, shown }: OpenFiles, step: number): StreamId | null {
  if (shown === null || tabs.length === 0) return tabs[0] ?? null;
  return tabs[(tabs.indexOf(shown) + step + tabs.length) % tabs.length] ?? null;
}

export function isOpenFiles(value: unknown): value is OpenFiles {
  if (typeof value !== "object" || value === null) return false;
  const { tabs, shown } = value as Record<string, unknown>;
  return Array.isArray(tabs) && tabs.every(isDocument) && (shown === null || isDocument(shown));
}

function isDocument(value: unknown): value is StreamId {
  return typeof value === "string" && value.startsWith("ydoc:");
}
