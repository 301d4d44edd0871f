/** Where one edit is. The facts are independent of each other. */
export interface ReceiptState {
  /** On this device's disk. */
  readonly device: boolean;
  /** On the relay's disk, after its fsync. */
  readonly relay: boolean;
  /** Applied by so many other devices that are connected now. */
  readonly seenBy: number;
  /** Refused by the relay; kept as a fork. */
  readonly refused: boolean;
}

/** What a write returns. */
export interface Receipt {
  state(): ReceiptState;
  /** Resolves once the edit is there. Rejects if the relay refuses it or the room is closed before. */
  reached(where: "device" | "relay"): Promise<void>;
}
