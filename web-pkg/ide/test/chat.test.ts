import { expect, test } from "vitest";
import type { Post } from "@causeway/web";
import { emojiIn, isOnlyEmoji } from "../src/chat/emoji.ts";
import { linesOf } from "../src/chat/lines.ts";
import { inShort, pieces } from "../src/chat/markup.ts";
import { NOBODY_CAME, after } from "../src/chat/reading.ts";
import { complaintAboutText, newAboveWords, newsWords, reactionWords, said, savedWords, typingWords } from "../src/chat/words.ts";

const NOON = new Date(2026, 10, 21, 12).getTime();
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ADA = { person: "a", name: "Ada", colour: "#3f7a30" };
const NOOR = { person: "b", name: "Noor", colour: "#c24a29" };

function post(id: string, change: Partial<Post> = {}): Post {
  return {
    ...{ id, author: ADA, mine: false, time: NOON, text: id, edited: false, deleted: false, replyTo: null },
    ...{ reactions: [], unread: false, saved: "relay" },
    ...change,
  };
}

test("links and code are found, and everything else is words", () => {
  expect(pieces("see https://a.example/x_(y), then `b`.")).toEqual([
    { kind: "words", text: "see " },
    { kind: "link", text: "https://a.example/x_(y)", to: "https://a.example/x_(y)" },
    { kind: "words", text: ", then " },
    { kind: "code", text: "b" },
    { kind: "words", text: "." },
  ]);
  expect(pieces("(https://a.example)")).toEqual([
    { kind: "words", text: "(" },
    { kind: "link", text: "https://a.example", to: "https://a.example/" },
    { kind: "words", text: ")" },
  ]);
  expect(pieces("a\n```py\nx = 1\n```\nb")).toEqual([
    { kind: "words", text: "a\n" },
    { kind: "block", text: "x = 1" },
    { kind: "words", text: "b" },
  ]);
  for (const words of ["javascript:alert(1)", "data:text/html,x", "https://", "``", "<b>x</b>", "``` ```", "a ` b"]) {
    expect(pieces(words).map(({ text }) => text).join(""), words).toBe(words);
    expect(pieces(words).every(({ kind }) => kind === "words"), words).toBe(true);
  }
});

test("no letter is lost or made up, whatever is said", () => {
  for (const text of ["`a` `b", "x`", "https://a.example https://b.example", "```\na\n``` ```", "\n\n", "😀 `😀`"]) {
    const shown = pieces(text).map(({ text }) => text).join("");
    expect(shown.replaceAll(/[`\n]/g, ""), text).toBe(text.replaceAll(/[`\n]/g, ""));
  }
});

test("a quote is one short line", () => {
  expect(inShort("  first `line`\nsecond")).toBe("first line");
  expect(inShort("x".repeat(500))).toHaveLength(120);
});

test("posts of one person within a breath stand under one name, and not across days, news or answers", () => {
  const posts = [
    post("1"),
    post("2", { time: NOON + MINUTE }),
    post("3", { time: NOON + 2 * MINUTE, author: NOOR }),
    post("4", { time: NOON + 20 * MINUTE, author: NOOR }),
    post("5", { time: NOON + 21 * MINUTE, author: NOOR, replyTo: "1" }),
    post("6", { time: NOON + 22 * MINUTE, author: NOOR }),
    post("7", { time: NOON + DAY, author: NOOR }),
  ];
  expect(linesOf(posts, "6", NOON + DAY).map(drawn)).toEqual(["day", "1!", "2", "3!", "4!", "5!", "new", "6!", "day", "7!"]);
});

test("a clock that is years off draws no day that has not come, and none twice", () => {
  const posts = [post("1"), post("2", { time: NOON + 400 * DAY, author: NOOR }), post("3", { time: NOON + MINUTE })];
  expect(linesOf(posts, null, NOON).map(drawn)).toEqual(["day", "1!", "2!", "3!"]);
  const late = [post("1"), post("2", { time: NOON - 400 * DAY, author: NOOR }), post("3", { time: NOON + MINUTE })];
  expect(linesOf(late, null, NOON).map(drawn)).toEqual(["day", "1!", "2!", "3!"]);
});

test("the line above what is new follows while nobody looks and stands still while somebody does", () => {
  const away = after(NOBODY_CAME, false, "5", false);
  expect(away).toEqual({ ...NOBODY_CAME, firstNew: "5" });
  const come = after(away, true, "5", false);
  expect(come).toEqual({ ...NOBODY_CAME, firstNew: "5", arrival: 1, isLooked: true });
  expect(after(come, true, null, false)).toBe(come);
  expect(after(come, true, "9", false)).toBe(come);
  expect(after(come, false, null, false)).toEqual({ ...NOBODY_CAME, arrival: 1 });
});

test("where what is new begins further up than what is shown, the line waits for it and then stands still", () => {
  const come = after(NOBODY_CAME, true, null, true);
  expect(come).toEqual({ firstNew: null, isNewAbove: true, arrival: 1, isLooked: true });
  expect(after(come, true, null, true)).toBe(come);
  const there = after(come, true, "2", false);
  expect(there).toEqual({ firstNew: "2", isNewAbove: false, arrival: 1, isLooked: true });
  expect(after(there, true, "9", false)).toBe(there);
  expect(after(come, true, null, false).firstNew).toBeNull();
  expect(newAboveWords(12)).toBe("12 new further up");
});

test("any emoji is a reaction, and letters are none", () => {
  expect(emojiIn("so 👩‍👩‍👧‍👦 nice")).toBe("👩‍👩‍👧‍👦");
  expect(emojiIn("👍🏽")).toBe("👍🏽");
  expect(emojiIn("🇫🇮")).toBe("🇫🇮");
  expect(emojiIn("abc 123 #")).toBeNull();
  expect(isOnlyEmoji("😀 😀")).toBe(true);
  for (const text of ["", "😀!", "😀😀😀😀", "1"]) expect(isOnlyEmoji(text), text).toBe(false);
});

test("what is said about posts is true and short", () => {
  expect([savedWords("no"), savedWords("device"), savedWords("relay")].every((words) => !/saved/i.test(words))).toBe(false);
  expect(savedWords("device")).not.toMatch(/saved/i);
  expect(savedWords("no")).not.toMatch(/saved|on this device/i);
  expect(reactionWords({ emoji: "👍", people: [ADA, NOOR], mine: true }, "a")).toBe("You and Noor: 👍");
  expect(typingWords(["Ada", "Noor"])).toBe("Ada and Noor are writing…");
  expect(typingWords([])).toBe("");
  expect(newsWords([post("hello `there`")])).toBe("Ada: hello there");
  expect(newsWords([post("a"), post("b")])).toBe("2 new messages");
  expect(said("\n  a\n \n")).toBe("  a");
  expect(complaintAboutText("ü".repeat(8 * 1024))).toBeNull();
  expect(complaintAboutText("ü".repeat(8 * 1024 + 1))).toBe("This is 1 character too long for one message.");
  expect(complaintAboutText("я".repeat(8 * 1024 + 30))).toBe("This is 30 characters too long for one message.");
});

function drawn(line: ReturnType<typeof linesOf>[number]): string {
  return line.kind === "post" ? `${line.post.id}${line.isFirst ? "!" : ""}` : line.kind;
}
