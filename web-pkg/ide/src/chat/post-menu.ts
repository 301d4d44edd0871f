import type { Post } from "@causeway/web";
import type { MenuItem } from "../parts/menu.tsx";

export interface PostCommands {
  react(): void;
  reply(): void;
  copy(): void;
  amend(): void;
  remove(): void;
}

/** What can be done to a post: more to one's own, less to one that was removed. */
export function menuFor(post: Post, { react, reply, copy, amend, remove }: PostCommands): readonly MenuItem[] {
  if (post.deleted) return [{ label: "Reply", icon: "reply", run: reply }];
  const items: MenuItem[] = [
    { label: "React", icon: "react", keys: "E", run: react },
    { label: "Reply", icon: "reply", keys: "R", run: reply },
    { label: "Copy text", icon: "copy", run: copy },
  ];
  if (!post.mine) return items;
  return [
    ...items,
    { label: "Edit", icon: "rename", run: amend },
    { label: "Remove", icon: "remove", isGrave: true, run: remove },
  ];
}
