/** What people answer with most, under each post's face button. */
export const QUICK = ["👍", "❤️", "😂", "🎉", "👀", "✅"] as const;

/** A page of others. Whatever else there is can be typed or pasted. */
export const MORE: readonly { readonly emoji: string; readonly name: string }[] = [
  { emoji: "👍", name: "thumbs up" },
  { emoji: "👎", name: "thumbs down" },
  { emoji: "❤️", name: "heart" },
  { emoji: "🎉", name: "party" },
  { emoji: "😂", name: "tears of joy" },
  { emoji: "😄", name: "grin" },
  { emoji: "🙂", name: "smile" },
  { emoji: "😮", name: "astonished" },
  { emoji: "😢", name: "crying" },
  { emoji: "😕", name: "confused" },
  { emoji: "🤔", name: "thinking" },
  { emoji: "🙏", name: "thanks" },
  { emoji: "👏", name: "applause" },
  { emoji: "🙌", name: "raised hands" },
  { emoji: "💪", name: "strong" },
  { emoji: "🤝", name: "handshake" },
  { emoji: "👀", name: "eyes" },
  { emoji: "👋", name: "wave" },
  { emoji: "✅", name: "check mark" },
  { emoji: "❌", name: "cross" },
  { emoji: "❓", name: "question" },
  { emoji: "❗", name: "exclamation" },
  { emoji: "💡", name: "idea" },
  { emoji: "🔥", name: "fire" },
  { emoji: "🚀", name: "rocket" },
  { emoji: "🐛", name: "bug" },
  { emoji: "🔧", name: "wrench" },
  { emoji: "📝", name: "note" },
  { emoji: "📌", name: "pin" },
  { emoji: "⏳", name: "hourglass" },
  { emoji: "☕", name: "coffee" },
  { emoji: "🌊", name: "wave of water" },
];

/** The first emoji in what was typed or pasted that may be a reaction, or `null`. */
export function emojiIn(text: string): string | null {
  return signs(text).find((sign) => EMOJI.test(sign) && new TextEncoder().encode(sign).length <= EMOJI_BYTES) ?? null;
}

/** Whether a text is a few emoji and nothing else, which may be shown large. */
export function isOnlyEmoji(text: string): boolean {
  if (text.length > 3 * EMOJI_BYTES) return false;
  const all = signs(text).filter((sign) => sign.trim() !== "");
  return all.length > 0 && all.length <= 3 && all.every((sign) => EMOJI.test(sign));
}

/** What a reader takes for one sign each, however many characters it is made of. */
function signs(text: string): readonly string[] {
  return [...SIGNS.segment(text)].map(({ segment }) => segment);
}

const SIGNS = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}/u;
/** The relay refuses longer ones. */
const EMOJI_BYTES = 32;
