import type { ReactElement } from "react";
import type { Post } from "@causeway/web";
import { Icon } from "../parts/icon.tsx";
import { inShort } from "./markup.ts";

export interface QuoteProps {
  /** What is answered; `null` if it is not among the posts that are here. */
  readonly post: Post | null;
  onGo(): void;
}

/** What a post answers, in a line. */
export function Quote({ post, onGo }: QuoteProps): ReactElement {
  if (post === null) {
    return (
      <p className="quote">
        <Icon name="reply" size={13} /> An earlier message
      </p>
    );
  }
  return (
    <button type="button" className="quote" title="Go to this message" onClick={onGo}>
      <Icon name="reply" size={13} />
      <b style={{ color: `color-mix(in oklab, ${post.author.colour}, var(--ink) 45%)` }}>
        {post.author.name || "Somebody"}
      </b>
      <span>{post.deleted ? "removed" : inShort(post.text)}</span>
    </button>
  );
}
