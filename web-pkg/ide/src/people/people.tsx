import { memo, useId, type ReactElement } from "react";
import type { Activity, Person } from "@causeway/web";
import { useConnection, useFiles, useMyOtherPages, useMyPresence, useOthers } from "@causeway/web/react";
import { Icon } from "../parts/icon.tsx";
import { Avatar } from "./avatar.tsx";
import { doing } from "./doing.ts";
import { pathOf } from "./places.ts";

export interface PeopleProps {
  onChangeMe(): void;
  /** Goes to where somebody is. */
  onVisit(id: Person["id"]): void;
}

/** Everybody in the room, oneself first. */
export function People({ onChangeMe, onVisit }: PeopleProps): ReactElement {
  const others = useOthers();
  const { files } = useFiles();
  const isOnline = useConnection().state === "online";
  const heading = useId();
  return (
    <section className="people" aria-labelledby={heading}>
      <h2 id={heading} className="unseen">
        People
      </h2>
      <ul data-testid="people">
        <Myself onChange={onChangeMe} />
        {others.map((person) => (
          <Other
            key={person.id}
            id={person.id}
            name={person.name || "Somebody"}
            colour={person.colour}
            status={person.status}
            place={pathOf(person, files)}
            isTyping={person.typing !== null}
            onVisit={onVisit}
          />
        ))}
      </ul>
      {others.length === 0 && (
        <p className="quiet">
          {isOnline
            ? "Nobody else is here. Whoever has the link to this room can join you."
            : "Others cannot be seen while there is no link to the relay."}
        </p>
      )}
    </section>
  );
}

interface OtherProps {
  readonly id: Person["id"];
  readonly name: string;
  readonly colour: number;
  readonly status: Activity;
  readonly place: string | null;
  readonly isTyping: boolean;
  onVisit(id: Person["id"]): void;
}

/** Cursors move many times a second; a line is drawn again only when what it says has changed. */
const Other = memo(function Other(props: OtherProps): ReactElement {
  const { id, name, colour, status, place, isTyping, onVisit } = props;
  const words = doing(status, place, isTyping);
  const inside = (
    <>
      <Avatar name={name} colour={colour} mood={status === "away" ? "away" : isTyping ? "writing" : "here"} />
      <span className="person-name">{name}</span>
      <span className="person-place">{words}</span>
    </>
  );
  return (
    <li data-testid="person">
      {place === null ? (
        <div className="person">{inside}</div>
      ) : (
        <button type="button" className="person" title={`Go to ${name}`} onClick={() => onVisit(id)}>
          {inside}
          <Icon name="go-to" size={16} />
        </button>
      )}
    </li>
  );
});

function Myself({ onChange }: { onChange(): void }): ReactElement {
  const [{ name, colour }] = useMyPresence();
  const pages = useMyOtherPages().length + 1;
  return (
    <li className="person me">
      <Avatar name={name} colour={colour} />
      <span className="person-name">{name}</span>
      <span className="person-place">{pages === 1 ? "you" : `you, on ${pages} pages`}</span>
      <button
        type="button"
        className="icon-button small"
        aria-label="Change your name and colour"
        title="Change your name and colour"
        onClick={onChange}
      >
        <Icon name="rename" size={15} />
      </button>
    </li>
  );
}

