import { IndexedDbStore, RowsGone } from "./indexeddb.js";
import { MemoryStore } from "./memory.js";
import type { Backend } from "./messages.js";
import type { Store } from "./store.js";

/** A store, and what to tell people about it. */
export interface Opened {
  readonly store: Store;
  readonly backend: Backend;
}

/**
 * The storage ladder: the browser's database, and where that cannot be had memory with the reason. Where the page's rows are in a
 * database (`existed`) it is tried for a minute, and then rejects: beside an empty store they would pass for gone.
 */
export async function openBackend(room: string, storage: "auto" | "memory", existed = false): Promise<Opened> {
  if (storage === "memory") return inMemory("This page was asked to keep nothing on this device.");
  const factory = databaseHere();
  if (existed) return openAgain(factory, room);
  if (factory === undefined) return inMemory("This browser has no database for this page.");
  try {
    return inDatabase(await IndexedDbStore.open(factory, room));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return inMemory(`This browser keeps nothing for this page (${detail}).`);
  }
}

/** A browser that ends workers as it is short of memory may need a while to open a database, too. */
async function openAgain(factory: IDBFactory | undefined, room: string): Promise<Opened> {
  if (factory === undefined) throw new Error("this browser lets this page at its database no more");
  for (let tries = 1; ; tries += 1) {
    try {
      return inDatabase(await IndexedDbStore.open(factory, room, true));
    } catch (error) {
      if (error instanceof RowsGone || tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
    }
  }
}

function inDatabase(store: Store): Opened {
  return { store, backend: { backend: "indexeddb" } };
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

const TRY_EVERY_MS = 2_000;
/** With what each takes that never answers it is a minute. */
const TRIES = 9;
