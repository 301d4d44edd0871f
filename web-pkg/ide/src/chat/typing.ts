import { useCallback, useEffect, useRef } from "react";
import type { StreamId } from "@causeway/web";
import { useRoom } from "@causeway/web/react";

/** Lets the others know while somebody writes into a channel, and no longer. */
export function useTypingInto(channel: StreamId): (isTyping: boolean) => void {
  const { presence } = useRoom();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const tell = useCallback(
    (isTyping: boolean) => {
      clearTimeout(timer.current);
      const isTold = presence.get().typing === channel;
      if (isTyping) timer.current = setTimeout(() => tell(false), PAUSE_MS);
      if (isTyping !== isTold) presence.set({ typing: isTyping ? channel : null });
    },
    [presence, channel],
  );
  useEffect(() => () => tell(false), [tell]);
  return tell;
}

/** After this pause a person is no longer writing. */
const PAUSE_MS = 4_000;
