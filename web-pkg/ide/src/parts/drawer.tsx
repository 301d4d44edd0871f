import { useEffect, useRef, type ReactElement } from "react";
import { Icon } from "./icon.tsx";
import { Logo } from "./logo.tsx";

export interface DrawerProps {
  readonly isOpen: boolean;
  readonly children: ReactElement;
  onClose(): void;
}

/** A modal dialog of the browser: it keeps the focus inside, closes with Escape and gives the focus back. */
export function Drawer({ isOpen, children, onClose }: DrawerProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={dialog}
      className="drawer"
      aria-label="Files and people"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="drawer-content">
        <div className="drawer-head">
          <a className="wordmark" href="/">
            <Logo /> Causeway
          </a>
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
