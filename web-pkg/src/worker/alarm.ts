/** One wake-up at a time. Workers keep time where browsers slow a hidden page's timers down. */
export class Alarm {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly ring: () => void) {}

  /** Replaces the wake-up set before. */
  set(after: number | null): void {
    clearTimeout(this.#timer);
    this.#timer = after === null ? undefined : setTimeout(this.ring, Math.min(after, LONGEST_MS));
  }
}

/** Longer times overflow the browser's timer and would ring at once; an early ring is harmless. */
const LONGEST_MS = 2 ** 31 - 1;
