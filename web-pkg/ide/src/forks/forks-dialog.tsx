import { useEffect, useRef, useState, type ReactElement } from "react";
import type { Fork } from "@causeway/web";
import { useForks, useObservable, useRoom } from "@causeway/web/react";
import type { RoomFiles } from "../files/room-files.ts";
import { Icon } from "../parts/icon.tsx";
import { ForkCard } from "./fork-card.tsx";
import { keptPath } from "./kept-path.ts";

export interface ForksDialogProps {
  readonly files: RoomFiles;
  onClose(): void;
}

/** All work the room did not take, in a modal dialog of the browser. */
export function ForksDialog({ files, onClose }: ForksDialogProps): ReactElement {
  const { documents } = useRoom();
  const listed = useObservable(documents);
  const { forks, text, reapply, discard } = useForks();
  const [words, setWords] = useState("");
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    heading.current?.focus();
  }, []);
  /** Does something, and says what has become of it: the page's notices lie under the dialog. */
  const told = (deed: () => string) => {
    try {
      setWords(deed());
    } catch (failure) {
      setWords(`That was not done: ${failure instanceof Error ? failure.message : String(failure)}`);
    }
    heading.current?.focus();
  };
  const pathOf = (fork: Fork) => files.list?.find((file) => file.id === fork.stream)?.path;
  const putBack = (fork: Fork) => {
    const path = fork.isWhole ? keptPath(pathOf(fork), listed.map((file) => file.path)) : pathOf(fork);
    told(() => {
      const target = reapply(fork, path);
      if (target !== "directory") files.choose(target);
      return `Put back${path === undefined ? "" : ` into ${path}`}.`;
    });
  };
  const forget = (fork: Fork) =>
    told(() => {
      discard(fork);
      return "Discarded.";
    });
  const close = () => dialog.current?.close();
  return (
    <dialog
      ref={dialog}
      className="card-dialog forks-dialog"
      aria-label="Work the room did not take"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div className="card-dialog-head">
        <h2 ref={heading} tabIndex={-1}>
          Work the room did not take
        </h2>
        <button type="button" className="icon-button" aria-label="Close" title="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <p className="forks-told" role="status">
        {words}
      </p>
      {forks.length === 0 ? (
        <p className="fork-preview">Nothing is left here.</p>
      ) : (
        <ul className="forks">
          {forks.map((fork) => (
            <ForkCard
              key={fork.id}
              fork={fork}
              path={pathOf(fork)}
              text={text}
              onPutBack={() => putBack(fork)}
              onDiscard={() => forget(fork)}
            />
          ))}
        </ul>
      )}
    </dialog>
  );
}
