import { useCallback, useEffect, useRef } from "react";
import type { StreamId } from "@causeway/web";
import { useObservable, useRoom, useTextHandle } from "@causeway/web/react";
import { attempt } from "../shell/attempt.ts";
import { closed, opened, type OpenFiles } from "./open-files.ts";
import { FIRST_PATH, type ShownFile } from "./shown-files.ts";
import { freePath } from "./taken-names.ts";

/** The page that writes first puts the first document on the list. */
export function useListingAtFirstEdit(first: StreamId, isWanted: boolean): void {
  const { documents } = useRoom();
  const { text } = useTextHandle(isWanted ? first : null);
  useEffect(() => {
    if (text === null || !isWanted) return;
    return text.subscribe((event) => {
      if (event.type !== "delta" || event.editor === undefined) return;
      const list = documents.list();
      if (list.some((file) => file.id === first)) return;
      // Somebody may have brought in one of its name meanwhile.
      const path = freePath(FIRST_PATH, new Set(list.map((file) => file.path)));
      void attempt(() => documents.rename(first, path));
    });
  }, [documents, first, text, isWanted]);
}

/**
 * Files that arrive replace a first document that nobody has written into, unless somebody is in it here: the next key
 * would land in another file.
 */
export function useLeavingAnUnusedFirst(
  first: StreamId,
  current: ShownFile | null,
  list: readonly ShownFile[] | null,
  change: (step: (open: OpenFiles) => OpenFiles) => void,
): void {
  const isOffered = current?.id === first && !current.listed;
  const next = list?.find((file) => file.listed)?.id;
  const isBeside = isOffered && next !== undefined;
  const { text, isOpen } = useTextHandle(isBeside ? first : null);
  const isTaken = useTaken(isOffered, isOffered && next === undefined);
  useEffect(() => {
    if (isBeside && isOpen && text?.length === 0 && !isTaken()) change((open) => opened(closed(open, first), next));
  }, [isBeside, isOpen, text, first, next, change, isTaken]);
}

/**
 * Whether somebody is in the first document here. A page puts its focus into the text by itself: that counts once the
 * relay has said that the room is empty. Until then what arrives was there before them, and a key or a touch counts.
 */
function useTaken(isOffered: boolean, isAlone: boolean): () => boolean {
  const { documents } = useRoom();
  const isEmpty = useObservable(documents.synced) && isAlone;
  const known = useRef({ wasEmpty: false, isTouched: false, isTaken: false });
  useEffect(() => {
    known.current.wasEmpty ||= isEmpty;
  }, [isEmpty]);
  useEffect(() => {
    if (!isOffered) return;
    Object.assign(known.current, { isTouched: false, isTaken: false });
    const touch = ({ target }: Event) => {
      known.current.isTouched ||= isInEditor(target);
    };
    const events = ["keydown", "pointerdown"] as const;
    for (const event of events) document.addEventListener(event, touch, true);
    return () => events.forEach((event) => document.removeEventListener(event, touch, true));
  }, [isOffered]);
  return useCallback(() => {
    const { wasEmpty, isTouched } = known.current;
    // Once a file has come and they are in this one they stay: where the focus goes later changes nothing.
    known.current.isTaken ||= (wasEmpty || isTouched) && isInEditor(document.activeElement);
    return known.current.isTaken;
  }, []);
}

function isInEditor(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(".editor") !== null;
}
