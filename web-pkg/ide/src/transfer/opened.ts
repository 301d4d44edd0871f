import type { Room, StreamId } from "@causeway/web";

/** The texts that moving files has opened on this page. */
export interface Opened {
  add(id: StreamId): void;
  /** Those of `ids` that would be opened anew. */
  fresh(ids: readonly StreamId[]): number;
  /** How many more may be. */
  readonly left: number;
}

const ROOMS = new WeakMap<Room, Opened>();

export function openedIn(room: Room): Opened {
  const opened = ROOMS.get(room) ?? new OpenedTexts();
  ROOMS.set(room, opened);
  return opened;
}

export class OpenedTexts implements Opened {
  readonly #ids = new Set<StreamId>();

  add(id: StreamId): void {
    this.#ids.add(id);
  }

  fresh(ids: readonly StreamId[]): number {
    return ids.filter((id) => !this.#ids.has(id)).length;
  }

  get left(): number {
    return Math.max(0, TEXTS - this.#ids.size);
  }
}

/**
 * A text that was opened is followed until the page goes, and the relay ends the link of a device that follows 2,000. Two tabs
 * of one browser share a link.
 */
export const TEXTS = 900;
