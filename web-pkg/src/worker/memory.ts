import { compare } from "./keys.js";
import type { Commit, Row, Scan, Scanned, Stored } from "./messages.js";
import type { Store } from "./store.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** The rows of one page, gone with it. Rows stay sorted, so that a scan is a slice. */
export class MemoryStore implements Store {
  #rows: Row[] = [];

  commit(commit: Commit): Promise<Stored> {
    for (const [key, value] of commit.expect) {
      const held = this.#held(key);
      const holds = value === null ? held === undefined : held !== undefined && compare(held, value) === 0;
      if (!holds) return Promise.resolve({ conflict: key });
    }
    for (const key of commit.delete) {
      const at = this.#at(key);
      if (this.#isAt(at, key)) this.#rows.splice(at, 1);
    }
    for (const prefix of commit.deletePrefix) {
      this.#rows = this.#rows.filter(([key]) => compare(key.subarray(0, prefix.length), prefix) !== 0);
    }
    for (const [key, value] of commit.put) {
      const at = this.#at(key);
      this.#rows.splice(at, this.#isAt(at, key) ? 1 : 0, [key, value]);
    }
    return Promise.resolve("ok");
  }

  scan(scan: Scan): Promise<Scanned> {
    const rows: Row[] = [];
    let bytes = 0;
    for (let at = this.#at(scan.start); at < this.#rows.length; at += 1) {
      const row = this.#rows[at] as Row;
      if (compare(row[0], scan.end) >= 0) break;
      const full = bytes >= scan.maxBytes || rows.length >= scan.maxRows;
      if (rows.length > 0 && full) return Promise.resolve({ rows, more: row[0] });
      rows.push(row);
      bytes += row[0].length + row[1].length;
    }
    return Promise.resolve({ rows, more: null });
  }

  close(): void {
    this.#rows = [];
  }

  #held(key: Bytes): Bytes | undefined {
    const at = this.#at(key);
    return this.#isAt(at, key) ? this.#rows[at]?.[1] : undefined;
  }

  #isAt(at: number, key: Bytes): boolean {
    const row = this.#rows[at];
    return row !== undefined && compare(row[0], key) === 0;
  }

  /** Where `key` stands, or would stand. */
  #at(key: Uint8Array): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare((this.#rows[middle] as Row)[0], key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
