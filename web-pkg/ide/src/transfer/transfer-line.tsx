import { useEffect, useId, useRef, useState, type ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { Toast } from "../room/toast.tsx";
import type { Doing, Transfers } from "./transfers.ts";
import type { Told } from "./transfer-words.ts";

/** What is under way with files, and what came of it. What was not taken stays until it has been put away. */
export function TransferLine({ transfers }: { readonly transfers: Transfers }): ReactElement {
  const { doing, told, putAway, turnedAway, forgetTurnedAway } = transfers;
  return (
    <>
      {doing !== null && <Underway doing={doing} />}
      {turnedAway !== null && <Sentence told={turnedAway} onGone={forgetTurnedAway} />}
      {doing === null && told !== null && told.refused.length === 0 && <Sentence told={told} onGone={putAway} />}
      {doing === null && told !== null && told.refused.length > 0 && <Report told={told} onClose={putAway} />}
    </>
  );
}

function Sentence({ told, onGone }: { readonly told: Told; onGone(): void }): ReactElement {
  return (
    <Toast about={told} onGone={onGone}>
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
      <button type="button" className="button" onClick={cancel}>
        Cancel
      </button>
    </div>
  );
}

interface ReportProps {
  readonly told: Told;
  onClose(): void;
}

/** Opens by itself, unless somebody is writing: their next key would close it. */
function Report({ told, onClose }: ReportProps): ReactElement {
  const [isShown, show] = useState(() => !isWriting());
  if (isShown) return <ReportDialog told={told} onClose={onClose} />;
  return (
    <div className="toast" role="status">
      <span>{told.sentence.replace(/:$/, ".")}</span>
      <button type="button" className="button" onClick={() => show(true)}>
        Show which
      </button>
      <button type="button" className="button" onClick={onClose}>
        Close
      </button>
    </div>
  );
}

function isWriting(): boolean {
  const isInField = document.activeElement?.matches("input, textarea, [contenteditable=true]") ?? false;
  return isInField || document.querySelector("dialog[open]") !== null;
}

function ReportDialog({ told, onClose }: ReportProps): ReactElement {
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
      <ul tabIndex={0} aria-label="Files and what became of them">
        {told.refused.map(({ path, sentence }, nth) => (
          <li key={nth}>
            <b>{path}</b>
            <span>{sentence}</span>
          </li>
        ))}
      </ul>
    </dialog>
  );
}
