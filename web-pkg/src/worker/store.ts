import type { Commit, Scan, Scanned, Stored } from "./messages.js";

/** A place for a room's rows. It answers every request, also with a failure, and never throws. */
export interface Store {
  commit(commit: Commit): Promise<Stored>;
  scan(scan: Scan): Promise<Scanned>;
  close(): void;
}
