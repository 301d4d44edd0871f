import { useEffect, useRef, type ReactElement } from "react";
import { useMyPresence, useOthers } from "@causeway/web/react";
import { Icon } from "../parts/icon.tsx";
import { rememberPerson, whoIsHere } from "../shell/person.ts";
import { PersonForm } from "./person-form.tsx";

/** Changing one's name and colour, in a modal dialog of the browser. */
export function MyCard({ onClose }: { onClose(): void }): ReactElement {
  const [{ name, colour }, setPresence] = useMyPresence();
  const taken = new Map(useOthers().map((other) => [other.colour, other.name || "somebody"]));
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
        taken={taken}
        done="Done"
        onDone={(person) => {
          // A colour that was taken in this room alone is not the one of other rooms.
          const before = whoIsHere();
          rememberPerson(person.isChosen === true || before === null ? person : { ...before, name: person.name });
          setPresence({ name: person.name, colour: person.colour });
          close();
        }}
      />
    </dialog>
  );
}
