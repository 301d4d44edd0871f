import { useRef, useState, type KeyboardEvent, type ReactElement } from "react";
import { createPortal } from "react-dom";
import { useGivesFocusBack } from "../parts/focus-back.ts";
import type { MenuPlace } from "../parts/menu.tsx";
import { usePlaced } from "../parts/placed.ts";
import { MORE, emojiIn } from "./emoji.ts";

export interface EmojiPickerProps {
  readonly at: MenuPlace;
  onPick(emoji: string): void;
  onClose(): void;
}

/** A page of emoji, narrowed by name, with a field that takes any other. */
export function EmojiPicker({ at, onPick, onClose }: EmojiPickerProps): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  const [query, setQuery] = useState("");
  const typed = emojiIn(query);
  const shown = typed === null ? MORE.filter(({ name }) => name.includes(query.trim().toLowerCase())) : [];
  const pick = (emoji: string) => {
    onClose();
    onPick(emoji);
  };
  usePlaced(box, at, onClose);
  useGivesFocusBack(box);
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      return onClose();
    }
    const step = STEPS[event.key];
    const buttons = [...(box.current?.querySelectorAll("button") ?? [])];
    const now = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (step === undefined || (now < 0 && event.key !== "ArrowDown")) return;
    event.preventDefault();
    const next = now < 0 ? 0 : now + step;
    if (next < 0) box.current?.querySelector("input")?.focus();
    else buttons[next]?.focus();
  };
  return createPortal(
    <div ref={box} className="emoji-picker" role="dialog" aria-label="React with" onKeyDown={onKeyDown}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const chosen = typed ?? shown[0]?.emoji;
          if (chosen !== undefined) pick(chosen);
        }}
      >
        <input
          className="field"
          aria-label="Find by name, or put in any emoji"
          placeholder="Find, or put in any emoji"
          value={query}
          autoFocus
          autoComplete="off"
          onChange={(event) => setQuery(event.target.value)}
        />
      </form>
      <div className="emoji-grid">
        {(typed === null ? shown : [{ emoji: typed, name: "the one you put in" }]).map(({ emoji, name }) => (
          <button key={emoji} type="button" aria-label={`${emoji} ${name}`} title={name} onClick={() => pick(emoji)}>
            {emoji}
          </button>
        ))}
      </div>
      {typed === null && shown.length === 0 && <p className="quiet">No emoji here is called that.</p>}
    </div>,
    document.body,
  );
}

/** Eight in a row. */
const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 };
