import type { Room, StreamId, Text, Unsubscribe } from "@causeway/web";
import { openedIn } from "./opened.ts";

/** The words of a text as this page has them. */
export interface ReadText {
  readonly text: string;
  /** Whether the relay has told this page all it knew of it. */
  readonly isWhole: boolean;
}

/** Waits for what may still come; `null`: there are no words, and nobody has said that there are none. */
export async function readText(room: Room, id: StreamId, patience: Patience, signal: AbortSignal): Promise<ReadText | null> {
  openedIn(room).add(id);
  const text = room.text(id);
  try {
    await told(room, text, patience, signal);
    if (!text.isOpen) return null;
    const isWhole = isTold(room, text);
    const words = text.toString();
    return isWhole || words !== "" ? { text: words, isWhole: isWhole && room.isLeading } : null;
  } finally {
    text.release();
  }
}

/** How long texts are waited for. Where one did not come in time, most likely the next does not either. */
export class Patience {
  #hasEnded = false;

  get ms(): number {
    return this.#hasEnded ? NEXT_MS : FIRST_MS;
  }

  end(): void {
    this.#hasEnded = true;
  }
}

/**
 * Whether there is nothing to wait for. A page that follows hears from the page that leads what that one has, which may be
 * nothing yet: there an empty text says nothing.
 */
function isTold(room: Room, text: Text): boolean {
  return text.isOpen && text.synced.get() && (room.isLeading || text.length > 0);
}

/** Resolves when there is nothing to wait for, or nobody to wait for, or the time is over. */
function told(room: Room, text: Text, patience: Patience, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stops: Unsubscribe[] = [];
    let hasEnded = false;
    const end = () => {
      hasEnded = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      for (const stop of stops.splice(0)) stop();
      resolve();
    };
    const look = () => {
      const mayCome = ["online", "connecting"].includes(room.connection.get().state);
      if (isTold(room, text) || (text.isOpen && !mayCome)) end();
    };
    const timer = setTimeout(() => {
      patience.end();
      end();
    }, patience.ms);
    signal.addEventListener("abort", end);
    stops.push(text.synced.subscribe(look), room.connection.subscribe(look));
    // It tells at once what there is.
    stops.push(text.subscribe(look));
    text.ready.then(look, end);
    look();
    // Some may have been followed only after the end.
    if (hasEnded || signal.aborted) end();
  });
}

/** A long text on a slow line. */
const FIRST_MS = 10_000;
const NEXT_MS = 1_000;
