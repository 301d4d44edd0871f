import { useEffect, useId, useRef, type ReactElement, type ReactNode } from "react";

export interface QuestionProps {
  readonly title: string;
  readonly children: ReactNode;
  /** What is done if one agrees, as a button says it. */
  readonly yes: string;
  /** What leaves all as it is. */
  readonly no?: string;
  onYes(): void;
  onClose(): void;
}

/** Asks before something that others feel, in a modal dialog of the browser. Whoever just presses Enter keeps what there is. */
export function Question({ title, children, yes, no = "Keep", onYes, onClose }: QuestionProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const keep = useRef<HTMLButtonElement>(null);
  const [heading, words] = [useId(), useId()];
  useEffect(() => {
    dialog.current?.showModal();
    keep.current?.focus();
  }, []);
  const close = () => dialog.current?.close();
  return (
    <dialog
      ref={dialog}
      className="card-dialog question"
      role="alertdialog"
      aria-labelledby={heading}
      aria-describedby={words}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <h2 id={heading}>{title}</h2>
      <p id={words}>{children}</p>
      <div className="row">
        <button ref={keep} type="button" className="button" onClick={close}>
          {no}
        </button>
        <button
          type="button"
          className="button grave"
          onClick={() => {
            // Closed first: the dialog gives the focus back, and what is done may take it.
            close();
            onYes();
          }}
        >
          {yes}
        </button>
      </div>
    </dialog>
  );
}
