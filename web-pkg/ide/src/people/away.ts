import { useEffect } from "react";
import { useRoom } from "@causeway/web/react";

/** A hidden page shows its person as away. */
export function useAwayWhenHidden(): void {
  const { presence } = useRoom();
  useEffect(() => {
    const tell = () => presence.set({ status: document.visibilityState === "hidden" ? "away" : "idle" });
    document.addEventListener("visibilitychange", tell);
    return () => document.removeEventListener("visibilitychange", tell);
  }, [presence]);
}
