import { useCallback, useMemo, useSyncExternalStore } from "react";
import type {
  Channel,
  Draft,
  Observable,
  Person,
  Post,
  PostId,
  Receipt,
  Room,
  StreamId,
  Timeline,
  Unread,
} from "../client/index.js";
import { Held, holder } from "./held.js";
import { useObservable } from "./observable.js";
import { useOthers } from "./people.js";
import { useRoom } from "./room.js";

/** A channel as a component shows it. */
export interface Chat {
  /** Whether this device's copy has been read: before, nothing can be said. */
  readonly isOpen: boolean;
  readonly posts: readonly Post[];
  readonly hasOlder: boolean;
  /** Older posts were asked for and cannot be had before the relay is reached. */
  readonly olderOutOfReach: boolean;
  /** How many posts are left to read, and the first of them. */
  readonly unread: number;
  readonly firstUnread: PostId | null;
  readonly drafts: readonly Draft[];
  /** Others who are typing into the channel now. */
  readonly typing: readonly Person[];
  older(): void;
  post(text: string, replyTo?: PostId): Receipt;
  amend(id: PostId, text: string): Receipt;
  retract(id: PostId): Receipt;
  react(id: PostId, emoji: string, on: boolean): Receipt;
  markRead(upTo?: PostId): void;
  discard(key: string): void;
}

/** A channel, by default the room's main one; renders anew with every change to it. */
export function useChat(id?: StreamId): Chat {
  const room = useRoom();
  const stream = id ?? room.mainChannel;
  const held = channels(room, stream);
  const subscribe = useCallback((changed: () => void) => held.subscribe(changed), [held]);
  const get = useCallback(() => held.get(), [held]);
  const channel = useSyncExternalStore(subscribe, get, get);
  const { posts, hasOlder, olderOutOfReach } = useObservable(channel?.timeline ?? NO_POSTS);
  const unread = useObservable(channel?.unread ?? NONE_UNREAD);
  const drafts = useObservable(channel?.drafts ?? NO_DRAFTS);
  const others = useOthers();
  const typing = useMemo(() => others.filter((person) => person.typing === stream), [others, stream]);
  const commands = useMemo(() => commandsOf(channel), [channel]);
  const isOpen = useObservable(channel?.open ?? CLOSED);
  return useMemo(
    () => ({
      isOpen,
      posts,
      hasOlder,
      olderOutOfReach,
      unread: unread.count,
      firstUnread: unread.first,
      drafts,
      typing,
      ...commands,
    }),
    [isOpen, posts, hasOlder, olderOutOfReach, unread, drafts, typing, commands],
  );
}

type Commands = Pick<Chat, "older" | "post" | "amend" | "retract" | "react" | "markRead" | "discard">;

function commandsOf(channel: Channel | null): Commands {
  const open = (): Channel => {
    if (channel === null) throw new Error("useChat: the channel is not open yet");
    return channel;
  };
  return {
    older: () => channel?.older(),
    post: (text, replyTo) => open().post(text, replyTo),
    amend: (id, text) => open().amend(id, text),
    retract: (id) => open().retract(id),
    react: (id, emoji, on) => open().react(id, emoji, on),
    markRead: (upTo) => channel?.markRead(upTo),
    discard: (key) => channel?.discard(key),
  };
}

function still<T>(value: T): Observable<T> {
  return { get: () => value, subscribe: () => () => undefined };
}

const channels = holder((room: Room, id: StreamId) => new Held(() => room.channel(id)));
const CLOSED = still(false);
const NO_POSTS = still<Timeline>({ posts: [], hasOlder: false, olderOutOfReach: false });
const NONE_UNREAD = still<Unread>({ count: 0, first: null });
const NO_DRAFTS = still<readonly Draft[]>([]);
