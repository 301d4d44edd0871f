import type { ReactElement } from "react";
import { css, initials, inkOn } from "../shell/person.ts";

/** A person as a round patch of their colour with their initials. The name stands beside it or in its title. */
export function Avatar({
  name,
  colour,
  isAway = false,
}: {
  name: string;
  colour: number;
  isAway?: boolean;
}): ReactElement {
  return (
    <span
      className={isAway ? "avatar away" : "avatar"}
      style={{ backgroundColor: css(colour), color: inkOn(colour) }}
      title={name}
      aria-hidden="true"
    >
      {initials(name)}
    </span>
  );
}
