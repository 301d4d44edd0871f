/** Where one edit is. The facts are independent of each other. */
export interface ReceiptState {
  /** On this device's disk; never where this device keeps nothing. */
  readonly device: boolean;
  /** On the relay's disk, after its fsync. */
  readonly relay: boolean;
  /** Applied by so many other devices that are connected now. */
  readonly seenBy: number;
  /** Set aside: refused by the relay, or written while another page took this device's disk over. Kept as a fork. */
  readonly refused: boolean;
}

/** What a write returns. */
export interface Receipt {
  state(): ReceiptState;
  /**
   * Resolves once the edit is there. Rejects with a `CausewayError`: `set-aside` where it was refused, `no-disk` where this
   * device keeps nothing, `room-closed`, `engine-dead` or `worker-dead` where the room has ended before.
   */
  reached(where: "device" | "relay"): Promise<void>;
}
