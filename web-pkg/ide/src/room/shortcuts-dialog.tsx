import { Fragment, useEffect, useId, useRef, type ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { shownKeys } from "../shell/keys.ts";
import { SHORTCUTS, type Shortcut } from "./shortcuts.ts";

/** All shortcuts, in a modal dialog of the browser. */
export function ShortcutsDialog({ onClose }: { onClose(): void }): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => dialog.current?.close();
  return (
    <dialog
      ref={dialog}
      className="card-dialog shortcuts"
      aria-labelledby={heading}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div className="card-dialog-head">
        <h2 id={heading}>Keyboard shortcuts</h2>
        <button type="button" className="icon-button" aria-label="Close" title="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      {/* A list that is longer than a screen is scrolled by keyboard too. */}
      <div className="shortcuts-list" tabIndex={0} role="region" aria-labelledby={heading}>
        {SHORTCUTS.map(({ where, list }) => (
          <section key={where} aria-label={where}>
            <h3>{where}</h3>
            <dl>
              {list.map((shortcut) => (
                <Line key={shortcut.does} {...shortcut} />
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}

function Line({ keys, does }: Shortcut): ReactElement {
  return (
    <div>
      <dt>
        {keys.map((key, at) => (
          <Fragment key={key}>
            {at > 0 && " "}
            <kbd>{shownKeys(key)}</kbd>
          </Fragment>
        ))}
      </dt>
      <dd>{does}</dd>
    </div>
  );
}
