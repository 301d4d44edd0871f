import type { Room } from "@causeway/web";

/** The browser asks before a page goes that has the only copy of somebody's work; until what is returned is called. */
export function askBeforeLoss(room: Room): () => void {
  const ask = (event: BeforeUnloadEvent): void => {
    if (room.wouldLose()) event.preventDefault();
  };
  let hasEnded = false;
  const look = (): void => {
    const { backend, state } = room.storage.get();
    // Not otherwise: a page with such a question is not kept for the way back.
    if (hasEnded || backend === "memory" || state === "failing") addEventListener("beforeunload", ask);
    else removeEventListener("beforeunload", ask);
  };
  const stopReading = [
    room.storage.subscribe(look),
    room.notices(({ kind }) => {
      hasEnded ||= kind === "engine-dead" || kind === "worker-dead";
      look();
    }),
  ];
  look();
  return () => {
    for (const stop of stopReading) stop();
    removeEventListener("beforeunload", ask);
  };
}
