import type { Observable, Room, StreamId } from "@causeway/web";

/** The words of a text, whole as far as the relay can be asked; `null`: this device has none of it, and nobody could be asked. */
export async function readText(room: Room, id: StreamId): Promise<string | null> {
  const text = room.text(id);
  try {
    await text.ready;
    const mayCome = room.connection.get().state === "online" && !text.synced.get();
    const isWhole = mayCome ? await becomesTrue(text.synced) : text.synced.get();
    return isWhole || text.length > 0 ? text.toString() : null;
  } finally {
    text.release();
  }
}

/** Whether it does so soon. */
function becomesTrue(observable: Observable<boolean>): Promise<boolean> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop();
      resolve(observable.get());
    };
    const timer = setTimeout(end, PATIENCE_MS);
    const stop = observable.subscribe((isTrue) => isTrue && end());
  });
}

/** A long text on a slow line. */
const PATIENCE_MS = 10_000;
