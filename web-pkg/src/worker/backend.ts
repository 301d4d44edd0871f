import { IndexedDbStore } from "./indexeddb.js";
import { MemoryStore } from "./memory.js";
import type { Backend } from "./messages.js";
import type { Store } from "./store.js";

/** A store, and what to tell people about it. */
export interface Opened {
  readonly store: Store;
  readonly backend: Backend;
}

/**
 * The storage ladder: the browser's database, and where that cannot be had memory with the reason. Rejects where the page's rows are in
 * a database that does not open: beside an empty store they would pass for gone.
 */
export async function openBackend(room: string, storage: "auto" | "memory", existed = false): Promise<Opened> {
  if (storage === "memory") return inMemory("This page was asked to keep nothing on this device.");
  const factory = databaseHere();
  if (factory === undefined) return inMemory("This browser has no database for this page.");
  try {
    const store = await IndexedDbStore.open(factory, room, existed);
    return { store, backend: { backend: "indexeddb" } };
  } catch (error) {
    if (existed) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    return inMemory(`This browser keeps nothing for this page (${detail}).`);
  }
}

function inMemory(reason: string): Opened {
  return { store: new MemoryStore(), backend: { backend: "memory", reason } };
}

/** Even to look at it is refused on some pages. */
function databaseHere(): IDBFactory | undefined {
  try {
    return (globalThis as { readonly indexedDB?: IDBFactory }).indexedDB;
  } catch {
    return undefined;
  }
}
