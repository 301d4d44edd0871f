import type { MouseEvent, ReactElement } from "react";
import type { Reaction } from "@causeway/web";
import { Icon } from "../parts/icon.tsx";
import { reactionWords } from "./words.ts";

export interface ReactionsProps {
  readonly reactions: readonly Reaction[];
  readonly me: string;
  onReact(emoji: string, on: boolean): void;
  onMore(event: MouseEvent): void;
}

/** What people answered without words. A press adds one's own or takes it away. */
export function Reactions({ reactions, me, onReact, onMore }: ReactionsProps): ReactElement | null {
  if (reactions.length === 0) return null;
  return (
    <ul className="reactions" aria-label="Reactions">
      {reactions.map((reaction) => {
        const { emoji, people, mine } = reaction;
        return (
          <li key={emoji}>
            <button
              type="button"
              className="reaction"
              aria-pressed={mine}
              aria-label={`${emoji} ${people.length}`}
              title={reactionWords(reaction, me)}
              onClick={() => onReact(emoji, !mine)}
            >
              <span className="emoji">{emoji}</span> {people.length}
            </button>
          </li>
        );
      })}
      <li>
        <button type="button" className="reaction add" aria-label="Add a reaction" title="Add a reaction" onClick={onMore}>
          <Icon name="react" size={15} />
        </button>
      </li>
    </ul>
  );
}
