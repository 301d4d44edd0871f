/** What kept something from being done, for programs. What the engine itself refuses has further codes. */
export type ErrorCode =
  /** `init` has not finished. */
  | "not-initialised"
  /** The address of the room is none. */
  | "address"
  /** The engine has met a bug. */
  | "engine-dead"
  /** The part that saves and sends has ended. */
  | "worker-dead"
  /** The room was closed before. */
  | "room-closed"
  /** This device keeps nothing: no edit gets to a disk here. */
  | "no-disk"
  /** The disk of this device is full, so the text takes no edits. */
  | "disk-full"
  /** The edit did not stay where it was made; what it said is kept apart. */
  | "set-aside";

/** Why something was not done: a code for programs, a sentence for people. */
export class CausewayError extends Error {
  constructor(
    readonly code: ErrorCode,
    sentence: string,
  ) {
    super(sentence);
    this.name = "CausewayError";
  }
}
