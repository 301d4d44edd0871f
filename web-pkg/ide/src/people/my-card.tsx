import { useEffect, useRef, type ReactElement } from "react";
import { useMyPresence } from "@causeway/web/react";
import { Icon } from "../parts/icon.tsx";
import { rememberPerson } from "../shell/person.ts";
import { PersonForm } from "./person-form.tsx";

/** Changing one's name and colour, in a modal dialog of the browser. */
export function MyCard({ onClose }: { onClose(): void }): ReactElement {
  const [{ name, colour }, setPresence] = useMyPresence();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector("input")?.focus();
  }, []);
  const close = () => dialog.current?.close();
  return (
    <dialog
      ref={dialog}
      className="card-dialog"
      aria-label="Your name and colour"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div className="card-dialog-head">
        <h2>How the others see you</h2>
        <button type="button" className="icon-button" aria-label="Close" title="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <PersonForm
        initial={{ name, colour }}
        done="Done"
        onDone={(person) => {
          rememberPerson(person);
          setPresence(person);
          close();
        }}
      />
    </dialog>
  );
}
