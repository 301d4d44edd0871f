import { CausewayError } from "./errors.js";
import type { Observable } from "./observable.js";
import type { Pump } from "./pump.js";
import type { Receipt, ReceiptState } from "./receipt.js";
import type { StorageState } from "./states.js";

interface Waiting {
  readonly stream: string;
  readonly edit: number;
  readonly where: "device" | "relay";
  resolve(): void;
  reject(error: Error): void;
}

/** The receipts of a room, and who waits for what. They outlive the holding of whatever was written. */
export class Receipts {
  #waiting: Waiting[] = [];
  #end: CausewayError | undefined;

  constructor(
    private readonly pump: Pump,
    private readonly storage: Observable<StorageState>,
  ) {}

  of(stream: string, edit: number): Receipt {
    return {
      state: () => this.#state(stream, edit),
      reached: (where) =>
        new Promise((resolve, reject) => {
          const waiting = { stream, edit, where, resolve, reject };
          if (this.#isSettled(waiting)) return;
          if (this.#end === undefined) this.#waiting.push(waiting);
          else reject(this.#end);
        }),
    };
  }

  /** Something of a stream was saved, or refused; without one, the disk has changed. */
  look(stream?: string): void {
    const isLookedAt = (waiting: Waiting): boolean => stream === undefined || waiting.stream === stream;
    this.#waiting = this.#waiting.filter((waiting) => !isLookedAt(waiting) || !this.#isSettled(waiting));
  }

  /** Nothing more will be heard. */
  giveUp(error: CausewayError): void {
    this.#end = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #isSettled({ stream, edit, where, resolve, reject }: Waiting): boolean {
    const state = this.#state(stream, edit);
    if (state.refused) reject(new CausewayError("set-aside", SET_ASIDE));
    else if (state[where]) resolve();
    else if (where === "device" && this.#keepsNothing) reject(new CausewayError("no-disk", NO_DISK));
    else return false;
    return true;
  }

  /** The engine does not know that its disk is none. */
  #state(stream: string, edit: number): ReceiptState {
    const state = this.pump.ask((room) => room.receipt(stream, edit));
    return { ...state, device: state.device && !this.#keepsNothing };
  }

  get #keepsNothing(): boolean {
    return this.storage.get().backend === "memory";
  }
}

const SET_ASIDE =
  "This edit was set aside: the relay refused it, or another page of this device took its disk over. What it said is kept among the forks or drafts.";
const NO_DISK = "This device keeps nothing: the room's storage state says why.";
