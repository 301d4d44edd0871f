import type { Post, Reaction } from "@causeway/web";
import { listed } from "../people/coming-words.ts";
import { inShort } from "./markup.ts";

/** Where one's own post is, in words. */
export function savedWords(saved: Post["saved"]): string {
  switch (saved) {
    case "no":
      return "Not kept anywhere yet";
    case "device":
      return "On this device; waits for the relay";
    case "relay":
      return "Saved on the relay’s disk";
  }
}

/** Who reacted, in a sentence for a hint. */
export function reactionWords({ emoji, people, mine }: Reaction, me: string): string {
  const others = people.filter((author) => author.person !== me).map((author) => author.name || "Somebody");
  return `${listed(mine ? ["You", ...others] : others)}: ${emoji}`;
}

/** Who is typing, in a sentence; empty if nobody. */
export function typingWords(names: readonly string[]): string {
  if (names.length === 0) return "";
  return `${listed(names)} ${names.length === 1 ? "is" : "are"} writing…`;
}

/** New posts as they are read aloud. */
export function newsWords(posts: readonly Post[]): string {
  const [first] = posts;
  if (first === undefined) return "";
  if (posts.length > 1) return `${posts.length} new messages`;
  return `${first.author.name || "Somebody"}: ${inShort(first.text)}`;
}

/** New posts that begin above all that is shown. */
export function newAboveWords(count: number): string {
  return `${count} new further up`;
}

/** What is wrong with a text that is to be said, as a sentence, or `null`. An empty one is just not sent. */
export function complaintAboutText(text: string): string | null {
  const bytes = (part: string): number => new TextEncoder().encode(part).length;
  let over = bytes(text) - TEXT_BYTES;
  if (over <= 0) return null;
  let count = 0;
  for (const character of [...text].reverse()) {
    if (over <= 0) break;
    over -= bytes(character);
    count += 1;
  }
  return `This is ${count} ${count === 1 ? "character" : "characters"} too long for one message.`;
}

/** A text as it is said: without empty lines around it. */
export function said(text: string): string {
  return text.replace(/^\s*\n|\s+$/g, "");
}

/** The relay refuses longer ones. */
const TEXT_BYTES = 16 * 1024;
