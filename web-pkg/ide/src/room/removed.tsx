import { useCallback, useEffect, type ReactElement } from "react";
import type { RoomFiles } from "../files/room-files.ts";
import { parted, type ShownFile } from "../files/shown-files.ts";
import { attempt } from "../shell/attempt.ts";
import { Toast } from "./toast.tsx";

export interface RemovedProps {
  readonly removed: readonly ShownFile[];
  readonly files: RoomFiles;
  /** These need no line any more. */
  onGone(files: readonly ShownFile[]): void;
}

/** What was just removed, and the quick way back; the list under the files is the slow one. */
export function Removed({ removed, files, onGone }: RemovedProps): ReactElement | null {
  // What is on the list again may have another name by now.
  const gone = removed.filter(({ id }) => !files.list?.some((file) => file.listed && file.id === id));
  const [first] = gone;
  const forget = useCallback(() => onGone(removed), [removed, onGone]);
  useEffect(() => {
    // Once more off the list, it is not what was just removed.
    if (gone.length < removed.length) onGone(removed.filter((file) => !gone.includes(file)));
    // `gone` follows from the others.
  }, [removed, files.list, onGone]);
  if (first === undefined) return null;
  const what = gone.length === 1 ? parted(first.path).name : `${gone.length} files`;
  const undo = () => void attempt(() => files.putBack(gone)).then(forget);
  return (
    <Toast about={removed} onGone={forget}>
      Removed {what}.
      <button type="button" className="button" onClick={undo}>
        Undo
      </button>
    </Toast>
  );
}
