import type { ReactElement } from "react";
import type { Draft } from "@causeway/web";
import { copy } from "../parts/copied.ts";
import { Icon } from "../parts/icon.tsx";
import { attempt } from "../shell/attempt.ts";

export interface DraftsProps {
  readonly drafts: readonly Draft[];
  onRetry(draft: Draft): void;
  onDiscard(key: string): void;
}

/** What the relay would not take. It is kept here until somebody says what is to become of it. */
export function Drafts({ drafts, onRetry, onDiscard }: DraftsProps): ReactElement | null {
  if (drafts.length === 0) return null;
  return (
    <ul className="drafts" aria-label="Messages that were not taken">
      {drafts.map((draft) => (
        <li key={draft.key}>
          <p>
            <Icon name="alert" size={14} /> Not taken: {draft.sentence}
          </p>
          <blockquote>{draft.text}</blockquote>
          <div className="row">
            <button type="button" className="button" onClick={() => onRetry(draft)}>
              Try again
            </button>
            <button type="button" className="button" onClick={() => void attempt(() => copy(draft.text))}>
              Copy
            </button>
            <button type="button" className="button" onClick={() => onDiscard(draft.key)}>
              Discard
            </button>
          </div>
        </li>
      ))}
    </ul>
  );
}
