import { memo, useId, useState, type ReactElement } from "react";
import type { Activity, Listed } from "@causeway/web";
import { useDocuments, useMyPresence, useOthers } from "@causeway/web/react";
import { Icon } from "../parts/icon.tsx";
import { COLOURS, cleanName, css, rememberPerson } from "../shell/person.ts";
import { Avatar } from "./avatar.tsx";

/** Everybody in the room, oneself first. */
export function People(): ReactElement {
  const others = useOthers();
  const documents = useDocuments();
  const heading = useId();
  return (
    <section className="people" aria-labelledby={heading}>
      <div className="section-head">
        <h2 id={heading}>People</h2>
      </div>
      <ul data-testid="people">
        <Myself />
        {others.map(({ id, name, colour, status, cursor, typing }) => (
          <Other
            key={id}
            name={name}
            colour={colour}
            status={status}
            place={pathOf(documents, typing ?? cursor?.stream)}
            isTyping={typing !== null}
          />
        ))}
      </ul>
      {others.length === 0 && <p className="quiet">Nobody else is here. Send somebody the link.</p>}
    </section>
  );
}

interface OtherProps {
  readonly name: string;
  readonly colour: number;
  readonly status: Activity;
  readonly place: string | null;
  readonly isTyping: boolean;
}

/** Cursors move many times a second; a line is drawn again only when what it says has changed. */
const Other = memo(function Other({ name, colour, status, place, isTyping }: OtherProps): ReactElement {
  return (
    <li className="person" data-testid="person">
      <Avatar name={name} colour={colour} isAway={status === "away"} />
      <span className="person-name">{name || "Somebody"}</span>
      <span className="person-place">{doing(status, place, isTyping)}</span>
    </li>
  );
});

function doing(status: Activity, place: string | null, isTyping: boolean): string {
  if (status === "away") return "away";
  if (status === "running") return "running";
  if (isTyping) return place === null ? "writing" : `writing in ${place}`;
  return place === null ? "here" : `in ${place}`;
}

function pathOf(documents: readonly Listed[], stream: string | undefined): string | null {
  return documents.find((file) => file.id === stream)?.path ?? null;
}

function Myself(): ReactElement {
  const [{ name, colour }, setPresence] = useMyPresence();
  const [isEditing, setEditing] = useState(false);
  const change = (person: { name: string; colour: number }) => {
    rememberPerson(person);
    setPresence(person);
  };
  if (isEditing) return <MyForm name={name} colour={colour} onChange={change} onDone={() => setEditing(false)} />;
  return (
    <li className="person me">
      <Avatar name={name} colour={colour} />
      <span className="person-name">{name}</span>
      <span className="person-place">you</span>
      <button
        type="button"
        className="icon-button small"
        aria-label="Change your name and colour"
        title="Change your name and colour"
        onClick={() => setEditing(true)}
      >
        <Icon name="rename" size={15} />
      </button>
    </li>
  );
}

interface MyFormProps {
  readonly name: string;
  readonly colour: number;
  onChange(person: { name: string; colour: number }): void;
  onDone(): void;
}

function MyForm({ name, colour, onChange, onDone }: MyFormProps): ReactElement {
  const [draft, setDraft] = useState(name);
  const group = useId();
  return (
    <li>
      <form
        className="my-form"
        onSubmit={(event) => {
          event.preventDefault();
          onChange({ name: cleanName(draft) || name, colour });
          onDone();
        }}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          event.preventDefault();
          onDone();
        }}
      >
        <label htmlFor={`${group}-name`}>Your name</label>
        <input
          id={`${group}-name`}
          className="field"
          value={draft}
          autoFocus
          autoComplete="nickname"
          onFocus={(event) => event.target.select()}
          onChange={(event) => setDraft(event.target.value)}
        />
        <fieldset>
          <legend>Your colour</legend>
          <div className="swatches">
            {COLOURS.map((choice) => (
              <label key={choice.value} title={choice.name}>
                <input
                  type="radio"
                  name={`${group}-colour`}
                  checked={choice.value === colour}
                  onChange={() => onChange({ name, colour: choice.value })}
                />
                <span style={{ backgroundColor: css(choice.value) }} />
                <span className="unseen">{choice.name}</span>
              </label>
            ))}
          </div>
        </fieldset>
        <button type="submit" className="button main">
          Done
        </button>
      </form>
    </li>
  );
}
