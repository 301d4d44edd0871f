import { useRef, useState, type ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { Question } from "../parts/question.tsx";
import { attempt } from "../shell/attempt.ts";
import { Glyph } from "./glyph.tsx";
import type { RemovedFile, RemovedFiles } from "./removed-files.ts";
import type { RoomFiles } from "./room-files.ts";

export interface RemovedListProps {
  readonly removed: RemovedFiles;
  readonly files: RoomFiles;
}

/** The way back for files that are off the room's list, however long ago somebody removed them. */
export function RemovedList({ removed: { list, forget }, files }: RemovedListProps): ReactElement | null {
  const [isAsking, setIsAsking] = useState(false);
  const [forgetting, setForgetting] = useState<RemovedFile | null>(null);
  const summary = useRef<HTMLElement>(null);
  const asked = forgetting !== null && list.includes(forgetting) ? forgetting : null;
  // What was asked about is back: a question that comes up again later would be nobody's.
  if (forgetting !== null && asked === null) setForgetting(null);
  if (isAsking && list.length < 2) setIsAsking(false);
  if (list.length === 0) return null;
  // The button that was pressed goes with its line.
  const leaveLine = () => summary.current?.focus();
  const putBack = (some: readonly RemovedFile[]) => {
    leaveLine();
    void attempt(() => files.putBack(some.map((file) => ({ ...file, listed: false }))));
  };
  return (
    <>
      <details className="removed">
        <summary ref={summary}>
          <Icon name="chevron" size={12} />
          Removed <span className="count">{list.length}</span>
        </summary>
        <ul aria-label="Removed files">
          {list.map((file) => (
            <li key={file.id} title={file.path}>
              <Glyph path={file.path} />
              <span className="removed-path">{file.path}</span>
              <button type="button" className="button" aria-label={`Put back ${file.path}`} onClick={() => putBack([file])}>
                Put back
              </button>
              <button
                type="button"
                className="icon-button small"
                aria-label={`Forget ${file.path} here`}
                title="Take it off this list…"
                onClick={() => setForgetting(file)}
              >
                <Icon name="close" size={14} />
              </button>
            </li>
          ))}
        </ul>
        {list.length > 1 && (
          <button type="button" className="button" onClick={() => setIsAsking(true)}>
            Put all {list.length} back
          </button>
        )}
      </details>
      {asked !== null && (
        <Question
          title={`Forget ${asked.path} here?`}
          yes="Forget it"
          onYes={() => {
            leaveLine();
            forget(asked);
          }}
          onClose={() => setForgetting(null)}
        >
          Its text stays in the room, but nothing on this device leads to it any more. Others who saw it go can still put it
          back.
        </Question>
      )}
      {isAsking && (
        <Question
          title={`Put ${list.length} files back?`}
          yes="Put back"
          no="Not now"
          onYes={() => putBack(list)}
          onClose={() => setIsAsking(false)}
        >
          They will be on the list again for everybody.
        </Question>
      )}
    </>
  );
}
