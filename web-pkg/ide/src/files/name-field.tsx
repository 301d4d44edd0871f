import { useId, useRef, useState, type KeyboardEvent, type ReactElement } from "react";

export interface NameFieldProps {
  readonly label: string;
  readonly initial: string;
  /** What is wrong with a name, as a sentence, or `null`. */
  complaint(name: string): string | null;
  onName(name: string): Promise<void>;
  onDone(): void;
}

/** A name in place of a line of the tree. Enter keeps it, Escape leaves it, and looking away keeps what can be kept. */
export function NameField({ label, initial, complaint, onName, onDone }: NameFieldProps): ReactElement {
  const [name, setName] = useState(initial);
  const [wrong, setWrong] = useState<string | null>(null);
  const isDone = useRef(false);
  const id = useId();
  const finish = () => {
    isDone.current = true;
    onDone();
  };
  const keep = () => {
    const wanted = name.trim();
    if (wanted === initial) return finish();
    const sentence = complaint(wanted);
    if (sentence !== null) return setWrong(sentence);
    isDone.current = true;
    onName(wanted).then(onDone, (refused: Error) => {
      isDone.current = false;
      setWrong(refused.message);
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // The tree around has keys of its own.
    event.stopPropagation();
    if (event.key === "Enter") keep();
    else if (event.key === "Escape") finish();
    else return;
    event.preventDefault();
  };
  return (
    <span className="name-field">
      <input
        className="field"
        aria-label={label}
        aria-invalid={wrong !== null}
        aria-describedby={id}
        value={name}
        autoFocus
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        onFocus={(event) => event.target.setSelectionRange(0, stemEnd(name))}
        onChange={(event) => {
          setName(event.target.value);
          setWrong(null);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => {
          if (isDone.current) return;
          if (name.trim() === "" || complaint(name.trim()) !== null) finish();
          else keep();
        }}
      />
      <span id={id} className="name-complaint" role="alert" hidden={wrong === null}>
        {wrong}
      </span>
    </span>
  );
}

/** Where the name ends and its ending begins: a rename usually keeps the ending. */
function stemEnd(name: string): number {
  const dot = name.lastIndexOf(".");
  return dot > name.lastIndexOf("/") + 1 ? dot : name.length;
}
