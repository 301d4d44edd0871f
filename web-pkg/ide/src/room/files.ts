import { useEffect, useMemo, useRef, useState } from "react";
import type { StreamId } from "@causeway/web";
import { useConnection, useDocuments, useObservable, useRoom, useStorage, useTextHandle } from "@causeway/web/react";
import { recall, remember } from "../shell/remembered.ts";
import { FIRST_PATH, shownFiles, type ShownFile } from "./shown-files.ts";

/** The room's files and the one in the editor. */
export interface Files {
  /** `null` while the page does not know yet. */
  readonly list: readonly ShownFile[] | null;
  readonly current: ShownFile | null;
  choose(id: StreamId): void;
  create(path: string): Promise<void>;
  rename(id: StreamId, path: string): Promise<void>;
  /** Takes a file off the list. Its text stays, so `putBack` restores it. */
  remove(file: ShownFile): Promise<void>;
  putBack(file: ShownFile): Promise<void>;
}

export function useFiles(): Files {
  const { documents, name } = useRoom();
  const listed = useDocuments();
  const settled = useSettled();
  const first = useMemo(() => documents.firstDocument(), [documents]);
  const [firstWasRemoved, noteFirst] = useState<boolean | null>(null);
  const isFirstListed = listed.some((file) => file.id === first);
  // Adjusting state while rendering is React's way to remember something about the last render.
  if (isFirstListed && firstWasRemoved !== false) noteFirst(false);
  if (!isFirstListed && firstWasRemoved === false) noteFirst(true);

  const list = useMemo(
    () => shownFiles(listed, { settled, first, firstWasRemoved: firstWasRemoved === true }),
    [listed, settled, first, firstWasRemoved],
  );
  const [current, choose] = useCurrent(name, list);
  useListingAtFirstEdit(first, current?.id === first && !isFirstListed && firstWasRemoved === null);
  useLeavingAnUnusedFirst(first, current, list, choose);

  return useMemo<Files>(
    () => ({
      list,
      current,
      choose,
      async create(path) {
        choose(await documents.create(path));
      },
      rename: (id, path) => documents.rename(id, path),
      async remove(file) {
        await documents.remove(file.id);
        if (file.id === current?.id) choose(list?.find((other) => other.id !== file.id)?.id ?? null);
      },
      async putBack(file) {
        await documents.rename(file.id, file.path);
        choose(file.id);
      },
    }),
    [documents, list, current, choose],
  );
}

/** Whether an empty list means an empty room. */
function useSettled(): boolean {
  const { documents } = useRoom();
  const synced = useObservable(documents.synced);
  const stopped = useConnection().state === "stopped";
  const isRead = useStorage().state !== "opening";
  const [isSettled, setSettled] = useState(false);
  useEffect(() => {
    if (!isRead) return;
    // It stays settled: a link that is cut later takes nothing back.
    const timer = setTimeout(() => setSettled(true), synced || stopped ? 0 : PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isRead, synced, stopped]);
  return isSettled || synced;
}

/** The file in the editor stays when others rename it, reorder the list or take it off. */
function useCurrent(room: string, list: readonly ShownFile[] | null) {
  const [chosen, choose] = useState<StreamId | null>(() => recall(`file/${room}`, isDocument));
  const shown = useRef<ShownFile | null>(null);
  const current = useMemo(() => {
    const found = list?.find((file) => file.id === chosen);
    if (found !== undefined || list === null) return found ?? null;
    const left = shown.current;
    if (chosen !== null && left?.id === chosen) return left.listed ? { ...left, listed: false } : left;
    return list[0] ?? null;
  }, [list, chosen]);
  useEffect(() => {
    shown.current = current;
    if (current === null) return;
    choose(current.id);
    remember(`file/${room}`, current.id);
  }, [room, current]);
  return [current, choose] as const;
}

/** The page that writes first puts the first document on the list. */
function useListingAtFirstEdit(first: StreamId, isWanted: boolean): void {
  const { documents } = useRoom();
  const { text } = useTextHandle(isWanted ? first : null);
  useEffect(() => {
    if (text === null || !isWanted) return;
    return text.subscribe((event) => {
      if (event.type !== "delta" || event.editor === undefined) return;
      if (!documents.list().some((file) => file.id === first)) void documents.rename(first, FIRST_PATH);
    });
  }, [documents, first, text, isWanted]);
}

/** Files that arrive late replace a first document that nobody has written into. */
function useLeavingAnUnusedFirst(
  first: StreamId,
  current: ShownFile | null,
  list: readonly ShownFile[] | null,
  choose: (id: StreamId) => void,
): void {
  const next = list?.find((file) => file.listed)?.id;
  const isBeside = current?.id === first && !current.listed && next !== undefined;
  const { text, isOpen } = useTextHandle(isBeside ? first : null);
  useEffect(() => {
    if (isBeside && isOpen && text?.length === 0) choose(next);
  }, [isBeside, isOpen, text, next, choose]);
}

function isDocument(value: unknown): value is StreamId {
  return typeof value === "string" && value.startsWith("ydoc:");
}

/** How long an empty list may fill before the page offers an empty text: a slow line's round trip or two. */
const PATIENCE_MS = 1_500;
