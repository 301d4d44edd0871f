import { useMemo } from "react";
import type { Fork, ForkText } from "../client/index.js";
import { useObservable } from "./observable.js";
import { useRoom } from "./room.js";

/** Work the relay did not take, as a component shows it. */
export interface ForksValue {
  readonly forks: readonly Fork[];
  text(fork: Fork): Promise<ForkText>;
  /** `path` is for a text that becomes a new document. */
  reapply(fork: Fork, path?: string): Fork["stream"];
  discard(fork: Fork): void;
}

/** Work the relay did not take; renders anew when there is more or less of it. */
export function useForks(): ForksValue {
  const room = useRoom();
  const forks = useObservable(room.forks);
  return useMemo(
    () => ({
      forks,
      text: (fork) => room.forks.text(fork),
      reapply: (fork, path) => room.forks.reapply(fork, path),
      discard: (fork) => room.forks.discard(fork),
    }),
    [room, forks],
  );
}
