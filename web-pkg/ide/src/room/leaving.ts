import { useEffect } from "react";
import { useRoom, useStorage } from "@causeway/web/react";

/** The browser asks before a tab is closed that has the only copy of somebody's work. */
export function useAskingBeforeLoss(): void {
  const room = useRoom();
  const storage = useStorage();
  // Not otherwise: a page with such a question is not kept for the way back.
  const isAtRisk = storage.backend === "memory" || storage.state === "failing";
  useEffect(() => {
    if (!isAtRisk) return;
    const ask = (event: BeforeUnloadEvent) => {
      if (room.wouldLose()) event.preventDefault();
    };
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [room, isAtRisk]);
}
