import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactElement, type ReactNode } from "react";

/** One thing to pick. */
export interface Choice {
  readonly key: string;
  readonly content: ReactNode;
  /** Said instead of the content by screen readers. */
  readonly label: string;
  run(): void;
}

export interface PickerProps {
  /** What is picked, for screen readers. */
  readonly label: string;
  readonly placeholder: string;
  /** Said where nothing fits. */
  readonly nothing: string;
  choices(query: string): readonly Choice[];
  onClose(): void;
}

/** A field over a list, in a modal dialog of the browser: type to narrow, arrows to choose, Enter to take, Escape to leave. */
export function Picker({ label, placeholder, nothing, choices, onClose }: PickerProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const shown = choices(query).slice(0, MOST);
  const chosen = Math.min(at, shown.length - 1);
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const take = (choice: Choice | undefined) => {
    if (choice === undefined) return;
    // Closed first: the dialog gives the focus back, and what runs may take it.
    dialog.current?.close();
    choice.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step !== undefined && shown.length > 0) setAt((chosen + step + shown.length) % shown.length);
    else if (event.key === "Enter") take(shown[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog
      ref={dialog}
      className="picker"
      aria-label={label}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <input
        className="picker-field"
        role="combobox"
        aria-label={label}
        aria-expanded="true"
        aria-controls={id}
        aria-autocomplete="list"
        aria-activedescendant={shown.length === 0 ? undefined : `${id}-${chosen}`}
        placeholder={placeholder}
        value={query}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
      />
      <div ref={list} id={id} className="picker-list" role="listbox" aria-label={label}>
        {shown.map((choice, place) => (
          <div
            key={choice.key}
            id={`${id}-${place}`}
            role="option"
            className="picker-choice"
            aria-selected={place === chosen}
            aria-label={choice.label}
            onPointerMove={() => setAt(place)}
            onClick={() => take(choice)}
          >
            {choice.content}
          </div>
        ))}
      </div>
      {shown.length === 0 && (
        <p className="picker-nothing" role="status">
          {nothing}
        </p>
      )}
    </dialog>
  );
}

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };
/** Nobody reads further down: another letter is quicker. */
const MOST = 50;
