import { useEffect, useMemo, useRef, useState } from "react";
import type { StreamId } from "@causeway/web";
import { useConnection, useFiles, useObservable, useRoom, useStorage } from "@causeway/web/react";
import { recall, remember } from "../shell/remembered.ts";
import { useLeavingAnUnusedFirst, useListingAtFirstEdit } from "./first-document.ts";
import { NOTHING_OPEN, beside, closed, isOpenFiles, opened, type OpenFiles } from "./open-files.ts";
import { FIRST_PATH, shownFiles, type ShownFile } from "./shown-files.ts";
import { folderOf, movesFor } from "./tree.ts";

/** The room's files, those open in tabs, and the one looked at. */
export interface RoomFiles {
  /** `null` while the page does not know yet. */
  readonly list: readonly ShownFile[] | null;
  readonly tabs: readonly ShownFile[];
  readonly current: ShownFile | null;
  /** Whether somebody has taken a file in a tab off the list. */
  hasLeft(file: ShownFile): boolean;
  choose(id: StreamId): void;
  close(id: StreamId): void;
  /** Looks at the next tab (1) or the one before (-1). */
  turn(step: number): void;
  create(path: string): Promise<void>;
  /** Gives a file another path, or a folder and with it each file inside. */
  move(from: string, to: string): Promise<void>;
  /** Takes files off the list. Their texts stay, so `putBack` restores them. */
  remove(files: readonly ShownFile[]): Promise<void>;
  putBack(files: readonly ShownFile[]): Promise<void>;
}

export function useRoomFiles(): RoomFiles {
  const { documents, name } = useRoom();
  const { files: listed } = useFiles();
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
  const { tabs, current, change } = useOpen(name, list);
  useListingAtFirstEdit(first, current?.id === first && !isFirstListed && firstWasRemoved === null);
  useLeavingAnUnusedFirst(first, firstWasRemoved === null ? current : null, list, change);

  return useMemo<RoomFiles>(
    () => ({
      list,
      tabs,
      current,
      hasLeft: ({ id }) =>
        (id !== first || firstWasRemoved !== null) && (list ?? []).every((other) => other.id !== id),
      choose: (id) => change((open) => opened(open, id)),
      close: (id) => change((open) => closed(open, id)),
      turn: (step) =>
        change((open) => {
          const next = beside(open, step);
          return next === null ? open : opened(open, next);
        }),
      async create(path) {
        const id = await documents.create(path);
        change((open) => opened(open, id));
      },
      async move(from, to) {
        await Promise.all(movesFor(list ?? [], from, to).map((move) => documents.rename(move.id, move.to)));
      },
      async remove(files) {
        await Promise.all(files.filter((file) => file.listed).map((file) => documents.remove(file.id)));
        change((open) => files.reduce((left, file) => closed(left, file.id), open));
      },
      async putBack(files) {
        await Promise.all(files.map((file) => documents.rename(file.id, file.path)));
        const [first] = files;
        if (first !== undefined) change((open) => opened(open, first.id));
      },
    }),
    [documents, list, tabs, current, change, first, firstWasRemoved],
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

type Change = (step: (open: OpenFiles) => OpenFiles) => void;

/** The tabs of this room on this device. A file in a tab stays there when others rename it or take it off the list. */
function useOpen(room: string, list: readonly ShownFile[] | null) {
  const [open, change] = useState<OpenFiles>(() => recall(`open/${room}`, isOpenFiles) ?? NOTHING_OPEN);
  const [hasBegun, setBegun] = useState(open.shown !== null);
  const seen = useRef(new Map<StreamId, ShownFile>());
  const wereListed = useRef(new Set<StreamId>());
  const tabs = useMemo(() => {
    if (list === null) return [];
    const listed = new Map(list.map((file) => [file.id, file]));
    return open.tabs.flatMap((id) => {
      const file = listed.get(id);
      const left = seen.current.get(id);
      if (file !== undefined) return [file];
      if (left === undefined || !(wereListed.current.has(id) || open.shown === id)) return [];
      return [left.listed ? { ...left, listed: false } : left];
    });
  }, [list, open]);
  const first = list === null ? undefined : toBeginWith(list);
  if (!hasBegun && first !== undefined) {
    setBegun(true);
    change((open) => opened(open, first.id));
  }
  const current = tabs.find((file) => file.id === open.shown) ?? null;
  // A tab of the last visit may be of a file that is gone since, and the first document was only an offer.
  const stale = list === null ? [] : open.tabs.filter((id) => tabs.every((file) => file.id !== id));
  const isStale = stale.length > 0;
  useEffect(() => {
    if (!isStale) return;
    const rest = stale.reduce(closed, open);
    change(rest.shown === null && first !== undefined ? opened(rest, first.id) : rest);
    // `stale` follows from the others.
  }, [isStale, open, first]);
  useEffect(() => {
    seen.current = new Map(tabs.map((file) => [file.id, file]));
    for (const file of tabs) if (file.listed) wereListed.current.add(file.id);
    if (list !== null && !isStale) remember(`open/${room}`, open);
  }, [room, list, tabs, open, isStale]);
  return { tabs, current, change: change as Change };
}

/** What somebody sees first who has opened nothing here yet: what stands in no folder is about the whole. */
function toBeginWith(list: readonly ShownFile[]): ShownFile | undefined {
  return list.find((file) => file.path === FIRST_PATH) ?? list.find((file) => folderOf(file.path) === "") ?? list[0];
}

/** How long an empty list may fill before the page offers an empty text: a slow line's round trip or two. */
const PATIENCE_MS = 1_500;
