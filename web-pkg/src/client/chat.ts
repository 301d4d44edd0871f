import type { WasmAuthor, WasmPost, WasmReaction } from "../../wasm/causeway.js";

/** Names a post: 64 hex digits, `/` and a number. */
export type PostId = string;

/** A person as shown beside a post. */
export interface Author {
  /** The same for all devices of a person, in all rooms: 64 hex digits. */
  readonly person: string;
  readonly name: string;
  /** `#rrggbb`. */
  readonly colour: string;
}

/** People who reacted to a post with one emoji. */
export interface Reaction {
  readonly emoji: string;
  readonly people: readonly Author[];
  readonly mine: boolean;
}

export interface Post {
  readonly id: PostId;
  readonly author: Author;
  /** Whether this page's person wrote it, here or elsewhere. */
  readonly mine: boolean;
  /** Milliseconds since 1970, by the author's clock. */
  readonly time: number;
  /** Empty if it was removed. */
  readonly text: string;
  readonly edited: boolean;
  readonly deleted: boolean;
  /** The post it answers, which may be unknown here. */
  readonly replyTo: PostId | null;
  readonly reactions: readonly Reaction[];
  readonly unread: boolean;
  /** Where it is, if it was written on this device; what others wrote is at the relay. */
  readonly saved: "no" | "device" | "relay";
}

/** The part of a channel that is shown, oldest post first. */
export interface Timeline {
  readonly posts: readonly Post[];
  readonly hasOlder: boolean;
  /** Older posts were asked for, and are neither on this device nor to be had from the relay now. They come when it is reached. */
  readonly olderOutOfReach: boolean;
}

/** How it changed: anew, or a run of posts replaced by another. */
export type TimelineEvent =
  | ({ readonly type: "reset" } & Timeline)
  | ({
      readonly type: "splice";
      readonly at: number;
      readonly remove: number;
      readonly insert: readonly Post[];
    } & Omit<Timeline, "posts">);

export interface Unread {
  readonly count: number;
  readonly first: PostId | null;
}

/** Something said here that the relay refused. It is kept on this device until it is discarded. */
export interface Draft {
  readonly key: string;
  readonly text: string;
  /** Why, for programs and for people. */
  readonly code: string;
  readonly sentence: string;
}

/** A post as an app sees it. `keepsNothing`: this device forgets everything with the page. */
export function shownPost(post: WasmPost, keepsNothing: boolean): Post {
  return {
    ...post,
    author: shownAuthor(post.author),
    reactions: post.reactions.map(shownReaction),
    saved: keepsNothing && post.saved === "device" ? "no" : post.saved,
  };
}

/** A timeline after an event. */
export function after({ posts }: Timeline, event: TimelineEvent): Timeline {
  const { hasOlder, olderOutOfReach } = event;
  if (event.type === "reset") return { posts: event.posts, hasOlder, olderOutOfReach };
  const head = posts.slice(0, event.at);
  const tail = posts.slice(event.at + event.remove);
  return { posts: [...head, ...event.insert, ...tail], hasOlder, olderOutOfReach };
}

function shownReaction({ emoji, people, mine }: WasmReaction): Reaction {
  return { emoji, people: people.map(shownAuthor), mine };
}

function shownAuthor({ person, name, colour }: WasmAuthor): Author {
  return { person, name, colour: `#${colour.toString(16).padStart(6, "0")}` };
}
