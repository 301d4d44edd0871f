import { behindPrefix, compare, next } from "./keys.js";
import type { Commit, Failure, Row, Scan, Scanned, Stored } from "./messages.js";
import type { Store } from "./store.js";

type Bytes = Uint8Array<ArrayBuffer>;

const ROWS = "rows";
const VERSION = 1;

/** Rows of the first read of a scan. A row may have a megabyte, so a page is approached in steps that double. */
const FIRST_READ_ROWS = 16;

/** A browser whose database does not open in this time (some never answer) keeps the room in memory instead. */
const OPEN_WITHIN_MS = 5_000;

/**
 * A room's rows in IndexedDB. Binary keys order bytewise there, as core wants them. A browser may drop the connection at
 * any time; the next request opens it again, and core decides when that is.
 */
export class IndexedDbStore implements Store {
  #database: IDBDatabase | undefined;
  private constructor(
    private readonly factory: IDBFactory,
    private readonly name: string,
    /** Whether it is known to be there: none is made in its place then. */
    private hasOpened: boolean,
  ) {}

  /** Rejects if this browser keeps nothing for this page, or no more what `existed`. */
  static async open(factory: IDBFactory, room: string, existed = false): Promise<IndexedDbStore> {
    const store = new IndexedDbStore(factory, `causeway/${room}`, existed);
    await store.#connection();
    return store;
  }

  async commit(commit: Commit): Promise<Stored> {
    try {
      const database = await this.#connection();
      return await this.#carryOut(database, commit);
    } catch (error) {
      return this.#failure(error);
    }
  }

  async scan(scan: Scan): Promise<Scanned> {
    if (compare(scan.start, scan.end) >= 0) return { rows: [], more: null };
    try {
      const database = await this.#connection();
      return await this.#read(database, scan);
    } catch (error) {
      return this.#failure(error);
    }
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  #carryOut(database: IDBDatabase, commit: Commit): Promise<Stored> {
    return new Promise((resolve, reject) => {
      const durability = commit.strict ? "strict" : "relaxed";
      const transaction = database.transaction(ROWS, "readwrite", { durability });
      const rows = transaction.objectStore(ROWS);
      let conflict: Bytes | undefined;
      transaction.oncomplete = () => resolve("ok");
      transaction.onabort = () => {
        if (conflict !== undefined) resolve({ conflict });
        else reject(transaction.error ?? new Error("the transaction was given up"));
      };
      // Requests of one transaction run in order, so everything can be asked for at once: what is expected is read
      // before anything is changed, and a conflict takes the changes back.
      for (const [key, value] of commit.expect) {
        const read = rows.get(key) as IDBRequest<Bytes | undefined>;
        read.onsuccess = () => {
          if (conflict !== undefined || holds(read.result, value)) return;
          conflict = key;
          transaction.abort();
        };
      }
      for (const key of commit.delete) rows.delete(key);
      for (const prefix of commit.deletePrefix) {
        if (prefix.length === 0) rows.clear();
        else rows.delete(range(prefix, behindPrefix(prefix)));
      }
      for (const [key, value] of commit.put) rows.put(value, key);
    });
  }

  #read(database: IDBDatabase, scan: Scan): Promise<Scanned> {
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(ROWS, "readonly");
      const store = transaction.objectStore(ROWS);
      const rows: Row[] = [];
      let bytes = 0;
      transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was given up"));
      const readOn = (start: Bytes, wanted: number): void => {
        const part = range(start, scan.end);
        const keys = store.getAllKeys(part, wanted) as IDBRequest<ArrayBuffer[]>;
        const values = store.getAll(part, wanted) as IDBRequest<Bytes[]>;
        values.onsuccess = () => {
          for (const [at, buffer] of keys.result.entries()) {
            const row: Row = [new Uint8Array(buffer), values.result[at] as Bytes];
            const full = bytes >= scan.maxBytes || rows.length >= scan.maxRows;
            if (rows.length > 0 && full) return resolve({ rows, more: row[0] });
            rows.push(row);
            bytes += row[0].length + row[1].length;
          }
          const last = rows.at(-1);
          if (keys.result.length < wanted || last === undefined) return resolve({ rows, more: null });
          readOn(next(last[0]), wanted * 2);
        };
      };
      readOn(scan.start, FIRST_READ_ROWS);
    });
  }

  async #connection(): Promise<IDBDatabase> {
    if (this.#database !== undefined) return this.#database;
    const database = await open(this.factory, this.name, this.hasOpened);
    this.hasOpened = true;
    const forget = (): void => {
      if (this.#database === database) this.#database = undefined;
    };
    database.onclose = forget;
    database.onversionchange = ({ newVersion }) => {
      // Who deletes the database waits until this page has ended: it may hold what is nowhere else.
      if (newVersion === null) return;
      database.close();
      forget();
    };
    this.#database = database;
    return database;
  }

  #failure(error: unknown): Failure {
    const name = error instanceof Error || error instanceof DOMException ? error.name : "";
    if (name === "QuotaExceededError") {
      return { failed: "full", sentence: "This browser has no more room for this page; free some space." };
    }
    // After anything else the connection may be dead without saying so.
    this.close();
    const detail = error instanceof Error ? error.message : String(error);
    return { failed: "io", sentence: `This browser could not write to its database: ${detail}` };
  }
}

/** The rows that a page had are not to be had any more, however often it is tried. */
export class RowsGone extends Error {}

/** `existed`: an empty database in its place would be mistaken for the one that was there. */
function open(factory: IDBFactory, name: string, existed: boolean): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(name, VERSION);
    let [isLate, isGone] = [false, false];
    const deadline = setTimeout(() => {
      isLate = true;
      reject(new Error("the database did not open in time"));
    }, OPEN_WITHIN_MS);
    request.onupgradeneeded = () => {
      isGone = existed;
      if (existed) request.transaction?.abort();
      else request.result.createObjectStore(ROWS);
    };
    request.onsuccess = () => {
      clearTimeout(deadline);
      // Nobody would close it.
      if (isLate) request.result.close();
      resolve(request.result);
    };
    request.onerror = () => {
      clearTimeout(deadline);
      const { error } = request;
      // It stays as it is: the newer page will want it.
      if (isGone) reject(new RowsGone("what it had kept was deleted"));
      else if (error?.name === "VersionError") reject(new RowsGone("a newer version of this page has kept it; reload to update"));
      else reject(error ?? new Error("the database did not open"));
    };
  });
}

/** From `start` up to but without `end`. */
function range(start: Bytes, end: Bytes | null): IDBKeyRange {
  return end === null ? IDBKeyRange.lowerBound(start) : IDBKeyRange.bound(start, end, false, true);
}

function holds(held: Bytes | undefined, expected: Bytes | null): boolean {
  if (held === undefined || expected === null) return held === undefined && expected === null;
  return compare(held, expected) === 0;
}
