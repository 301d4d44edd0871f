import type { WasmFork } from "../../wasm/causeway.js";
import { Cell } from "./cell.js";
import type { Delta } from "./delta.js";
import type { StreamId } from "./ids.js";
import type { Observable, Unsubscribe } from "./observable.js";
import type { Pump } from "./pump.js";

/** Names a fork on this device, and stays the same as long as it is there. */
export type ForkId = string & { readonly brand: "fork" };

/** Work on a document, or on the room's list, that the relay did not take. */
export interface Fork {
  readonly id: ForkId;
  /** What was written: a document, or the room's list of them. */
  readonly stream: StreamId | "directory";
  /** Whether the text was kept whole, because its document is gone: put back, it becomes a new one. */
  readonly isWhole: boolean;
  /** Why, for programs and for people. */
  readonly code: string;
  readonly sentence: string;
  /** When the newest of it was set aside, in milliseconds by this device's clock. */
  readonly time: number;
  /** Bytes on this device's disk. */
  readonly bytes: number;
}

/** What a fork says. */
export interface ForkText {
  /** The text as its author had it, with what others have written since; of the room's list, one decision a line. */
  readonly text: string;
  /** The text of the document as it is now; empty where the fork would become a new one. */
  readonly before: string;
  /** What putting it back would do to `before`. */
  readonly delta: Delta;
  /** Whether all of it is there. What builds on something that is missing is not shown and cannot be put back. */
  readonly isComplete: boolean;
}

/** Work the relay did not take, kept on this device until it is put back or discarded. Every page of the device has it. */
export class Forks implements Observable<readonly Fork[]> {
  readonly #pump: Pump;
  readonly #list = new Cell<readonly Fork[]>([]);
  #waiting: (() => void)[] = [];

  /** @internal Use `Room.forks`. */
  constructor(pump: Pump) {
    this.#pump = pump;
  }

  get(): readonly Fork[] {
    return this.#list.get();
  }

  subscribe(callback: (forks: readonly Fork[]) => void): Unsubscribe {
    return this.#list.subscribe(callback);
  }

  /** What a fork says beside what its document says now, which is opened for it. Rejects if the room is closed before. */
  async text(fork: Fork): Promise<ForkText> {
    const isInDocument = !fork.isWhole && fork.stream.startsWith("ydoc:");
    if (isInDocument) this.#pump.command((room) => room.openText(fork.stream));
    for (;;) {
      if (this.#pump.refusal !== undefined) throw this.#pump.refusal;
      try {
        return this.#pump.ask((room) => ({
          ...room.forkText(fork.id),
          before: isInDocument ? room.text(fork.stream) : "",
        }));
      } catch (error) {
        if ((error as { readonly code?: string }).code !== "not-open") throw error;
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    }
  }

  /**
   * Does again what a fork says, as edits of now, merged with what others have written since; answers the document. A
   * text that was kept whole becomes a new document under `path`. The fork goes when the edits are on this device.
   */
  reapply(fork: Fork, path = "kept.md"): Fork["stream"] {
    return this.#pump.command((room, mono, wall) => room.reapplyFork(fork.id, path, mono, wall)) as Fork["stream"];
  }

  /** Forgets a fork for good. */
  discard(fork: Fork): void {
    this.#pump.command((room) => room.discardFork(fork.id));
  }

  /** @internal The list may have changed. */
  look(): void {
    this.#list.set(this.#pump.ask((room) => room.forks()).map(shown));
  }

  /** @internal A document has been read or has gone, or the room has ended. */
  lookAgain(): void {
    for (const again of this.#waiting.splice(0)) again();
  }
}

function shown(fork: WasmFork): Fork {
  return { ...fork, id: fork.id as ForkId, stream: fork.stream as Fork["stream"] };
}
