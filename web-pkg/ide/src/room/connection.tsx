import { useSyncExternalStore, type ReactElement } from "react";
import { useConnection } from "@causeway/web/react";
import { useHasLasted } from "../shell/lasting.ts";

export function ConnectionMark(): ReactElement {
  const { state } = useConnection();
  return (
    <span className="connection" data-testid="connection" data-state={state} role="status" aria-live="polite">
      <span className="dot" aria-hidden="true" />
      {WORDS[state]}
    </span>
  );
}

/** Whether the link has been down long enough to speak of it. */
export function useIsLinkDown(): boolean {
  const { state } = useConnection();
  const isDown = state === "offline" || state === "connecting";
  const hasLasted = useHasLasted(isDown, UNNOTICED_MS);
  const hasNetwork = useHasNetwork();
  return isDown && (!hasNetwork || hasLasted);
}

/** Whether this device has a network, as far as the browser knows. */
export function useHasNetwork(): boolean {
  return useSyncExternalStore(onNetwork, () => navigator.onLine);
}

function onNetwork(changed: () => void): () => void {
  addEventListener("online", changed);
  addEventListener("offline", changed);
  return () => {
    removeEventListener("online", changed);
    removeEventListener("offline", changed);
  };
}

const WORDS = { offline: "Offline", connecting: "Connecting…", online: "Online", stopped: "Stopped" } as const;

/** A relay that restarts, or a phone that changes masts, is back before anybody needs to read about it. */
const UNNOTICED_MS = 1_200;
