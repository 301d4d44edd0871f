import { useCallback, useMemo, useState, useSyncExternalStore } from "react";
import type { PostId } from "@causeway/web";
import { useObservable, useRoom, type Chat } from "@causeway/web/react";
import { useHasLasted } from "../shell/lasting.ts";
import { recall, remember } from "../shell/remembered.ts";

/** What is being read, and what was new when one came to read it. */
export interface Reading {
  /** The line above what was new stands over this post, and stays there while it is read. */
  readonly firstNew: PostId | null;
  /**
   * What is new begins further up than what is shown. Nothing counts as read then, before one has scrolled there, has
   * answered, or says that it is.
   */
  readonly isNewAbove: boolean;
  /** Rises each time somebody comes to look. */
  readonly arrival: number;
  /** Everything up to a post has been in sight. */
  seen(id: PostId): void;
  /** Nothing is new any more, say because one has answered. */
  forget(): void;
}

/**
 * Only what is in sight of somebody is read: the panel is shown, the page is looked at, and what was said while there
 * was no link has come in. What comes before one's eyes is not marked as new.
 */
export function useReading({ posts, unread, firstUnread, markRead }: Chat, isShown: boolean): Reading {
  const { name, documents } = useRoom();
  const synced = useObservable(documents.synced);
  const isSettled = [useHasLasted(synced, COMING_IN_MS), useHasLasted(!synced, NO_LINK_MS)].some(Boolean);
  const isLooked = useSyncExternalStore(onVisibility, isVisible) && isShown && isSettled;
  // To somebody who is here for the first time all is new, which says nothing.
  const [isStranger, setStranger] = useState(() => recall(`read/${name}`, isFlag) === null);
  const [state, setState] = useState<State>(NOBODY_CAME);
  const isFirstVisit = isStranger && state.arrival <= 1;
  const isAbove = useMemo(() => unread > 0 && !posts.some((post) => post.id === firstUnread), [posts, unread, firstUnread]);
  const isNewAbove = isAbove && !isFirstVisit;
  const next = after(state, isLooked, isStranger && state.arrival === 0 ? null : firstUnread, isNewAbove);
  // Adjusting state while rendering is React's way to remember something about the last render.
  if (next !== state) setState(next);
  const seen = useCallback(
    (id: PostId) => {
      if (!isLooked || isNewAbove) return;
      remember(`read/${name}`, true);
      setStranger(false);
      // To who is here for the first time all is new, also further up.
      if (isAbove) markRead();
      else markRead(id);
    },
    [isLooked, isNewAbove, isAbove, markRead, name],
  );
  const forget = useCallback(() => {
    setState((state) => ({ ...state, firstNew: null }));
    if (isNewAbove) markRead();
  }, [isNewAbove, markRead]);
  return { firstNew: next.firstNew, isNewAbove, arrival: next.arrival, seen, forget };
}

interface State {
  readonly firstNew: PostId | null;
  readonly isNewAbove: boolean;
  readonly arrival: number;
  readonly isLooked: boolean;
}

/** Before anybody looks for the first time. */
export const NOBODY_CAME: State = { firstNew: null, isNewAbove: false, arrival: 0, isLooked: false };

/** While nobody looks the line follows what is unread; once it is shown it stands still while somebody does. */
export function after(state: State, isLooked: boolean, firstUnread: PostId | null, isNewAbove: boolean): State {
  const stands = isLooked && state.isLooked && !state.isNewAbove && !isNewAbove;
  const firstNew = stands ? state.firstNew : firstUnread;
  const isAsBefore = isLooked === state.isLooked && isNewAbove === state.isNewAbove && firstNew === state.firstNew;
  if (isAsBefore) return state;
  const arrival = isLooked && !state.isLooked ? state.arrival + 1 : state.arrival;
  return { firstNew, isNewAbove, arrival, isLooked };
}

function isFlag(value: unknown): value is true {
  return value === true;
}

function isVisible(): boolean {
  return document.visibilityState === "visible";
}

function onVisibility(changed: () => void): () => void {
  document.addEventListener("visibilitychange", changed);
  return () => document.removeEventListener("visibilitychange", changed);
}

/** After a link is up, what was said meanwhile comes in within this time. */
const COMING_IN_MS = 400;
/** Without a link, what is here is all there is to read. */
const NO_LINK_MS = 3_000;
