import type { ReactElement } from "react";
import type { StreamId } from "@causeway/web";
import { useConnection, useSyncStatus } from "@causeway/web/react";
import { Icon } from "../parts/icon.tsx";
import { savedByHand } from "./saved-words.ts";
import { Toast } from "./toast.tsx";

export interface SavedByHandProps {
  readonly id: StreamId | null;
  /** Another for each time somebody asked. */
  readonly asked: number;
  onGone(): void;
}

/** Whoever presses the keys that save elsewhere is told where the work is, as it is and as it becomes. */
export function SavedByHand({ id, asked, onGone }: SavedByHandProps): ReactElement {
  const status = useSyncStatus(id);
  const connection = useConnection().state;
  const isSaved = status?.relay === "saved" && status.device !== "saving";
  return (
    <Toast about={asked} onGone={onGone}>
      <Icon name={isSaved ? "check" : "clock"} size={16} />
      <span data-testid="saved-by-hand">{savedByHand(status, connection)} Nothing needs to be saved by hand here.</span>
    </Toast>
  );
}
