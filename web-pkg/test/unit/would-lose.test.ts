/** Whether closing a page would lose something, asked in the worst of moments. */
import { IDBObjectStore } from "fake-indexeddb";
import { expect, test, vi } from "vitest";
import { WasmRoom } from "../../wasm/causeway.js";
import { type Page, Profile, loadEngine } from "./joined.js";

test("D14 a page whose worker may be dead asks before it is closed, if something would go with it", async () => {
  await loadEngine();
  const page = new Profile().open("silent");
  await write(page, "some words");
  await vi.waitFor(() => expect(isOnDisk(page)).toBe(true));
  page.fallSilent();
  expect(page.room.wouldLose()).toBe(false);
  await write(page, "more words");
  expect(page.room.wouldLose()).toBe(true);
});

test("W13 an engine that dies of the question whether something would be lost counts as the only copy where nothing else holds it, and the page is told", async () => {
  await loadEngine();
  const [kept, full, memory] = [new Profile().open("kept"), new Profile().open("full"), new Profile().open("memory", "memory")];
  for (const page of [kept, full, memory]) await write(page, "some words");
  await vi.waitFor(() => expect([kept, full].map(isOnDisk)).toEqual([true, true]));
  expect([kept, full, memory].map(({ room }) => room.wouldLose())).toEqual([false, false, true]);
  const put = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
    throw new DOMException("no room", "QuotaExceededError");
  });
  await write(full, "no disk takes these");
  await vi.waitFor(() => expect(full.room.storage.get()).toMatchObject({ state: "failing" }));
  expect(full.room.wouldLose()).toBe(true);

  const told: string[] = [];
  memory.room.notices(({ kind }) => told.push(kind));
  const trap = vi.spyOn(WasmRoom.prototype, "saveStatus").mockImplementation(() => {
    throw new WebAssembly.RuntimeError("unreachable");
  });
  expect(memory.room.wouldLose()).toBe(true);
  expect(told).toEqual(["engine-dead"]);
  expect(trap).toHaveBeenCalledTimes(1);
  expect([kept, full, memory].map(({ room }) => room.wouldLose())).toEqual([false, true, true]);
  trap.mockRestore();
  put.mockRestore();
  for (const page of [kept, full, memory]) page.die();
});

async function write({ room }: Page, words: string): Promise<void> {
  const text = room.text(room.documents.firstDocument());
  await text.ready;
  text.editor().applyDelta([{ insert: words }]);
}

function isOnDisk({ room }: Page): boolean {
  return room.text(room.documents.firstDocument()).status.get().device === "saved";
}
