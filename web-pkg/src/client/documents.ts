import { Cell } from "./cell.js";
import type { Listed, StreamId } from "./ids.js";
import type { Observable, Unsubscribe } from "./observable.js";
import type { Pump } from "./pump.js";

/** The room's list of documents. */
export class Documents implements Observable<readonly Listed[]> {
  /** Whether the relay has told all it knew of the list, on the link there is. */
  readonly synced: Observable<boolean>;
  readonly #pump: Pump;
  readonly #list = new Cell<readonly Listed[]>([]);
  readonly #synced = new Cell(false);
  readonly #first: StreamId;
  #waiting: (() => void)[] = [];

  /** @internal */
  constructor(pump: Pump) {
    this.#pump = pump;
    this.synced = this.#synced;
    // Asked once: what a page shows must not need an engine that may have died.
    this.#first = pump.ask((room) => room.firstDocument()) as StreamId;
  }

  get(): readonly Listed[] {
    return this.#list.get();
  }

  list(): readonly Listed[] {
    return this.#list.get();
  }

  subscribe(callback: (list: readonly Listed[]) => void): Unsubscribe {
    return this.#list.subscribe(callback);
  }

  /** Makes an empty text under a path such as `src/main.py`. */
  create(path: string): Promise<StreamId> {
    return this.#whenRead(() => this.#pump.command((room, mono, wall) => room.createText(path, mono, wall) as StreamId));
  }

  /** Moves a document to another path, or lists one that is not listed. */
  rename(id: StreamId, path: string): Promise<void> {
    return this.#whenRead(() => this.#pump.command((room, mono, wall) => room.listDocument(id, path, mono, wall)));
  }

  /** Takes a document off the list. Its text stays where it is. */
  remove(id: StreamId): Promise<void> {
    return this.#whenRead(() => this.#pump.command((room, mono, wall) => room.unlistDocument(id, mono, wall)));
  }

  /** The document all devices agree on before anybody has made one. */
  firstDocument(): StreamId {
    return this.#first;
  }

  /** @internal The list may have changed. */
  look(): void {
    this.#list.set(this.#pump.ask((room) => room.directory()) as Listed[]);
  }

  /** @internal Something in the room has changed. */
  lookAgain(): void {
    this.#synced.set(this.#pump.ask((room) => room.isSynced(DIRECTORY)));
    this.giveUp();
  }

  /** @internal Whoever waits tries again; a room that has ended refuses. */
  giveUp(): void {
    for (const again of this.#waiting.splice(0)) again();
  }

  /** The list can be changed once this device's copy of it has been read. */
  async #whenRead<T>(change: () => T): Promise<T> {
    for (;;) {
      try {
        return change();
      } catch (error) {
        if ((error as { readonly code?: string }).code !== "not-open") throw error;
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    }
  }
}

/** The name of the stream that holds the list. */
export const DIRECTORY = "directory";
