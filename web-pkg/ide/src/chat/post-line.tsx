import { memo, type KeyboardEvent, type MouseEvent, type ReactElement } from "react";
import type { Post, PostId } from "@causeway/web";
import { Icon, type IconName } from "../parts/icon.tsx";
import type { MenuPlace } from "../parts/menu.tsx";
import { Avatar } from "../people/avatar.tsx";
import { inFull, timeOfDay } from "./clock.ts";
import { QUICK } from "./emoji.ts";
import { Quote } from "./quote.tsx";
import { Reactions } from "./reactions.tsx";
import { Said } from "./said.tsx";
import { savedWords } from "./words.ts";

/** What can be done to a post. The same object for the life of the timeline, so that lines are drawn once. */
export interface PostDeeds {
  react(id: PostId, emoji: string, on: boolean): void;
  pickEmoji(id: PostId, at: MenuPlace): void;
  openMenu(post: Post, at: MenuPlace): void;
  reply(post: Post): void;
  goTo(id: PostId): void;
}

export interface PostLineProps {
  readonly post: Post;
  /** Whether the author's name stands above it. */
  readonly isFirst: boolean;
  /** The one post that the Tab key reaches. */
  readonly isReached: boolean;
  /** What it answers, if that is here. */
  readonly answered: Post | null;
  readonly me: string;
  readonly deeds: PostDeeds;
}

/** A post with all that belongs to it. Press Enter on it for what can be done. */
export const PostLine = memo(function PostLine(props: PostLineProps): ReactElement {
  const { post, isFirst, isReached, answered, me, deeds } = props;
  const { id, author, time, deleted } = post;
  const name = author.name || "Somebody";
  const onKeyDown = (event: KeyboardEvent) => {
    // A key of the browser, such as the one that reloads, is not for the post.
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const { left, top } = event.currentTarget.getBoundingClientRect();
    if (event.key === "Enter" || event.key === "ContextMenu") deeds.openMenu(post, { x: left + 48, y: top + 24 });
    else if (event.key === "r" && !deleted) deeds.reply(post);
    else if (event.key === "e" && !deleted) deeds.pickEmoji(id, { x: left + 48, y: top + 24 });
    else return;
    event.preventDefault();
  };
  return (
    <li
      className={["post", isFirst ? "first" : "next", post.mine ? "mine" : ""].join(" ")}
      data-post={id}
      data-saved={post.mine ? post.saved : undefined}
      tabIndex={isReached ? 0 : -1}
      onKeyDown={onKeyDown}
      onContextMenu={(event) => {
        // A selected text and a link have menus of their own.
        if (!document.getSelection()?.isCollapsed || (event.target as Element).closest("a") !== null) return;
        event.preventDefault();
        deeds.openMenu(post, { x: event.clientX, y: event.clientY });
      }}
    >
      {isFirst ? (
        <Avatar name={name} colour={parseInt(author.colour.slice(1), 16)} />
      ) : (
        <time className="post-time" dateTime={new Date(time).toISOString()} title={inFull(time)}>
          {timeOfDay(time)}
        </time>
      )}
      <div className="post-body">
        {post.replyTo !== null && !deleted && (
          <Quote post={answered} onGo={() => deeds.goTo(post.replyTo ?? id)} />
        )}
        {isFirst && (
          <p className="post-head">
            <b>{name}</b>
            <time dateTime={new Date(time).toISOString()} title={inFull(time)}>
              {timeOfDay(time)}
            </time>
          </p>
        )}
        {deleted ? <p className="post-removed">This message was removed</p> : <Said text={post.text} />}
        {post.edited && !deleted && <span className="post-mark">edited</span>}
        <Saved post={post} />
        <Reactions
          reactions={deleted ? [] : post.reactions}
          me={me}
          onReact={(emoji, on) => deeds.react(id, emoji, on)}
          onMore={(event) => deeds.pickEmoji(id, below(event))}
        />
      </div>
      {!deleted && <Tools post={post} deeds={deeds} />}
    </li>
  );
});

/** Where one's own post is. What the relay has is marked for the eye only. */
function Saved({ post }: { readonly post: Post }): ReactElement | null {
  if (!post.mine || post.deleted) return null;
  const icon: Readonly<Record<Post["saved"], IconName>> = { no: "clock", device: "device", relay: "check" };
  const words = savedWords(post.saved);
  return (
    <span className={`post-saved ${post.saved}`} title={words}>
      <Icon name={icon[post.saved]} size={13} />
      {post.saved === "relay" ? null : <span className="unseen">{words}</span>}
    </span>
  );
}

/** What a pointer finds over a post; keys have the menu. */
function Tools({ post, deeds }: { readonly post: Post; readonly deeds: PostDeeds }): ReactElement {
  return (
    <div className="post-tools">
      {QUICK.slice(0, 3).map((emoji) => {
        const mine = post.reactions.some((reaction) => reaction.emoji === emoji && reaction.mine);
        return (
          <button
            key={emoji}
            type="button"
            className="quick"
            tabIndex={-1}
            aria-hidden="true"
            title={emoji}
            onClick={() => deeds.react(post.id, emoji, !mine)}
          >
            {emoji}
          </button>
        );
      })}
      <Tool icon="react" words="React" isHidden onPress={(event) => deeds.pickEmoji(post.id, below(event))} />
      <Tool icon="reply" words="Reply" isHidden onPress={() => deeds.reply(post)} />
      <Tool icon="more" words="More about this message" onPress={(event) => deeds.openMenu(post, below(event))} />
    </div>
  );
}

interface ToolProps {
  readonly icon: IconName;
  readonly words: string;
  /** From screen readers, which have the menu: three buttons per post are enough noise for the eye. */
  readonly isHidden?: boolean;
  onPress(event: MouseEvent): void;
}

function Tool({ icon, words, isHidden = false, onPress }: ToolProps): ReactElement {
  return (
    <button
      type="button"
      className={isHidden ? "quick" : undefined}
      tabIndex={-1}
      aria-hidden={isHidden}
      aria-label={words}
      title={words}
      onClick={onPress}
    >
      <Icon name={icon} size={16} />
    </button>
  );
}

function below(event: MouseEvent): MenuPlace {
  const { left, bottom } = event.currentTarget.getBoundingClientRect();
  return { x: left, y: bottom + 4 };
}
