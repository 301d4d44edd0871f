/** A client and its worker in one thread: the real ones, with a database of `fake-indexeddb` and no network. */
import { readFile } from "node:fs/promises";
import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import { type Port, type Room, connect, init } from "../../src/client/index.js";
import { workerPort } from "../../src/client/port.js";
import type { FromWorker, ToWorker } from "../../src/worker/messages.js";
import { Shell } from "../../src/worker/shell.js";

export async function loadEngine(): Promise<void> {
  await init(await readFile(new URL("../../wasm/causeway_bg.wasm", import.meta.url)));
}

/** A browser profile: its pages share one database. */
export class Profile {
  constructor() {
    globalThis.indexedDB = new IDBFactory();
    globalThis.IDBKeyRange = IDBKeyRange;
  }

  open(room: string, storage: "auto" | "memory" = "auto"): Page {
    return new Page(room, storage);
  }

  /** A page with the port of a browser, in a world where `PlayedWorker` is its workers. */
  openWithWorkers(room: string): Room {
    return connect({ room, url: "ws://127.0.0.1:1/sync", port: workerPort() });
  }
}

/** The worker of a page, which runs here. Only the browser's part is played: it ends when the story says so. */
export class PlayedWorker {
  static begun: PlayedWorker[] = [];
  /** Whether the database of those that begin from now on answers a first commit, and no reading behind it until it is let go. */
  static holdsReads = false;
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  readonly held: FromWorker[] = [];
  #holdsReads = PlayedWorker.holdsReads;
  #hasStored = false;
  #lives = true;
  readonly #shell = new Shell((news) => setImmediate(() => this.#tell(news)));

  constructor() {
    PlayedWorker.begun.push(this);
  }

  static newest(): PlayedWorker {
    return PlayedWorker.begun.at(-1) as PlayedWorker;
  }

  postMessage(message: ToWorker): void {
    const copy = structuredClone(message);
    setImmediate(() => this.#lives && this.#shell.handle(copy));
  }

  /** Nothing it still wanted done is done. Its locks, channels and database end with it, as a browser sees to. */
  terminate(): void {
    if (!this.#lives) return;
    this.#lives = false;
    this.#shell.handle({ type: "end" });
  }

  letGo(): void {
    this.#holdsReads = false;
    for (const news of this.held.splice(0)) this.#tell(news);
  }

  #tell(news: FromWorker): void {
    if (!this.#lives) return;
    if (news.type === "scanned" && this.#hasStored && this.#holdsReads) return void this.held.push(news);
    this.#hasStored ||= news.type === "stored";
    this.onmessage?.({ data: news });
  }
}

/** A page that is open on a room, until it is closed by the person or dies. */
export class Page {
  readonly room: Room;
  readonly #shell: Shell;
  #tell: (message: FromWorker) => void = () => undefined;
  #isDead = false;
  #isDoubted = false;

  constructor(room: string, storage: "auto" | "memory") {
    this.#shell = new Shell((news) => setImmediate(() => this.#isDead || this.#tell(news)));
    this.room = connect({ room, storage, url: "ws://127.0.0.1:1/sync", port: this.#port() });
  }

  /** No goodbye: nothing it still wanted done is done. Its locks and channels end with it, as a browser sees to. */
  die(): void {
    this.#isDead = true;
    this.#shell.handle({ type: "end" });
  }

  /** What the port of a browser's worker says when that ends on its own. */
  loseWorker(sentence: string): void {
    this.#tell({ type: "failed", sentence });
  }

  /** It hears nothing more of its worker, which may be dead and has not been replaced. */
  fallSilent(): void {
    this.#isDead = true;
    this.#isDoubted = true;
  }

  #port(): Port {
    const isDoubted = (): boolean => this.#isDoubted;
    return {
      get isDoubted() {
        return isDoubted();
      },
      post: (message) => {
        const copy = structuredClone(message);
        setImmediate(() => this.#isDead || this.#shell.handle(copy));
      },
      listen: (callback) => {
        this.#tell = callback;
      },
      close: () => undefined,
    };
  }
}
