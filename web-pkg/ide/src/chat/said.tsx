import { memo, type ReactElement } from "react";
import { isOnlyEmoji } from "./emoji.ts";
import { pieces } from "./markup.ts";

/** What somebody said: words as they are, links to follow, code as code. */
export const Said = memo(function Said({ text }: { readonly text: string }): ReactElement {
  return (
    <div className={isOnlyEmoji(text) ? "said large" : "said"}>
      {pieces(text).map((piece, place) => {
        switch (piece.kind) {
          case "words":
            return <span key={place}>{piece.text}</span>;
          case "link":
            return (
              <a key={place} href={piece.to} target="_blank" rel="noreferrer noopener nofollow">
                {piece.text}
              </a>
            );
          case "code":
            return <code key={place}>{piece.text}</code>;
          case "block":
            return (
              <pre key={place} tabIndex={0} role="region" aria-label="Code">
                <code>{piece.text}</code>
              </pre>
            );
        }
      })}
    </div>
  );
});
