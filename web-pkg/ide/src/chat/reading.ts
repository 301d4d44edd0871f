import { useCallback, useState, useSyncExternalStore } from "react";
import type { PostId } from "@causeway/web";
import { useObservable, useRoom, type Chat } from "@causeway/web/react";
import { useHasLasted } from "../shell/lasting.ts";
import { recall, remember } from "../shell/remembered.ts";

/** What is being read, and what was new when one came to read it. */
export interface Reading {
  /** The line above what was new stands over this post, and stays there while it is read. */
  readonly firstNew: PostId | null;
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
export function useReading({ firstUnread, markRead }: Chat, isShown: boolean): Reading {
  const { name, documents } = useRoom();
  const synced = useObservable(documents.synced);
  const isSettled = [useHasLasted(synced, COMING_IN_MS), useHasLasted(!synced, NO_LINK_MS)].some(Boolean);
  const isLooked = useSyncExternalStore(onVisibility, isVisible) && isShown && isSettled;
  // To somebody who is here for the first time all is new, which says nothing.
  const [isStranger] = useState(() => recall(`read/${name}`, isFlag) === null);
  const [state, setState] = useState<State>({ firstNew: null, arrival: 0, isLooked: false });
  const next = after(state, isLooked, isStranger && state.arrival === 0 ? null : firstUnread);
  // Adjusting state while rendering is React's way to remember something about the last render.
  if (next !== state) setState(next);
  const seen = useCallback(
    (id: PostId) => {
      if (!isLooked) return;
      remember(`read/${name}`, true);
      markRead(id);
    },
    [isLooked, markRead, name],
  );
  const forget = useCallback(() => setState((state) => ({ ...state, firstNew: null })), []);
  return { firstNew: next.firstNew, arrival: next.arrival, seen, forget };
}

interface State {
  readonly firstNew: PostId | null;
  readonly arrival: number;
  readonly isLooked: boolean;
}

/** While nobody looks the line follows what is unread; it stands still while somebody does. */
export function after(state: State, isLooked: boolean, firstUnread: PostId | null): State {
  const firstNew = isLooked && state.isLooked ? state.firstNew : firstUnread;
  if (isLooked === state.isLooked && firstNew === state.firstNew) return state;
  const arrival = isLooked && !state.isLooked ? state.arrival + 1 : state.arrival;
  return { firstNew, arrival, isLooked };
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
