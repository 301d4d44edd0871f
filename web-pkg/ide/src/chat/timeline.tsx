import { memo, useEffect, useMemo, type KeyboardEvent, type ReactElement } from "react";
import type { Post, PostId } from "@causeway/web";
import { Icon } from "../parts/icon.tsx";
import { dayWords } from "./clock.ts";
import { linesOf } from "./lines.ts";
import { PostLine, type PostDeeds } from "./post-line.tsx";
import { useTimelineScroll } from "./scroll.ts";
import { newAboveWords } from "./words.ts";

export interface TimelineProps {
  readonly posts: readonly Post[];
  readonly hasOlder: boolean;
  readonly olderOutOfReach: boolean;
  /** Where "new" begins; it stays while it is read. */
  readonly firstNew: PostId | null;
  /** "New" begins further up than the posts that are shown. */
  readonly isNewAbove: boolean;
  /** Changes when somebody comes to read. */
  readonly arrival: number;
  readonly unread: number;
  readonly me: string;
  readonly isLaidOut: boolean;
  /** Rises with each own post, which is shown wherever one has scrolled to. */
  readonly sent: number;
  readonly deeds: Omit<PostDeeds, "goTo">;
  older(): void;
  onSeen(id: PostId): void;
  /** All that is new counts as read. */
  onAllRead(): void;
}

/** What has been said, oldest first. Arrow keys walk from post to post. */
export const Timeline = memo(function Timeline(props: TimelineProps): ReactElement {
  const { posts, hasOlder, olderOutOfReach, firstNew, isNewAbove, arrival, unread, me, isLaidOut, sent } = props;
  const { deeds, older, onSeen, onAllRead } = props;
  const lines = useMemo(() => linesOf(posts, firstNew, Date.now()), [posts, firstNew]);
  const known = useMemo(() => new Map(posts.map((post) => [post.id, post])), [posts]);
  const scroll = useTimelineScroll({ shown: lines, hasOlder, firstNew, arrival, hasBar: isNewAbove, isLaidOut, older, onSeen });
  const { goTo, toEnd, toTop } = scroll;
  const all = useMemo<PostDeeds>(() => ({ ...deeds, goTo }), [deeds, goTo]);
  const newest = posts.at(-1)?.id;
  useEffect(() => {
    if (sent > 0) toEnd();
  }, [sent, toEnd]);
  return (
    <div className="timeline-frame">
      {isNewAbove && (
        <div className="new-above" data-testid="new-above">
          <button type="button" onClick={toTop}>
            <Icon name="up" size={15} />
            {newAboveWords(unread)}
          </button>
          <button type="button" onClick={onAllRead}>
            Mark as read
          </button>
        </div>
      )}
      <div ref={scroll.box} className="timeline" onScroll={scroll.onScroll} onKeyDown={walk}>
        <ol className="posts" aria-label="Messages">
          {olderOutOfReach && (
            <li className="beginning" data-testid="older-out-of-reach">
              Older messages are not on this device. They come when the relay can be reached.
            </li>
          )}
          {!hasOlder && posts.length > 0 && <li className="beginning">This is the beginning of the chat.</li>}
          {lines.map((line) => {
            switch (line.kind) {
              case "day":
                return (
                  <li key={line.key} className="day">
                    <span>{dayWords(line.time, Date.now())}</span>
                  </li>
                );
              case "new":
                return (
                  <li key={line.key} className="new-line" data-testid="new-messages">
                    <span>New messages</span>
                  </li>
                );
              case "post": {
                const { post, isFirst } = line;
                return (
                  <PostLine
                    key={line.key}
                    post={post}
                    isFirst={isFirst}
                    isReached={post.id === newest}
                    answered={post.replyTo === null ? null : (known.get(post.replyTo) ?? null)}
                    me={me}
                    deeds={all}
                  />
                );
              }
            }
          })}
        </ol>
      </div>
      {!scroll.isAtEnd && (
        <button type="button" className="to-newest" onClick={toEnd}>
          <Icon name="down" size={15} />
          {unread > 0 ? `${unread} new` : "Newest"}
        </button>
      )}
    </div>
  );
});

function walk(event: KeyboardEvent): void {
  const here = (event.target as Element).closest<HTMLElement>("[data-post]");
  if (here === null || here !== event.target) return;
  const posts = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-post]")];
  const at = posts.indexOf(here);
  const next = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: posts.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  posts[next]?.focus();
}
