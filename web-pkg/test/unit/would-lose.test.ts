/** Whether closing a page would lose something, asked in the worst of moments. */
import { IDBObjectStore } from "fake-indexeddb";
import { afterEach, expect, test, vi } from "vitest";
import type { Room, Text } from "../../src/client/index.js";
import { WasmRoom } from "../../wasm/causeway.js";
import { PlayedWorker, Profile, loadEngine } from "./joined.js";

/** A worker that answers nothing is taken for dead by then. */
const TAKEN_FOR_DEAD_MS = 15_000;

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  [PlayedWorker.begun, PlayedWorker.holdsReads] = [[], false];
});

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

test.each(["before another begins", "while another reads the disk"])("D14 a page asks until what was typed %s is written", async (when) => {
  await loadEngine();
  playWorkers();
  const room = new Profile().openWithWorkers("between");
  await write({ room }, "some words");
  await vi.waitFor(() => expect(isOnDisk({ room })).toBe(true));
  PlayedWorker.newest().terminate();
  PlayedWorker.holdsReads = true;
  if (when === "before another begins") await write({ room }, "more words");
  vi.advanceTimersByTime(TAKEN_FOR_DEAD_MS);
  const second = PlayedWorker.newest();
  // The disk is its own, and says nothing yet of what is on it.
  await vi.waitFor(() => expect(second.held).not.toEqual([]));
  expect(PlayedWorker.begun).toHaveLength(2);
  if (when === "while another reads the disk") await write({ room }, "more words");
  expect(room.wouldLose()).toBe(true);
  second.letGo();
  await vi.waitFor(() => expect(isOnDisk({ room })).toBe(true));
  expect(room.wouldLose()).toBe(false);
  await write({ room }, "and more");
  expect(room.wouldLose()).toBe(false);
  await room.close();
});

test("D14 a page of which the worker ended asks no more once another page has what was typed", async () => {
  await loadEngine();
  playWorkers();
  const profile = new Profile();
  const room = profile.openWithWorkers("followed");
  await write({ room }, "some words");
  await vi.waitFor(() => expect(isOnDisk({ room })).toBe(true));
  const other = profile.open("followed");
  await textOf(other).ready;
  PlayedWorker.newest().terminate();
  await vi.waitFor(() => expect(other.room.isLeading).toBe(true), 10_000);
  await write({ room }, "more words");
  vi.advanceTimersByTime(TAKEN_FOR_DEAD_MS);
  expect(room.wouldLose()).toBe(true);
  await vi.waitFor(() => expect(textOf(other).toString()).toContain("more words"), 10_000);
  await vi.waitFor(() => expect(room.wouldLose()).toBe(false));
  await write({ room }, "and more");
  expect([room.isLeading, room.wouldLose()]).toEqual([false, false]);
  await room.close();
  other.die();
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

/** Only what asks workers whether they are there goes by the clock of the story. */
function playWorkers(): void {
  vi.stubGlobal("Worker", PlayedWorker);
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
}

function textOf({ room }: { room: Room }): Text {
  return room.text(room.documents.firstDocument());
}

async function write(page: { room: Room }, words: string): Promise<void> {
  const text = textOf(page);
  await text.ready;
  text.editor().applyDelta([{ insert: words }]);
}

function isOnDisk(page: { room: Room }): boolean {
  return textOf(page).status.get().device === "saved";
}
