/** Which store a page gets, and what a worker that takes another's place does where the rows do not come at once (D14). */
import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import { afterEach, expect, test, vi } from "vitest";
import { openBackend } from "../../src/worker/backend.js";

globalThis.IDBKeyRange = IDBKeyRange;

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Errs so often before it opens anything. */
class Failing extends IDBFactory {
  constructor(private left: number) {
    super();
  }

  override open(name: string, version?: number): ReturnType<IDBFactory["open"]> {
    if (this.left === 0) return super.open(name, version);
    this.left -= 1;
    throw new DOMException("Internal error opening backing store", "UnknownError");
  }
}

test("a page begins in memory where the browser has no database", async () => {
  vi.stubGlobal("indexedDB", undefined);
  expect((await openBackend("r", "auto")).backend).toMatchObject({ backend: "memory" });
});

test("D14 without its database a page that had rows there begins with no others", async () => {
  vi.stubGlobal("indexedDB", undefined);
  await expect(openBackend("r", "auto", true)).rejects.toThrow("at its database no more");
});

test("D14 a database that opens at the fourth try is waited for", async () => {
  const factory = new Failing(0);
  vi.stubGlobal("indexedDB", factory);
  (await openBackend("r", "auto")).store.close();
  Object.assign(factory, { left: 3 });
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const opened = openBackend("r", "auto", true);
  await vi.advanceTimersByTimeAsync(7_000);
  vi.useRealTimers();
  expect((await opened).backend).toEqual({ backend: "indexeddb" });
});

test("D14 one that never opens is given up", async () => {
  vi.stubGlobal("indexedDB", new Failing(1_000));
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const opened = expect(openBackend("r", "auto", true)).rejects.toThrow("backing store");
  await vi.advanceTimersByTimeAsync(120_000);
  await opened;
});

test("D14 one that was deleted is not tried again, and none is made in its place", async () => {
  const factory = new IDBFactory();
  vi.stubGlobal("indexedDB", factory);
  await expect(openBackend("r", "auto", true)).rejects.toThrow("deleted");
  expect(await factory.databases()).toEqual([]);
});
