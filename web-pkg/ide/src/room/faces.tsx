import type { ReactElement } from "react";
import { useOthers } from "@causeway/web/react";
import { Avatar } from "./avatar.tsx";

/** Who else is here, at a glance. */
export function Faces(): ReactElement | null {
  const others = useOthers();
  if (others.length === 0) return null;
  const more = others.length - MOST_FACES;
  const names = others.map((person) => person.name).join(", ");
  return (
    <div className="faces" role="img" aria-label={`Also here: ${names}`} title={names}>
      {others.slice(0, MOST_FACES).map(({ id, name, colour, status }) => (
        <Avatar key={id} name={name} colour={colour} isAway={status === "away"} />
      ))}
      {more > 0 && <span className="avatar more">+{more}</span>}
    </div>
  );
}

/** More would push the name of the room out of the bar. */
const MOST_FACES = 4;
