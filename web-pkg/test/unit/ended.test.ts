/** What a room promises as it ends, and what of it can still be had afterwards. */
import { expect, test, vi } from "vitest";
import { Profile, loadEngine } from "./joined.js";

test("D11 a device that keeps nothing never says that an edit is on its disk", async () => {
  await loadEngine();
  const page = new Profile().open("nothing-kept", "memory");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  const receipt = text.editor().applyDelta([{ insert: "gone with the tab" }]);
  await expect(receipt.reached("device")).rejects.toMatchObject({ name: "CausewayError", code: "no-disk" });
  expect(receipt.state()).toMatchObject({ device: false, relay: false });
  expect(text.status.get().device).toBe("memory");
  page.die();
});

test("D10 once a room is being closed nothing is taken, and nothing waits for ever", async () => {
  await loadEngine();
  const page = new Profile().open("closed");
  const { room } = page;
  const text = room.text(room.documents.firstDocument());
  const channel = room.channel();
  await Promise.all([text.ready, channel.ready]);
  const editor = text.editor();
  const receipt = editor.applyDelta([{ insert: "before" }]);
  const [onDisk, onRelay] = [receipt.reached("device"), receipt.reached("relay")];
  const closed = room.close();
  const refusal = { name: "CausewayError", code: "room-closed" };
  expect(text.writable.get()).toBe(false);
  expect(() => editor.applyDelta([{ insert: "after" }])).toThrow(expect.objectContaining(refusal));
  expect(() => channel.post("after")).toThrow(expect.objectContaining(refusal));
  await expect(room.documents.create("after.txt")).rejects.toMatchObject(refusal);
  await onDisk;
  await expect(onRelay).rejects.toMatchObject(refusal);
  await closed;
  await expect(receipt.reached("relay")).rejects.toMatchObject(refusal);
  await expect(receipt.reached("device")).resolves.toBeUndefined();
  await expect(room.text(room.documents.firstDocument()).ready).resolves.toBeUndefined();
  await expect(room.text("ydoc:00000000000000000000000000000001").ready).rejects.toMatchObject(refusal);
  expect(text.toString()).toBe("before");
  // What a page does on its way out is nobody's fault.
  room.presence.set({ status: "away" });
  channel.markRead();
  editor.close();
  await room.close();
});

test("D10 who waits for a document or a text as the room is closed is told", async () => {
  await loadEngine();
  const page = new Profile().open("closed-early");
  const refusal = { code: "room-closed" };
  const text = page.room.text(page.room.documents.firstDocument());
  const made = page.room.documents.create("early.txt");
  void page.room.close();
  await expect(made).rejects.toMatchObject(refusal);
  await expect(text.ready).rejects.toMatchObject(refusal);
});

test("D10 closing waits for what nobody holds: files, and texts released a moment ago", async () => {
  await loadEngine();
  const profile = new Profile();
  const first = profile.open("close-all");
  const text = first.room.text(first.room.documents.firstDocument());
  await text.ready;
  const editor = text.editor();
  // The first is under way to the disk, and whatever follows gathers behind it.
  const file = await first.room.documents.create("src/one.py");
  await first.room.documents.rename(file, "src/main.py");
  editor.applyDelta([{ insert: "the last words" }]);
  editor.close();
  text.release();
  for (const path of ["a.txt", "b.txt"]) await first.room.documents.create(path);
  await first.room.close();
  first.die();

  const second = profile.open("close-all");
  const again = second.room.text(second.room.documents.firstDocument());
  await again.ready;
  expect(again.toString()).toBe("the last words");
  await vi.waitFor(() => {
    const paths = second.room.documents.list().map(({ path }) => path);
    expect(paths).toEqual(["a.txt", "b.txt", "src/main.py"]);
  });
  second.die();
});

test("D11 the receipt of a text that nobody holds any more is answered", async () => {
  await loadEngine();
  const page = new Profile().open("released");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  const editor = text.editor();
  const receipt = editor.applyDelta([{ insert: "let go" }]);
  const reached = receipt.reached("device");
  const relay = receipt.reached("relay");
  editor.close();
  text.release();
  await reached;
  void page.room.close();
  await expect(relay).rejects.toMatchObject({ code: "room-closed" });
});

test("D12 a holder that lets go twice takes a text from nobody else", async () => {
  await loadEngine();
  const page = new Profile().open("twice");
  const id = page.room.documents.firstDocument();
  const [mine, theirs] = [page.room.text(id), page.room.text(id)];
  await theirs.ready;
  const told = vi.fn();
  theirs.subscribe(told);
  mine.release();
  mine.release();
  expect(page.room.text(id)).toBe(theirs);
  theirs.editor().applyDelta([{ insert: "still here" }]);
  await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(2));
  page.die();
});

test("D12 a reader that throws is reported, and keeps nobody from being told", async () => {
  await loadEngine();
  const page = new Profile().open("throws");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  const editor = text.editor();
  const reported = vi.fn();
  vi.stubGlobal("reportError", reported);
  const fault = new Error("a bug of the app");
  const [texts, stati, early, late] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
  text.subscribe(({ type }) => {
    texts();
    if (type === "delta") throw fault;
  });
  text.status.subscribe(() => {
    stati();
    throw fault;
  });
  text.subscribe(early);
  for (const word of ["one ", "two ", "three"]) {
    editor.applyDelta([{ retain: text.length }, { insert: word }]);
  }
  await vi.waitFor(() => expect(early).toHaveBeenCalledTimes(4));
  expect(texts).toHaveBeenCalledTimes(4);
  // Whoever comes now misses nothing.
  text.subscribe(late);
  editor.applyDelta([{ insert: "zero " }]);
  await vi.waitFor(() => expect(late).toHaveBeenCalledTimes(2));
  expect(stati).toHaveBeenCalled();
  expect(reported).toHaveBeenCalledWith(fault);
  vi.unstubAllGlobals();
  page.die();
});

test("D10 when the worker has ended, who waits is told, texts are locked, and leaving is quiet", async () => {
  await loadEngine();
  const page = new Profile().open("worker-ended");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  const editor = text.editor();
  const onRelay = editor.applyDelta([{ insert: "read on" }]).reached("relay");
  const other = page.room.text("ydoc:00000000000000000000000000000001");
  page.loseWorker("It has met a bug.");
  const death = { name: "EngineError", code: "worker-dead" };
  await expect(onRelay).rejects.toMatchObject(death);
  await expect(other.ready).rejects.toMatchObject(death);
  await expect(page.room.documents.create("late.txt")).rejects.toMatchObject(death);
  expect(text.writable.get()).toBe(false);
  expect(() => editor.applyDelta([{ insert: "x" }])).toThrow(expect.objectContaining(death));
  expect(text.toString()).toBe("read on");
  editor.close();
  await page.room.close();
});
