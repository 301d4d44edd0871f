import { useId, useState, type ReactElement } from "react";
import { COLOURS, cleanName, css, type Person } from "../shell/person.ts";
import { NamedCaret } from "./named-caret.tsx";

export interface PersonFormProps {
  readonly initial: Person;
  /** What the button says. */
  readonly done: string;
  /** Whose colours are whose, as far as it is known. */
  readonly taken?: ReadonlyMap<number, string>;
  onDone(person: Person): void;
}

/** A name and a colour, with a look at how the others will see them. */
export function PersonForm({ initial, done, taken = NOBODY, onDone }: PersonFormProps): ReactElement {
  const [name, setName] = useState(initial.name);
  const [colour, setColour] = useState(initial.colour);
  const [isChosen, setChosen] = useState(initial.isChosen === true);
  const id = useId();
  const shown = cleanName(name);
  return (
    <form
      className="person-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onDone({ name: shown || initial.name, colour, isChosen });
      }}
    >
      <label htmlFor={`${id}-name`}>Your name</label>
      <input
        id={`${id}-name`}
        className="field large"
        value={name}
        placeholder={initial.name}
        autoFocus
        autoComplete="nickname"
        enterKeyHint="go"
        onFocus={(event) => event.target.select()}
        onChange={(event) => setName(event.target.value)}
      />
      <fieldset>
        <legend>Your colour</legend>
        <div className="swatches">
          {COLOURS.map((choice) => ({ ...choice, words: wordsOf(choice, taken) })).map((choice) => (
            <label key={choice.value} title={choice.words} className={taken.has(choice.value) ? "taken" : undefined}>
              <input
                type="radio"
                name={`${id}-colour`}
                checked={choice.value === colour}
                onChange={() => {
                  setColour(choice.value);
                  setChosen(true);
                }}
              />
              <span style={{ backgroundColor: css(choice.value) }} />
              <span className="unseen">{choice.words}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <NamedCaret name={shown || initial.name} colour={colour} />
      <button type="submit" className="button main large">
        {done}
      </button>
    </form>
  );
}

function wordsOf({ name, value }: (typeof COLOURS)[number], taken: ReadonlyMap<number, string>): string {
  const owner = taken.get(value);
  return owner === undefined ? name : `${name}, the colour of ${owner} here`;
}

const NOBODY: ReadonlyMap<number, string> = new Map();
