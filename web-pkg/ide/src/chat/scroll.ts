import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { PostId } from "@causeway/web";

/** A list that grows at both ends under its reader. */
export interface TimelineScroll {
  readonly box: RefObject<HTMLDivElement | null>;
  /** Whether the newest post is in sight. */
  readonly isAtEnd: boolean;
  onScroll(): void;
  toEnd(): void;
  toTop(): void;
  /** Shows a post and lights it up; `false`: it is not here. */
  goTo(id: PostId): boolean;
}

export interface ScrollNeeds {
  /** Changes whenever what stands in the list does. */
  readonly shown: unknown;
  readonly hasOlder: boolean;
  /** Where to begin to read; the end if there is nothing new. */
  readonly firstNew: PostId | null;
  /** Changes when somebody comes to read. */
  readonly arrival: number;
  /** Whether a bar stands above the list and takes some of its height. */
  readonly hasBar: boolean;
  /** Whether the list is laid out: there is no place to scroll to in what is hidden. */
  readonly isLaidOut: boolean;
  older(): void;
  /** The last post in sight, a moment after scrolling has rested or the list has changed. */
  onSeen(id: PostId): void;
}

/**
 * Keeps the end in sight while it is, and otherwise keeps what is read where it is, whatever is added above or below.
 * Near the top, one more page is asked for.
 */
export function useTimelineScroll(needs: ScrollNeeds): TimelineScroll {
  const { shown, hasOlder, firstNew, arrival, hasBar, isLaidOut, older, onSeen } = needs;
  const box = useRef<HTMLDivElement>(null);
  const sticks = useRef(true);
  const held = useRef<Held | null>(null);
  /** When older posts were asked for; nothing came since. */
  const asked = useRef(-Infinity);
  const begun = useRef<number | null>(null);
  /** Height of what stands above the list. */
  const above = useRef(0);
  const resting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const [isAtEnd, setAtEnd] = useState(true);

  const tell = useRef(onSeen);
  useEffect(() => {
    tell.current = onSeen;
  });
  const rest = useCallback(() => {
    clearTimeout(resting.current);
    resting.current = setTimeout(() => {
      const list = box.current;
      // What was put away meanwhile is not in sight.
      const last = list === null || list.clientHeight === 0 ? null : lastInSight(list);
      if (last !== null) tell.current(last);
    }, REST_MS);
  }, []);
  const look = useCallback(() => {
    const list = box.current;
    if (list === null || list.clientHeight === 0) return;
    sticks.current = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;
    setAtEnd(sticks.current);
    held.current = topInSight(list);
    const now = performance.now();
    if (hasOlder && list.scrollTop < NEAR_TOP && now - asked.current > ASK_AGAIN_MS) {
      asked.current = now;
      older();
    }
    rest();
  }, [hasOlder, older, rest]);

  useLayoutEffect(() => {
    const list = box.current;
    if (list === null || !isLaidOut) return;
    asked.current = -Infinity;
    const moved = list.offsetTop - above.current;
    above.current = list.offsetTop;
    const first = firstNew === null ? null : postIn(list, firstNew);
    const before = begun.current;
    begun.current = arrival;
    if (before !== arrival && (first !== null || before === null)) {
      // What is new begins in the upper third: what it answers can be read above it.
      if (first !== null) list.scrollTop = first.offsetTop - list.clientHeight / 3;
      else list.scrollTop = list.scrollHeight;
    } else if (sticks.current) {
      list.scrollTop = list.scrollHeight;
    } else if (held.current !== null) {
      const now = postIn(list, held.current.id);
      if (now !== null) list.scrollTop += topOf(list, now) - held.current.top + moved;
    }
    look();
    // `look` changes more often than anything that could move the list.
  }, [shown, arrival, hasBar, isLaidOut]);
  useEffect(() => {
    const list = box.current;
    if (list === null) return;
    const keep = new ResizeObserver(() => {
      if (sticks.current) list.scrollTop = list.scrollHeight;
    });
    keep.observe(list);
    if (list.firstElementChild !== null) keep.observe(list.firstElementChild);
    return () => keep.disconnect();
  }, [isLaidOut]);
  useEffect(() => () => clearTimeout(resting.current), []);

  const toEnd = useCallback(() => {
    sticks.current = true;
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
    look();
  }, [look]);
  const toTop = useCallback(() => {
    sticks.current = false;
    if (box.current !== null) box.current.scrollTop = 0;
    look();
  }, [look]);
  const goTo = useCallback((id: PostId) => {
    const post = box.current === null ? null : postIn(box.current, id);
    if (post === null) return false;
    sticks.current = false;
    post.scrollIntoView({ block: "center" });
    post.focus({ preventScroll: true });
    return true;
  }, []);
  return { box, isAtEnd, onScroll: look, toEnd, toTop, goTo };
}

/** A post and how far below the upper edge it stands. */
interface Held {
  readonly id: PostId;
  readonly top: number;
}

function postIn(list: HTMLElement, id: PostId): HTMLElement | null {
  return list.querySelector<HTMLElement>(`[data-post="${id}"]`);
}

function topOf(list: HTMLElement, post: HTMLElement): number {
  return post.getBoundingClientRect().top - list.getBoundingClientRect().top;
}

function topInSight(list: HTMLElement): Held | null {
  const post = postAt(list, (found) => topOf(list, found) + found.offsetHeight > 0);
  return post === null ? null : { id: post.dataset["post"] ?? "", top: topOf(list, post) };
}

function lastInSight(list: HTMLElement): PostId | null {
  const after = postAt(list, (found) => topOf(list, found) + found.offsetHeight > list.clientHeight + SLACK);
  const posts = list.querySelectorAll<HTMLElement>("[data-post]");
  if (after === null) return posts[posts.length - 1]?.dataset["post"] ?? null;
  let before = after.previousElementSibling;
  while (before instanceof HTMLElement && before.dataset["post"] === undefined) before = before.previousElementSibling;
  return before instanceof HTMLElement ? (before.dataset["post"] ?? null) : null;
}

/** The first post for which something holds that holds for all after it. */
function postAt(list: HTMLElement, holds: (post: HTMLElement) => boolean): HTMLElement | null {
  const posts = list.querySelectorAll<HTMLElement>("[data-post]");
  let [from, to] = [0, posts.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const post = posts[middle];
    if (post !== undefined && holds(post)) to = middle;
    else from = middle + 1;
  }
  return posts[from] ?? null;
}

/** Pixels: as good as at the end. */
const NEAR_END = 32;
/** Pixels: before the reader arrives, the next page is there. */
const NEAR_TOP = 600;
/** Pixels by which a post may reach below the edge and still have been read. */
const SLACK = 12;
/** What could not be had is asked for again as one scrolls, but not with every frame. */
const ASK_AGAIN_MS = 1_000;
/** Longer than a glance in passing. */
const REST_MS = 250;
