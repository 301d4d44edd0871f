import type { ReactElement } from "react";
import type { RoomFiles } from "../files/room-files.ts";
import { parted, type ShownFile } from "../files/shown-files.ts";
import { attempt } from "../shell/attempt.ts";
import { Toast } from "./toast.tsx";

export interface RemovedProps {
  readonly removed: readonly ShownFile[];
  readonly files: RoomFiles;
  onGone(): void;
}

/** What was just removed, and the quick way back; the list under the files is the slow one. */
export function Removed({ removed, files, onGone }: RemovedProps): ReactElement {
  const [first] = removed;
  const what = removed.length === 1 && first !== undefined ? parted(first.path).name : `${removed.length} files`;
  const undo = () => void attempt(() => files.putBack(removed)).then(onGone);
  return (
    <Toast about={removed} onGone={onGone}>
      Removed {what}.
      <button type="button" className="button" onClick={undo}>
        Undo
      </button>
    </Toast>
  );
}
