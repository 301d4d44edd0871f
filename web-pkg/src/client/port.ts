import type { Backend, FromWorker, ToWorker } from "../worker/messages.js";

/** The way to whoever carries out what a room wants done. */
export interface Port {
  post(message: ToWorker, transfer?: Transferable[]): void;
  listen(callback: (message: FromWorker) => void): void;
  close(): void;
  /** Whether it may be that nobody carries anything out at the moment. */
  readonly isDoubted?: boolean;
}

/** A worker of this package, and another one where the browser ends it. */
export function workerPort(): Port {
  return new WorkerPort();
}

/**
 * A browser that is short of memory, or that has met a bug of its own, ends a worker without a word. So it is asked now and
 * then whether it is there. One that does not answer is ended for good, in case it only stood still, and another takes its place.
 */
class WorkerPort implements Port {
  #worker: Worker | undefined;
  #tell: (message: FromWorker) => void = () => undefined;
  /** What the next worker is opened with. */
  #opening: Extract<ToWorker, { type: "open" }> | undefined;
  #asking: ReturnType<typeof setInterval> | undefined;
  #unanswered = 0;
  #hasSpoken = false;
  /** Whether it is not the first. */
  #isAnother = false;
  /** Whether one has taken the place of another and neither leads nor follows yet. */
  #isBetween = false;
  /** Whether its rows are in its memory, and gone with it. */
  #keepsRows = false;
  /** When workers took the place of others. */
  #replaced: number[] = [];

  post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker ??= this.#begin();
    if (message.type === "open") this.#open(message);
    // Of a room that has ended there is nothing that another worker could go on with.
    if (message.type === "end") clearInterval(this.#asking);
    this.#worker.postMessage(message, transfer);
  }

  get isDoubted(): boolean {
    return this.#isBetween || this.#unanswered > DOUBT;
  }

  listen(callback: (message: FromWorker) => void): void {
    this.#tell = callback;
  }

  close(): void {
    clearInterval(this.#asking);
    // What was asked for last is carried out first: it says goodbye to the other tabs.
    setTimeout(() => this.#worker?.terminate(), GOODBYE_MS);
  }

  #begin(): Worker {
    const worker = new Worker(new URL("../worker/worker.js", import.meta.url), { type: "module", name: "causeway" });
    worker.onmessage = (event: MessageEvent<FromWorker>) => this.#take(event.data);
    worker.onerror = (event) => this.#fail(whyItFailed(event));
    worker.onmessageerror = () => this.#fail("It said something that cannot be read.");
    return worker;
  }

  #open(message: Extract<ToWorker, { type: "open" }>): void {
    this.#opening = message;
    // Counted in questions and not by the clock: a page that slept has asked none.
    this.#asking = setInterval(() => this.#ask(), ASK_EVERY_MS);
  }

  #take(message: FromWorker): void {
    [this.#unanswered, this.#hasSpoken] = [0, true];
    if (message.type === "here") return;
    if (message.type === "follow" || (message.type === "stored" && message.outcome === "ok")) this.#isBetween = false;
    if (message.type === "backend") this.#note(message.backend);
    if (message.type === "failed") clearInterval(this.#asking);
    this.#tell(message);
  }

  #note({ backend }: Backend): void {
    this.#keepsRows = backend === "memory";
    // The next one is to find these rows, and to begin with no others.
    if (this.#opening !== undefined && !this.#keepsRows) this.#opening = { ...this.#opening, existed: true };
  }

  #ask(): void {
    this.#unanswered += 1;
    if (this.#unanswered > (this.#hasSpoken ? PATIENCE : LOADING_PATIENCE)) return this.#replace();
    this.#worker?.postMessage({ type: "ask" } satisfies ToWorker);
  }

  #replace(): void {
    const now = performance.now();
    this.#replaced = [...this.#replaced.filter((before) => now - before < OFTEN_WITHIN_MS), now];
    this.#end();
    if (this.#keepsRows) return this.#fail("The browser has ended it, and what it kept in its memory with it.");
    if (!this.#hasSpoken && this.#isAnother) return this.#fail("Another one does not begin.");
    if (this.#replaced.length > OFTEN) return this.#fail("The browser ends it again and again.");
    [this.#unanswered, this.#hasSpoken, this.#isBetween, this.#isAnother] = [0, false, true, true];
    this.#worker = this.#begin();
    if (this.#opening !== undefined) this.#worker.postMessage(this.#opening);
    this.#tell({ type: "replaced" });
  }

  #fail(sentence: string): void {
    clearInterval(this.#asking);
    this.#tell({ type: "failed", sentence });
  }

  /** Whatever it has said and nobody has heard yet is about a disk that is read anew. */
  #end(): void {
    if (this.#worker === undefined) return;
    this.#worker.onmessage = this.#worker.onerror = this.#worker.onmessageerror = null;
    this.#worker.terminate();
  }
}

/** A script that cannot be loaded is told by an event without a message; a bug comes with its own. */
function whyItFailed(event: ErrorEvent): string {
  return event.message ? `It has met a bug: ${event.message}` : "Its script could not be loaded.";
}

/** A worker that has not said goodbye by then has nothing more to say. */
const GOODBYE_MS = 500;
const ASK_EVERY_MS = 3_000;
/** Questions without an answer after which a worker is taken for dead. */
const PATIENCE = 4;
/** One that has not been answered is on its way. */
const DOUBT = 1;
/** The same while it has not said anything: its script may be a minute on its way. */
const LOADING_PATIENCE = 20;
/** So many deaths in so short a time are not chance. */
const OFTEN = 8;
const OFTEN_WITHIN_MS = 5 * 60_000;
