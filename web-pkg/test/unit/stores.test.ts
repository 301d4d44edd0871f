import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IndexedDbStore } from "../../src/worker/indexeddb.js";
import { MemoryStore } from "../../src/worker/memory.js";
import type { Commit, Row, Scanned } from "../../src/worker/messages.js";
import type { Store } from "../../src/worker/store.js";

globalThis.IDBKeyRange = IDBKeyRange;

type Bytes = Uint8Array<ArrayBuffer>;

const bytes = (...values: number[]): Bytes => new Uint8Array(values);
const key = (text: string): Bytes => new Uint8Array(new TextEncoder().encode(text));
const shown = (rows: readonly Row[]): string[] => rows.map(([k, v]) => `${decoded(k)}=${[...v].join()}`);
const decoded = (k: Uint8Array): string => new TextDecoder().decode(k);

function commit(parts: Partial<Commit>): Commit {
  return { expect: [], delete: [], deletePrefix: [], put: [], strict: false, ...parts };
}

// The stand-in for IndexedDB takes an empty key for one whose memory is gone; no key of ours is empty.
const EVERYTHING = { start: bytes(0), end: bytes(0xff, 0xff, 0xff), maxBytes: 1 << 20, maxRows: 1000 };

function rowsOf(scanned: Scanned): Row[] {
  if ("failed" in scanned) throw new Error(scanned.sentence);
  return scanned.rows;
}

async function everything(store: Store): Promise<string[]> {
  return shown(rowsOf(await store.scan(EVERYTHING)));
}

const stores: Record<string, () => Promise<Store>> = {
  IndexedDB: () => IndexedDbStore.open(new IDBFactory(), "room"),
  memory: () => Promise.resolve(new MemoryStore()),
};

describe.each(Object.entries(stores))("%s", (_name, open) => {
  test("a commit whose expectation fails changes nothing and names the key", async () => {
    const store = await open();
    expect(await store.commit(commit({ expect: [[key("o"), null]], put: [[key("o"), bytes(1)]] }))).toBe("ok");
    for (const wrong of [null, bytes(2), bytes(1, 1), bytes()]) {
      const outcome = await store.commit(
        commit({ expect: [[key("o"), wrong]], delete: [key("o")], put: [[key("x"), bytes(9)]] }),
      );
      expect(outcome).toEqual({ conflict: key("o") });
      expect(await everything(store)).toEqual(["o=1"]);
    }
    expect(await store.commit(commit({ expect: [[key("o"), bytes(1)]], put: [[key("o"), bytes(2)]] }))).toBe("ok");
    expect(await everything(store)).toEqual(["o=2"]);
  });

  test("deletions come before puts, and of two puts the later stands", async () => {
    const store = await open();
    await store.commit(commit({ put: [[key("a"), bytes(1)], [key("ab"), bytes(2)], [key("b"), bytes(3)]] }));
    await store.commit(
      commit({ delete: [key("b"), key("nothing")], deletePrefix: [key("a")], put: [[key("a"), bytes(4)], [key("a"), bytes(5)]] }),
    );
    expect(await everything(store)).toEqual(["a=5"]);
  });

  test("a prefix of the highest bytes and the empty prefix clear what they should", async () => {
    const store = await open();
    const put = [bytes(0xfe), bytes(0xff), bytes(0xff, 0xff), bytes(0xff, 0xff, 1)].map((k) => [k, bytes(1)] as const);
    await store.commit(commit({ put }));
    await store.commit(commit({ deletePrefix: [bytes(0xff, 0xff)] }));
    expect(rowsOf(await store.scan(EVERYTHING)).map(([k]) => [...k])).toEqual([[0xfe], [0xff]]);
    await store.commit(commit({ deletePrefix: [bytes()] }));
    expect(await everything(store)).toEqual([]);
  });

  test("rows come in the order of their bytes", async () => {
    const store = await open();
    const keys = [bytes(1), bytes(0), bytes(0, 0), bytes(0xff), bytes(0x80), bytes(1, 0), bytes(0x7f, 0xff)];
    await store.commit(commit({ put: keys.map((k) => [k, bytes(1)] as const) }));
    const sorted = [[0], [0, 0], [1], [1, 0], [0x7f, 0xff], [0x80], [0xff]];
    expect(rowsOf(await store.scan(EVERYTHING)).map(([k]) => [...k])).toEqual(sorted);
  });

  test("an empty range answers an empty page", async () => {
    const store = await open();
    await store.commit(commit({ put: [[key("a"), bytes(1)]] }));
    expect(await store.scan({ ...EVERYTHING, start: key("b"), end: key("a") })).toEqual({ rows: [], more: null });
    expect(await store.scan({ ...EVERYTHING, start: key("a"), end: key("a") })).toEqual({ rows: [], more: null });
  });

  test("pages hold at least one row and at most what was asked, and together everything", async () => {
    const store = await open();
    const put = Array.from({ length: 60 }, (_, n) => [bytes(n), new Uint8Array(n * 7)] as const);
    await store.commit(commit({ put }));
    for (const limits of [{ maxBytes: 1, maxRows: 1000 }, { maxBytes: 1 << 20, maxRows: 7 }, { maxBytes: 500, maxRows: 20 }, { maxBytes: 0, maxRows: 0 }]) {
      const seen: number[] = [];
      let start: Bytes | null = bytes(0);
      while (start !== null) {
        const page: Scanned = await store.scan({ start, end: bytes(0xff), ...limits });
        if ("failed" in page) throw new Error(page.sentence);
        expect(page.rows.length).toBeGreaterThan(0);
        expect(page.rows.length).toBeLessThanOrEqual(Math.max(1, limits.maxRows));
        seen.push(...page.rows.map(([k]) => k[0] as number));
        start = page.more as Bytes | null;
      }
      expect(seen).toEqual(put.map(([k]) => k[0]));
    }
  });
});

test("both stores do the same with whatever they are asked", async () => {
  const someKey = fc.uint8Array({ minLength: 1, maxLength: 3, max: 3 }).map((k) => new Uint8Array(k));
  const somePrefix = fc.oneof(someKey, fc.constant(bytes()));
  const someCommit = fc.record({
    expect: fc.array(fc.tuple(someKey, fc.option(fc.constant(bytes(1)))), { maxLength: 1 }),
    delete: fc.array(someKey, { maxLength: 2 }),
    deletePrefix: fc.array(somePrefix, { maxLength: 1 }),
    put: fc.array(fc.tuple(someKey, fc.constantFrom(bytes(1), bytes(2))), { maxLength: 4 }),
    strict: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(someCommit, { maxLength: 8 }), async (commits) => {
      const [database, memory] = [await stores["IndexedDB"]!(), new MemoryStore()];
      for (const one of commits) expect(await database.commit(one)).toEqual(await memory.commit(one));
      expect(await everything(database)).toEqual(await everything(memory));
    }),
    { numRuns: 60 },
  );
});

test("a database that the browser has closed is opened again by the next request", async () => {
  const factory = new IDBFactory();
  const store = await IndexedDbStore.open(factory, "room");
  await store.commit(commit({ put: [[key("a"), bytes(1)]] }));
  store.close();
  expect(await everything(store)).toEqual(["a=1"]);
});

test("a database that is refused is refused at once", async () => {
  const refusing = { open: () => { throw new DOMException("storage is off", "SecurityError"); } } as unknown as globalThis.IDBFactory;
  await expect(IndexedDbStore.open(refusing, "room")).rejects.toThrow("storage is off");
});
