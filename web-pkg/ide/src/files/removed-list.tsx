import { useRef, useState, type ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { Question } from "../parts/question.tsx";
import { attempt } from "../shell/attempt.ts";
import { Glyph } from "./glyph.tsx";
import type { RemovedFile } from "./removed-files.ts";
import type { RoomFiles } from "./room-files.ts";

export interface RemovedListProps {
  readonly removed: readonly RemovedFile[];
  readonly files: RoomFiles;
}

/** The way back for files that are off the room's list, however long ago somebody removed them. */
export function RemovedList({ removed, files }: RemovedListProps): ReactElement | null {
  const [isAsking, setIsAsking] = useState(false);
  const summary = useRef<HTMLElement>(null);
  if (removed.length === 0) return null;
  const putBack = (some: readonly RemovedFile[]) => {
    // The button that was pressed goes with its line.
    summary.current?.focus();
    void attempt(() => files.putBack(some.map((file) => ({ ...file, listed: false }))));
  };
  return (
    <details className="removed">
      <summary ref={summary}>
        <Icon name="chevron" size={12} />
        Removed <span className="count">{removed.length}</span>
      </summary>
      <ul aria-label="Removed files">
        {removed.map((file) => (
          <li key={file.id} title={file.path}>
            <Glyph path={file.path} />
            <span className="removed-path">{file.path}</span>
            <button type="button" className="button" aria-label={`Put back ${file.path}`} onClick={() => putBack([file])}>
              Put back
            </button>
          </li>
        ))}
      </ul>
      {removed.length > 1 && (
        <button type="button" className="button" onClick={() => setIsAsking(true)}>
          Put all {removed.length} back
        </button>
      )}
      {isAsking && (
        <Question
          title={`Put ${removed.length} files back?`}
          yes="Put back"
          no="Not now"
          onYes={() => putBack(removed)}
          onClose={() => setIsAsking(false)}
        >
          They will be on the list again for everybody.
        </Question>
      )}
    </details>
  );
}
