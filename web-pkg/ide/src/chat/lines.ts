import type { Post, PostId } from "@causeway/web";

/** What stands under each other in the timeline. */
export type Line =
  | { readonly kind: "day"; readonly key: string; readonly time: number }
  | { readonly kind: "new"; readonly key: string }
  /** `isFirst`: the author's name stands above it. */
  | { readonly kind: "post"; readonly key: PostId; readonly post: Post; readonly isFirst: boolean };

/**
 * Posts with a line for each new day and one above the first unread post. Posts of one person that follow each other
 * closely stand under one name. `now` keeps a clock that is days ahead from drawing a day that has not come.
 */
export function linesOf(posts: readonly Post[], firstNew: PostId | null, now: number): readonly Line[] {
  const lines: Line[] = [];
  let day = "";
  let latest = -Infinity;
  let before: Post | null = null;
  for (const post of posts) {
    const today = dayOf(post.time);
    const isNewDay = post.time > latest && today !== day && post.time < now + DAY_MS;
    if (isNewDay) {
      lines.push({ kind: "day", key: `day ${today}`, time: post.time });
      day = today;
      latest = post.time;
    }
    const isNew = post.id === firstNew;
    if (isNew) lines.push({ kind: "new", key: "new" });
    const follows = before !== null && !isNewDay && !isNew && isOneBreath(before, post);
    lines.push({ kind: "post", key: post.id, post, isFirst: !follows });
    before = post;
  }
  return lines;
}

function isOneBreath(before: Post, post: Post): boolean {
  const apart = post.time - before.time;
  return before.author.person === post.author.person && post.replyTo === null && apart >= 0 && apart < BREATH_MS;
}

function dayOf(time: number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Who is silent for longer is named anew. */
const BREATH_MS = 5 * 60 * 1000;
