import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactElement, type Ref } from "react";
import type { Post } from "@causeway/web";
import { Icon } from "../parts/icon.tsx";
import { recall, remember } from "../shell/remembered.ts";
import { inShort } from "./markup.ts";
import { complaintAboutText, said } from "./words.ts";

/** What the next text is: new, an answer, or another wording of an own post. */
export type Intent =
  { readonly kind: "new" } | { readonly kind: "reply"; readonly to: Post } | { readonly kind: "amend"; readonly post: Post };

export interface ComposerProps {
  readonly room: string;
  readonly intent: Intent;
  readonly isOpen: boolean;
  /** Whether this device can keep nothing more. */
  readonly isFull: boolean;
  readonly field: Ref<HTMLTextAreaElement>;
  /** Says it; a sentence if it cannot be said. */
  onSay(text: string): string | null;
  onTyping(isTyping: boolean): void;
  /** Leaves reply and amendment. */
  onLeave(): void;
  /** The arrow up in an empty field. */
  onAmendLast(): void;
}

/** Where one writes. What is not sent yet outlives a reload. */
export function Composer(props: ComposerProps): ReactElement {
  const { room, intent, isOpen, isFull, field, onSay, onTyping, onLeave, onAmendLast } = props;
  const [text, setText] = useState(() => recall(`unsent/${room}`, isText) ?? "");
  const [wrong, setWrong] = useState<string | null>(null);
  const aside = useRef("");
  const amended = intent.kind === "amend" ? intent.post : null;
  const box = useRef<HTMLTextAreaElement | null>(null);
  useEffect(() => {
    if (amended === null) return;
    // What was being written waits until the amendment is done.
    setText((text) => {
      aside.current = text;
      return amended.text;
    });
    return () => setText(aside.current);
  }, [amended?.id]);
  useEffect(() => {
    if (amended === null) remember(`unsent/${room}`, text);
  }, [room, amended, text]);
  useLayoutEffect(() => {
    if (box.current === null || CSS.supports("field-sizing", "content")) return;
    box.current.style.height = "auto";
    box.current.style.height = `${box.current.scrollHeight}px`;
  }, [text]);

  const say = () => {
    const words = said(text);
    if (isFull || (words === "" && intent.kind !== "amend")) return;
    const complaint = complaintAboutText(words) ?? onSay(words);
    setWrong(complaint);
    if (complaint === null && intent.kind !== "amend") setText("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While letters are being composed into others, keys belong to the composing.
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) say();
    else if (event.key === "Escape" && intent.kind !== "new") onLeave();
    else if (event.key === "ArrowUp" && text === "" && intent.kind === "new") onAmendLast();
    else return;
    event.preventDefault();
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        say();
      }}
    >
      {intent.kind !== "new" && <IntentLine intent={intent} onLeave={onLeave} />}
      {wrong !== null && (
        <p className="complaint" role="alert">
          {wrong}
        </p>
      )}
      <div className="composer-box">
        <textarea
          ref={(element) => {
            box.current = element;
            if (typeof field === "function") field(element);
            else if (field !== null) field.current = element;
          }}
          rows={1}
          aria-label={intent.kind === "amend" ? "New wording" : "Message"}
          placeholder={isFull ? "This device is full" : isOpen ? "Message everybody here" : "Opening the chat…"}
          disabled={!isOpen}
          readOnly={isFull}
          value={text}
          enterKeyHint="send"
          onChange={(event) => {
            setText(event.target.value);
            setWrong(null);
            onTyping(event.target.value !== "" && intent.kind !== "amend");
          }}
          onBlur={() => onTyping(false)}
          onKeyDown={onKeyDown}
        />
        <button
          type="submit"
          className="send"
          aria-label={intent.kind === "amend" ? "Keep this wording" : "Send"}
          title={intent.kind === "amend" ? "Keep (Enter)" : "Send (Enter); Shift+Enter begins a new line"}
          disabled={!isOpen || isFull || (said(text) === "" && intent.kind !== "amend")}
        >
          <Icon name={intent.kind === "amend" ? "check" : "send"} size={18} />
        </button>
      </div>
    </form>
  );
}

function IntentLine({ intent, onLeave }: { intent: Exclude<Intent, { kind: "new" }>; onLeave(): void }): ReactElement {
  const isReply = intent.kind === "reply";
  return (
    <div className="intent">
      <Icon name={isReply ? "reply" : "rename"} size={14} />
      <span>
        {isReply ? `Reply to ${intent.to.author.name || "Somebody"}: ${inShort(intent.to.text)}` : "Change your message"}
      </span>
      <button type="button" className="icon-button small" aria-label="Leave it" title="Leave it (Escape)" onClick={onLeave}>
        <Icon name="close" size={14} />
      </button>
    </div>
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
