import { useCallback, useMemo, useRef, useState, type ReactElement, type RefObject } from "react";
import { canWrite, type Draft, type Post } from "@causeway/web";
import { useChat, useConnection, useRoom, useStorage, type Chat } from "@causeway/web/react";
import { copy } from "../parts/copied.ts";
import { Icon } from "../parts/icon.tsx";
import { Menu, type MenuPlace } from "../parts/menu.tsx";
import { Question } from "../parts/question.tsx";
import { unseenWords } from "../room/notice-words.ts";
import { attempt } from "../shell/attempt.ts";
import { Composer, type Intent } from "./composer.tsx";
import { Drafts } from "./drafts.tsx";
import { EmojiPicker } from "./emoji-picker.tsx";
import { menuFor } from "./post-menu.ts";
import type { PostDeeds } from "./post-line.tsx";
import { useReading } from "./reading.ts";
import { Timeline } from "./timeline.tsx";
import { useTypingInto } from "./typing.ts";
import { typingWords } from "./words.ts";

export interface ChatPanelProps {
  /** Whether it is in front. */
  readonly isShown: boolean;
  /** The field one writes into, for whoever wants to give it the focus. */
  readonly field: RefObject<HTMLTextAreaElement | null>;
}

/** What people in the room say to each other. */
export function ChatPanel({ isShown, field }: ChatPanelProps): ReactElement {
  const room = useRoom();
  const chat = useChat();
  const isFull = !canWrite(useStorage());
  const reading = useReading(chat, isShown);
  const tellTyping = useTypingInto(room.mainChannel);
  const talk = useTalk(chat, field);
  const { intent, leave } = talk;
  const say = (text: string): string | null => {
    const isAnswer = intent.kind !== "amend";
    const wrong = talk.say(text);
    if (wrong !== null) return wrong;
    tellTyping(false);
    if (isAnswer) reading.forget();
    return null;
  };
  const amendLast = () => {
    const last = chat.posts.findLast((post) => post.mine && !post.deleted);
    if (last !== undefined) talk.amend(last);
  };
  // As a post of its own, whatever one is about to say: what it answered is not known any more.
  const retry = async (draft: Draft) => {
    if (await attempt(() => chat.post(draft.text))) await attempt(() => chat.discard(draft.key));
  };
  return (
    <section className="chat" aria-label="Chat" data-unread={chat.unread}>
      {chat.isOpen && chat.posts.length === 0 ? (
        <NothingSaid />
      ) : (
        <Timeline
          posts={chat.posts}
          hasOlder={chat.hasOlder}
          olderOutOfReach={chat.olderOutOfReach}
          firstNew={reading.firstNew}
          isNewAbove={reading.isNewAbove}
          arrival={reading.arrival}
          unread={chat.unread}
          me={room.presence.person}
          isLaidOut={isShown}
          sent={talk.sent}
          deeds={talk.deeds}
          older={chat.older}
          onSeen={reading.seen}
          onAllRead={reading.forget}
        />
      )}
      <Drafts drafts={chat.drafts} onRetry={(draft) => void retry(draft)} onDiscard={(key) => void attempt(() => chat.discard(key))} />
      <p className="typing" aria-live="off" data-testid="typing">
        {typingWords(chat.typing.map((person) => person.name || "Somebody"))}
      </p>
      <Composer
        room={room.name}
        intent={intent}
        isOpen={chat.isOpen}
        isFull={isFull}
        field={field}
        onSay={say}
        onTyping={tellTyping}
        onLeave={leave}
        onAmendLast={amendLast}
      />
      {talk.over}
    </section>
  );
}

/** Whether there is nothing, only the relay can tell. */
function NothingSaid(): ReactElement {
  const isOnline = useConnection().state === "online";
  return (
    <div key={String(isOnline)} className={isOnline ? "empty chat-empty" : "empty chat-empty appears-late"}>
      <Icon name="chat" size={36} />
      <p>{isOnline ? "Nobody has said anything here yet. What is said stays with the room." : unseenWords("messages")}</p>
    </div>
  );
}

type Over =
  | { readonly what: "menu"; readonly post: Post; readonly at: MenuPlace }
  | { readonly what: "emoji"; readonly id: string; readonly at: MenuPlace }
  | { readonly what: "removal"; readonly id: string };

/** What one is about to say or do, and what lies over the panel meanwhile. */
function useTalk({ post, amend, retract, react }: Chat, field: RefObject<HTMLTextAreaElement | null>) {
  const [intent, setIntent] = useState<Intent>({ kind: "new" });
  const [over, setOver] = useState<Over | null>(null);
  const [sent, setSent] = useState(0);
  const latest = useRef({ react });
  latest.current = { react };
  const leave = useCallback(() => setIntent({ kind: "new" }), []);
  const close = useCallback(() => setOver(null), []);
  const toField = useCallback((intent: Intent) => {
    setIntent(intent);
    field.current?.focus();
  }, [field]);
  const deeds = useMemo<Omit<PostDeeds, "goTo">>(
    () => ({
      react: (id, emoji, on) => void attempt(() => latest.current.react(id, emoji, on)),
      pickEmoji: (id, at) => setOver({ what: "emoji", id, at }),
      openMenu: (post, at) => setOver({ what: "menu", post, at }),
      reply: (post) => toField({ kind: "reply", to: post }),
    }),
    [toField],
  );
  const startAmending = (post: Post) => toField({ kind: "amend", post });
  const say = (text: string): string | null => {
    if (intent.kind === "amend" && text === "") {
      setOver({ what: "removal", id: intent.post.id });
      return null;
    }
    try {
      if (intent.kind === "amend") amend(intent.post.id, text);
      else post(text, intent.kind === "reply" ? intent.to.id : undefined);
    } catch (refused) {
      return refused instanceof Error ? refused.message : String(refused);
    }
    if (intent.kind !== "amend") setSent((sent) => sent + 1);
    leave();
    return null;
  };
  return { intent, leave, deeds, amend: startAmending, say, sent, over: over === null ? null : overlay(over) };

  function overlay(over: Over): ReactElement {
    if (over.what === "emoji") {
      return <EmojiPicker at={over.at} onPick={(emoji) => deeds.react(over.id, emoji, true)} onClose={close} />;
    }
    if (over.what === "removal") {
      // What one is saying about another message stays.
      const isAmended = intent.kind === "amend" && intent.post.id === over.id;
      const remove = () => void attempt(() => retract(over.id)).then((done) => done && isAmended && leave());
      return (
        <Question title="Remove this message?" yes="Remove" onYes={remove} onClose={close}>
          Its words will be gone for everybody, and cannot be brought back.
        </Question>
      );
    }
    const items = menuFor(over.post, {
      react: () => deeds.pickEmoji(over.post.id, over.at),
      reply: () => deeds.reply(over.post),
      copy: () => void attempt(() => copy(over.post.text)),
      amend: () => startAmending(over.post),
      remove: () => setOver({ what: "removal", id: over.post.id }),
    });
    return <Menu label="Message" at={over.at} items={items} onClose={close} />;
  }
}
