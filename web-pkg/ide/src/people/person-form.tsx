import { useId, useState, type ReactElement } from "react";
import { COLOURS, cleanName, css, type Person } from "../shell/person.ts";
import { NamedCaret } from "./named-caret.tsx";

export interface PersonFormProps {
  readonly initial: Person;
  /** What the button says. */
  readonly done: string;
  onDone(person: Person): void;
}

/** A name and a colour, with a look at how the others will see them. */
export function PersonForm({ initial, done, onDone }: PersonFormProps): ReactElement {
  const [name, setName] = useState(initial.name);
  const [colour, setColour] = useState(initial.colour);
  const id = useId();
  const shown = cleanName(name);
  return (
    <form
      className="person-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onDone({ name: shown || initial.name, colour });
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
          {COLOURS.map((choice) => (
            <label key={choice.value} title={choice.name}>
              <input
                type="radio"
                name={`${id}-colour`}
                checked={choice.value === colour}
                onChange={() => setColour(choice.value)}
              />
              <span style={{ backgroundColor: css(choice.value) }} />
              <span className="unseen">{choice.name}</span>
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
