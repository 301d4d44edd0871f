import { useEffect, useId, useRef, type ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { Toast } from "../room/toast.tsx";
import type { Doing, Transfers } from "./transfers.ts";
import type { Told } from "./transfer-words.ts";

/** What is under way with files, and what came of it. What was not taken stays until it has been read. */
export function TransferLine({ transfers }: { readonly transfers: Transfers }): ReactElement | null {
  const { doing, told, putAway } = transfers;
  if (doing !== null) return <Underway doing={doing} />;
  if (told === null) return null;
  if (told.refused.length > 0) return <Report told={told} onClose={putAway} />;
  return (
    <Toast about={told} onGone={putAway}>
      <span>{told.sentence}</span>
    </Toast>
  );
}

/** The count is for the eye: read aloud it would never end. */
function Underway({ doing: { what, done, of, cancel } }: { readonly doing: Doing }): ReactElement {
  return (
    <div className="toast underway">
      <span className="unseen" role="status">
        {what}
      </span>
      <span aria-hidden="true">{of > 1 ? `${what}: ${done} of ${of}` : `${what}…`}</span>
      <progress aria-label={what} {...(of > 0 ? { value: done, max: of } : {})} />
      {cancel !== undefined && (
        <button type="button" className="button" onClick={cancel}>
          Cancel
        </button>
      )}
    </div>
  );
}

function Report({ told, onClose }: { readonly told: Told; onClose(): void }): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const [heading, words] = [useId(), useId()];
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => dialog.current?.close();
  return (
    <dialog ref={dialog} className="card-dialog report" aria-labelledby={heading} aria-describedby={words} onClose={onClose}>
      <div className="card-dialog-head">
        <h2 id={heading}>Not all files</h2>
        <button type="button" className="icon-button" aria-label="Close" title="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <p id={words}>{told.sentence}</p>
      <ul tabIndex={0} aria-label="Files that were not taken">
        {told.refused.map(({ path, sentence }) => (
          <li key={path}>
            <b>{path}</b>
            <span>{sentence}</span>
          </li>
        ))}
      </ul>
    </dialog>
  );
}
