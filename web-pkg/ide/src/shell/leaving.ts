import type { Room } from "@causeway/web";

/** The browser asks before a page goes that has the only copy of somebody's work; until what is returned is called. */
export function askBeforeLoss(room: Room): () => void {
  const ask = (event: BeforeUnloadEvent): void => {
    if (room.wouldLose()) event.preventDefault();
  };
  const look = (): void => {
    const { backend, state } = room.storage.get();
    // Not otherwise: a page with such a question is not kept for the way back.
    if (backend === "memory" || state === "failing") addEventListener("beforeunload", ask);
    else removeEventListener("beforeunload", ask);
  };
  const stopLooking = room.storage.subscribe(look);
  look();
  return () => {
    stopLooking();
    removeEventListener("beforeunload", ask);
  };
}
