/**
 * Which tab of this browser keeps a room's rows on disk. This is for people (one tab that saves, the others say that they
 * do not); safety does not rest on it, because core fences every commit.
 */

/** Time an owner has to answer. Another tab's worker answers in a millisecond; a tab that is being closed not at all. */
const ANSWER_WITHIN_MS = 250;

/** Time a tab that is going away has to let go of the lock, after it no longer answered. */
const LOCK_WITHIN_MS = 2_000;

type Question = { readonly type: "who-owns" } | { readonly type: "mine" };

/** Ownership of a room's database, held until `release`. */
export class Ownership {
  #channel: BroadcastChannel | undefined;
  #unlock: (() => void) | undefined;

  private constructor(private readonly name: string) {}

  /** `null`: another tab owns it. */
  static async acquire(room: string): Promise<Ownership | null> {
    const ownership = new Ownership(`causeway/${room}`);
    const locks = locksHere();
    if (locks === undefined) {
      if (await ownership.#isAnswered()) return null;
    } else if (!(await ownership.#lock(locks, { ifAvailable: true }))) {
      if (await ownership.#isAnswered()) return null;
      if (!(await ownership.#lock(locks, { signal: AbortSignal.timeout(LOCK_WITHIN_MS) }))) return null;
    }
    ownership.#answer();
    return ownership;
  }

  /** Whoever asks from now on is not answered, and waits for the release. */
  hush(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  release(): void {
    this.hush();
    this.#unlock?.();
    this.#unlock = undefined;
  }

  #answer(): void {
    const channel = new BroadcastChannel(this.name);
    channel.onmessage = (event: MessageEvent<Question>) => {
      if (event.data.type === "who-owns") channel.postMessage({ type: "mine" } satisfies Question);
    };
    this.#channel = channel;
  }

  #isAnswered(): Promise<boolean> {
    const channel = new BroadcastChannel(this.name);
    return new Promise((resolve) => {
      const end = (answered: boolean): void => {
        clearTimeout(deadline);
        channel.close();
        resolve(answered);
      };
      const deadline = setTimeout(end, ANSWER_WITHIN_MS, false);
      channel.onmessage = (event: MessageEvent<Question>) => {
        if (event.data.type === "mine") end(true);
      };
      channel.postMessage({ type: "who-owns" } satisfies Question);
    });
  }

  #lock(locks: LockManager, options: LockOptions): Promise<boolean> {
    return new Promise((resolve) => {
      const held = (lock: Lock | null): Promise<void> | undefined => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise((unlock) => (this.#unlock = unlock));
      };
      locks.request(this.name, options, held).catch(() => resolve(false));
    });
  }
}

/** Web Locks exist on secure origins only. */
function locksHere(): LockManager | undefined {
  return (globalThis as { readonly navigator?: { readonly locks?: LockManager } }).navigator?.locks;
}
