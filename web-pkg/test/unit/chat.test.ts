import { expect, test, vi } from "vitest";
import { type Post, type RoomFile, type TimelineEvent, filesOf, foldersOf } from "../../src/client/index.js";
import { Profile, loadEngine } from "./joined.js";

test("what is said stands there at once, is kept on this device, and is there after a reload", async () => {
  await loadEngine();
  const profile = new Profile();
  const first = profile.open("chat");
  const channel = first.room.channel();
  expect(channel.id).toBe(first.room.mainChannel);
  expect(() => channel.post("too early")).toThrow(expect.objectContaining({ code: "not-open" }));
  await channel.ready;
  first.room.presence.set({ name: "Ada", colour: 0x336699 });
  const receipt = channel.post("ahoy 🌊");
  await vi.waitFor(() => expect(channel.timeline.get().posts).toHaveLength(1));
  const post = only(channel.timeline.get().posts);
  expect(post).toMatchObject({ text: "ahoy 🌊", mine: true, edited: false, deleted: false, unread: false, replyTo: null });
  expect(post.author).toEqual({ person: first.room.presence.person, name: "Ada", colour: "#336699" });
  expect(post.id).toMatch(/^[0-9a-f]{64}\/\d+$/);
  await receipt.reached("device");
  await vi.waitFor(() => expect(only(channel.timeline.get().posts).saved).toBe("device"));
  first.die();

  const second = profile.open("chat");
  const again = second.room.channel();
  await again.ready;
  expect(only(again.timeline.get().posts)).toMatchObject({ id: post.id, text: "ahoy 🌊", mine: true });
  expect(again.unread.get()).toEqual({ count: 0, first: null });
  second.die();
});

test("a post is changed, reacted to, answered and removed, and a follower's copy stays the same as the timeline", async () => {
  await loadEngine();
  const page = new Profile().open("chat");
  const channel = page.room.channel();
  await channel.ready;
  let copy: Post[] = [];
  const told: TimelineEvent["type"][] = [];
  channel.follow((event) => {
    told.push(event.type);
    if (event.type === "reset") copy = [...event.posts];
    else copy.splice(event.at, event.remove, ...event.insert);
  });
  channel.post("one");
  channel.post("two");
  await vi.waitFor(() => expect(copy).toHaveLength(2));
  const [one, two] = copy.map(({ id }) => id) as [string, string];
  channel.amend(one, "one and a half");
  channel.react(two, "👍", true);
  channel.post("three", one);
  await vi.waitFor(() => expect(copy).toHaveLength(3));
  expect(copy.map(({ text, edited }) => [text, edited])).toEqual([["one and a half", true], ["two", false], ["three", false]]);
  expect(copy[1]?.reactions).toEqual([{ emoji: "👍", people: [copy[0]?.author], mine: true }]);
  expect(copy[2]?.replyTo).toBe(one);
  channel.react(two, "👍", false);
  channel.retract(one);
  await vi.waitFor(() => expect(copy[0]?.deleted).toBe(true));
  expect(copy[0]?.text).toBe("");
  expect(copy[1]?.reactions).toEqual([]);
  expect(copy).toEqual(channel.timeline.get().posts);
  expect(told[0]).toBe("reset");
  expect(told.slice(1).every((type) => type === "splice")).toBe(true);
  expect(() => channel.amend(one.replace(/^./, "x"), "?")).toThrow(expect.objectContaining({ code: "post-name" }));
  expect(() => channel.amend(`${one.split("/")[0]}/999`, "?")).toThrow(expect.objectContaining({ code: "no-post" }));
  expect(() => channel.post("")).toThrow(expect.objectContaining({ code: "post" }));
  expect(() => channel.post("x".repeat(16 * 1024 + 1))).toThrow(expect.objectContaining({ code: "post" }));
  page.die();
});

test("a channel that is released and held again begins anew with its newest page", async () => {
  await loadEngine();
  const page = new Profile().open("chat");
  const channel = page.room.channel();
  await channel.ready;
  for (let n = 0; n < 130; n += 1) channel.post(`post ${n}`);
  await vi.waitFor(() => expect(channel.timeline.get().posts.at(-1)?.text).toBe("post 129"));
  channel.release();
  const again = page.room.channel();
  expect(again).not.toBe(channel);
  await again.ready;
  expect(again.timeline.get().posts).toHaveLength(100);
  expect(again.timeline.get().hasOlder).toBe(true);
  again.older();
  await vi.waitFor(() => expect(again.timeline.get()).toMatchObject({ hasOlder: false }));
  expect(again.timeline.get().posts.map(({ text }) => text)).toEqual(Array.from({ length: 130 }, (_, n) => `post ${n}`));
  page.die();
});

test("files with one path at once both stay, and folders are the beginnings of paths", () => {
  const list = (...paths: string[]) => paths.map((path, n) => ({ id: `ydoc:${n}` as const, path }));
  const paths = (files: readonly RoomFile[]) => files.map(({ path }) => path);
  const files = filesOf(list("a/main.py", "a/main.py", "a/main (2).py", "b/c/notes", "b/c/notes", "readme"));
  expect(paths(files)).toEqual(["a/main.py", "a/main (3).py", "a/main (2).py", "b/c/notes", "b/c/notes (2)", "readme"]);
  expect(files[1]).toMatchObject({ id: "ydoc:1", name: "main (3).py" });
  expect(foldersOf(files)).toEqual(["a", "b", "b/c"]);
});

test("a list of one path many times over does not keep the page busy", () => {
  const list = Array.from({ length: 10_000 }, (_, n) => ({ id: `ydoc:${n}` as const, path: "main.py" }));
  let looks = 0;
  const has = Set.prototype.has;
  Set.prototype.has = function (this: Set<unknown>, value: unknown): boolean {
    looks += 1;
    return has.call(this, value);
  };
  try {
    expect(filesOf(list).at(-1)?.path).toBe("main (10000).py");
  } finally {
    Set.prototype.has = has;
  }
  expect(looks).toBeLessThan(100_000);
});

function only<T>(items: readonly T[]): T {
  expect(items).toHaveLength(1);
  return items[0] as T;
}
