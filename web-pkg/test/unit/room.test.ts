import { expect, test, vi } from "vitest";
import { EngineError, type TextEvent, connect } from "../../src/client/index.js";
import { Profile, loadEngine } from "./joined.js";

test("connect says that the engine is not loaded", () => {
  expect(() => connect({ room: "r" })).toThrow(EngineError);
});

test("what was written survives the death of the page once the receipt says so", async () => {
  await loadEngine();
  const profile = new Profile();
  const first = profile.open("reload");
  const text = first.room.text(first.room.documents.firstDocument());
  await text.ready;
  await text.editor().applyDelta([{ insert: "kept 🌊" }]).reached("device");
  expect(text.status.get()).toMatchObject({ device: "saved", relay: "saving", unsaved: 1 });
  first.die();

  const second = profile.open("reload");
  const again = second.room.text(second.room.documents.firstDocument());
  await again.ready;
  expect(again.toString()).toBe("kept 🌊");
  expect(again.length).toBe("kept 🌊".length);
  second.die();
});

test("closing a room writes what was gathered for the disk", async () => {
  await loadEngine();
  const profile = new Profile();
  const first = profile.open("close");
  const text = first.room.text(first.room.documents.firstDocument());
  await text.ready;
  text.editor().applyDelta([{ insert: "the last words" }]);
  first.room.close();

  const second = profile.open("close");
  const again = second.room.text(second.room.documents.firstDocument());
  await again.ready;
  expect(again.toString()).toBe("the last words");
  second.die();
});

test("an editor is told of others' changes and not of its own, and a late reader begins with a reset", async () => {
  await loadEngine();
  const page = new Profile().open("events");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  const [ada, ben] = [text.editor(), text.editor()];
  const told: TextEvent[] = [];
  text.subscribe((event) => told.push(event));
  ada.applyDelta([{ insert: "ab" }]);
  ben.applyDelta([{ retain: 1 }, { insert: "-" }]);
  const late: TextEvent[] = [];
  text.subscribe((event) => late.push(event));
  expect(told).toHaveLength(1);
  await Promise.resolve();
  expect(told).toEqual([
    { type: "reset", text: "" },
    { type: "delta", delta: [{ insert: "ab" }], editor: ada.id },
    { type: "delta", delta: [{ retain: 1 }, { insert: "-" }], editor: ben.id },
  ]);
  expect(late).toEqual([{ type: "reset", text: "a-b" }]);
  page.die();
});

test("undo takes back one's own step, is told without an editor, and ends at the first", async () => {
  await loadEngine();
  const page = new Profile().open("undo");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  const [ada, ben] = [text.editor(), text.editor()];
  const changed = vi.fn();
  ada.subscribe(changed);
  ada.applyDelta([{ insert: "alpha " }]);
  ben.applyDelta([{ retain: 6 }, { insert: "beta" }]);
  expect(ada.canUndo).toBe(true);
  const told: TextEvent[] = [];
  await Promise.resolve();
  text.subscribe((event) => told.push(event));
  expect(ada.undo()).toBe(true);
  expect(text.toString()).toBe("beta");
  expect(ada.undo()).toBe(false);
  expect(ada.canRedo).toBe(true);
  expect(ada.redo()).toBe(true);
  expect(text.toString()).toBe("alpha beta");
  await Promise.resolve();
  expect(told[1]).toEqual({ type: "delta", delta: [{ delete: 6 }] });
  expect(changed).toHaveBeenCalled();
  page.die();
});

test("a delta that reaches behind the end is refused whole", async () => {
  await loadEngine();
  const page = new Profile().open("bounds");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  const editor = text.editor();
  expect(() => editor.applyDelta([{ insert: "x" }, { retain: 1 }])).toThrow(/behind the end/);
  expect(() => editor.applyDelta([{ retain: -1 }])).toThrow(/a step is/);
  expect(() => editor.applyDelta([{ retain: 0.5 }])).toThrow(/a step is/);
  expect(text.toString()).toBe("");
  page.die();
});

test("a long paste goes in whole and can be taken back", async () => {
  await loadEngine();
  const page = new Profile().open("paste");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  const editor = text.editor();
  const long = "🌊 every tide brings a line\n".repeat(12_000);
  await editor.applyDelta([{ insert: long }]).reached("device");
  expect(text.toString()).toBe(long);
  while (editor.undo());
  expect(text.length).toBe(0);
  page.die();
});

test("documents are listed, moved and taken off, also before the disk has been read", async () => {
  await loadEngine();
  const page = new Profile().open("files");
  const { documents } = page.room;
  const id = await documents.create("src/main.py");
  expect(documents.list()).toEqual([{ id, path: "src/main.py" }]);
  const before = documents.list();
  expect(documents.list()).toBe(before);
  await documents.rename(id, "src/app.py");
  await vi.waitFor(() => expect(documents.list()).toEqual([{ id, path: "src/app.py" }]));
  await expect(documents.rename(id, "../out")).rejects.toMatchObject({ code: "path" });
  await documents.remove(id);
  await vi.waitFor(() => expect(documents.list()).toEqual([]));
  page.die();
});

test("a place stays at its character", async () => {
  await loadEngine();
  const page = new Profile().open("anchors");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  const editor = text.editor();
  editor.applyDelta([{ insert: "0123456789abc" }]);
  const anchor = text.anchor(10, "after");
  editor.applyDelta([{ insert: "xyz" }]);
  expect(text.resolve(anchor)).toBe(13);
  expect(text.resolve(structuredClone(anchor))).toBe(13);
  expect(() => text.anchor(99, "before")).toThrow();
  page.die();
});

test("a second tab of the same room follows the first, and leads when the first has left", async () => {
  await loadEngine();
  const profile = new Profile();
  const first = profile.open("tabs");
  await vi.waitFor(() => expect(first.room.isLeading).toBe(true));
  const second = profile.open("tabs");
  const [here, there] = [first, second].map(({ room }) => room.text(room.documents.firstDocument()));
  await Promise.all([here?.ready, there?.ready]);
  expect(second.room.isLeading).toBe(false);
  expect(second.room.storage.get()).toEqual({ state: "working", backend: "indexeddb" });
  await there?.editor().applyDelta([{ insert: "from the second" }]).reached("device");
  await vi.waitFor(() => expect(here?.toString()).toBe("from the second"));
  first.room.close();
  await vi.waitFor(() => expect(second.room.isLeading).toBe(true), 5_000);
  await there?.editor().applyDelta([{ insert: "alone, " }]).reached("device");
  expect(there?.toString()).toBe("alone, from the second");
  second.room.close();
});

test("bad arguments are refused with a code", async () => {
  await loadEngine();
  expect(() => connect({ room: "a room", url: "ws://x" })).toThrow(/1 to 64 characters/);
  const page = new Profile().open("bad");
  expect(() => page.room.text("ydoc:x" as `ydoc:${string}`)).toThrow(/named/);
  expect(() => page.room.presence.set({ name: "x".repeat(65) })).toThrow(/64/);
  expect(page.room.presence.get().name).toBe("");
  page.die();
});

test("D13 a connect that is refused leaves no worker behind, which would lead the other pages", async () => {
  await loadEngine();
  const profile = new Profile();
  for (const wrong of [{ person: { name: "x".repeat(65) } }, { person: { name: "Ada", key: new Uint8Array(31) } }]) {
    const posted: string[] = [];
    const port = { post: ({ type }: { type: string }) => void posted.push(type), listen: vi.fn(), close: vi.fn() };
    expect(() => connect({ room: "refused", url: "ws://127.0.0.1:1/sync", port, ...wrong })).toThrow();
    expect(posted.at(-1)).toBe("end");
    expect(port.close).toHaveBeenCalled();
  }
  for (const url of ["localhost:8787/sync/x", "/sync/x", "ws://", "https://example.org/x"]) {
    const port = { post: vi.fn(), listen: vi.fn(), close: vi.fn() };
    expect(() => connect({ room: "refused", url, port })).toThrow(expect.objectContaining({ code: "address" }));
    expect(port.post).not.toHaveBeenCalled();
  }
  const page = profile.open("refused");
  await vi.waitFor(() => expect(page.room.isLeading).toBe(true));
  page.die();
});

test("D6 once the worker has ended, nothing is taken that nobody would save", async () => {
  await loadEngine();
  const page = new Profile().open("workerless");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  const editor = text.editor();
  editor.applyDelta([{ insert: "still to be read" }]);
  const told: string[] = [];
  page.room.notices(({ kind, sentence }) => told.push(`${kind}: ${sentence}`));
  page.loseWorker("Its script could not be loaded.");
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/^worker-dead: .*saves and sends has ended.*script could not be loaded/);
  expect(page.room.connection.get()).toMatchObject({ state: "stopped" });
  expect(() => editor.applyDelta([{ insert: "lost" }])).toThrow(EngineError);
  expect(text.toString()).toBe("still to be read");
  page.die();
});
