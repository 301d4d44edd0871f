import type { ReactElement } from "react";
import type { Person } from "@causeway/web";
import { useFiles, useOthers } from "@causeway/web/react";
import { Avatar } from "./avatar.tsx";
import { pathOf } from "./places.ts";

export interface FacesProps {
  onVisit(id: Person["id"]): void;
  /** Where all of them are listed. */
  onMore(): void;
}

/** Who else is here, at a glance. A click goes to where they are. */
export function Faces({ onVisit, onMore }: FacesProps): ReactElement | null {
  const others = useOthers();
  const { files } = useFiles();
  if (others.length === 0) return null;
  const more = others.length - MOST_FACES;
  return (
    <ul className="faces" aria-label="Also here">
      {others.slice(0, MOST_FACES).map((person) => {
        const { id, colour, status, typing } = person;
        const name = person.name || "Somebody";
        const isSomewhere = pathOf(person, files) !== null;
        return (
          <li key={id}>
            <button
              type="button"
              className="face"
              aria-label={isSomewhere ? `Go to ${name}` : `${name}, in the list of people`}
              onClick={() => (isSomewhere ? onVisit(id) : onMore())}
            >
              <Avatar name={name} colour={colour} mood={status === "away" ? "away" : typing ? "writing" : "here"} />
            </button>
          </li>
        );
      })}
      {more > 0 && (
        <li>
          <button type="button" className="face" aria-label={`${more} more people`} onClick={onMore}>
            <span className="avatar more">+{more}</span>
          </button>
        </li>
      )}
    </ul>
  );
}

/** More would push the name of the room out of the bar. */
const MOST_FACES = 4;
