import type { ReactElement } from "react";
import { css, initials, inkOn } from "../shell/person.ts";

export interface AvatarProps {
  readonly name: string;
  readonly colour: number;
  readonly mood?: "here" | "writing" | "away";
}

/**
 * A person as a round patch of their colour with their initials. The name stands beside it or in its title; the
 * letters are drawn by the style sheet, so that they are no words of a button around them.
 */
export function Avatar({ name, colour, mood = "here" }: AvatarProps): ReactElement {
  return (
    <span
      className={`avatar ${mood}`}
      style={{ backgroundColor: css(colour), color: inkOn(colour) }}
      title={name}
      data-initials={initials(name)}
      aria-hidden="true"
    />
  );
}
