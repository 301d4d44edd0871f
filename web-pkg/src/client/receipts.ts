import type { Pump } from "./pump.js";
import type { StreamId } from "./ids.js";
import type { Receipt, ReceiptState } from "./receipt.js";

interface Waiting {
  readonly edit: number;
  readonly where: "device" | "relay";
  resolve(): void;
  reject(error: Error): void;
}

/** The receipts of one document, and who waits for what. */
export class Receipts {
  #waiting: Waiting[] = [];

  constructor(
    private readonly pump: Pump,
    private readonly id: StreamId,
  ) {}

  of(edit: number): Receipt {
    return {
      state: () => this.#state(edit),
      reached: (where) =>
        new Promise((resolve, reject) => {
          this.#waiting.push({ edit, where, resolve, reject });
          this.look();
        }),
    };
  }

  /** Something was saved, or refused. */
  look(): void {
    this.#waiting = this.#waiting.filter(({ edit, where, resolve, reject }) => {
      const state = this.#state(edit);
      if (state.refused) reject(new Error("the relay has refused this edit; it is kept on this device"));
      else if (state[where]) resolve();
      else return true;
      return false;
    });
  }

  giveUp(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("the room was closed before"));
  }

  #state(edit: number): ReceiptState {
    return this.pump.ask((room) => room.receipt(this.id, edit));
  }
}
