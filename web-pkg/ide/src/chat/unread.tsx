import { useEffect, useRef, useState, type ReactElement } from "react";
import { useChat, useObservable, useRoom } from "@causeway/web/react";
import { useHasLasted } from "../shell/lasting.ts";
import { newsWords } from "./words.ts";

/** How many posts wait to be read. What is read as it comes is not counted. */
export function useUnread(): number {
  const { unread } = useChat();
  return useHasLasted(unread > 0, GLANCE_MS) ? unread : 0;
}

/** The number in a small patch, for whatever leads to the chat. */
export function UnreadBadge(): ReactElement | null {
  const unread = useUnread();
  if (unread === 0) return null;
  return (
    <span className="badge" data-testid="unread">
      {unread > MOST ? `${MOST}+` : unread}
      <span className="unseen"> unread</span>
    </span>
  );
}

/** Reads new posts of others aloud, several as a number, so that a lively chat stays bearable. */
export function News(): ReactElement {
  const { posts } = useChat();
  const { documents } = useRoom();
  const isSettled = useHasLasted(useObservable(documents.synced), GLANCE_MS);
  const latest = useRef(posts);
  const told = useRef<ReadonlySet<string>>(NOBODY);
  const [words, setWords] = useState("");
  useEffect(() => {
    latest.current = posts;
  });
  useEffect(() => {
    if (!isSettled) return;
    told.current = new Set(latest.current.map((post) => post.id));
    const timer = setInterval(() => {
      const fresh = latest.current.slice(-MOST).filter((post) => !told.current.has(post.id));
      const news = fresh.filter((post) => !post.mine && !post.deleted);
      if (news.length > 0) setWords(newsWords(news));
      if (fresh.length > 0) told.current = new Set(latest.current.map((post) => post.id));
    }, GATHERING_MS);
    return () => clearInterval(timer);
  }, [isSettled]);
  return (
    <p className="unseen" role="status" aria-live="polite" data-testid="news" data-listens={isSettled}>
      {words}
    </p>
  );
}

/** Longer than it takes to read what comes before one's eyes. */
const GLANCE_MS = 700;
/** Posts within this time are told together. */
const GATHERING_MS = 1_000;
const NOBODY: ReadonlySet<string> = new Set();
/** Nobody counts further. */
const MOST = 99;
