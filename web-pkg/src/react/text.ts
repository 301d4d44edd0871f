import { useCallback, useSyncExternalStore } from "react";
import type { SaveStatus, StreamId } from "../client/index.js";
import { useRoom } from "./room.js";
import { NOTHING_OPEN, heldText, type HeldText, type OpenText, type TextValue } from "./held-text.js";

export type { OpenText, TextValue } from "./held-text.js";

/** A text with its characters; renders anew with every change to it. For an editor, `useTextHandle` is enough. */
export function useText(id: StreamId | null): TextValue {
  const held = useHeld(id);
  return useHeldSnapshot(
    held,
    (held, changed) => held.onValue(changed),
    (held) => held.value(),
    NO_TEXT,
  );
}

/** A text without its characters; renders anew when it has been opened. */
export function useTextHandle(id: StreamId | null): OpenText {
  const held = useHeld(id);
  return useHeldSnapshot(
    held,
    (held, changed) => held.onOpen(changed),
    (held) => held.open(),
    NOTHING_OPEN,
  );
}

/** Where the work on a text is saved; `null` until the text has been opened. */
export function useSyncStatus(id: StreamId | null): SaveStatus | null {
  const held = useHeld(id);
  return useHeldSnapshot(
    held,
    (held, changed) => held.onStatus(changed),
    (held) => held.status(),
    null,
  );
}

function useHeld(id: StreamId | null): HeldText | null {
  const room = useRoom();
  return id === null ? null : heldText(room, id);
}

function useHeldSnapshot<T>(
  held: HeldText | null,
  subscribe: (held: HeldText, changed: () => void) => () => void,
  get: (held: HeldText) => T,
  none: T,
): T {
  const subscribed = useCallback(
    (changed: () => void) => (held === null ? () => undefined : subscribe(held, changed)),
    // `subscribe` and `get` are constant per hook.
    [held],
  );
  const snapshot = () => (held === null ? none : get(held));
  return useSyncExternalStore(subscribed, snapshot, () => none);
}

const NO_TEXT: TextValue = { ...NOTHING_OPEN, value: "" };
