import type { Person } from "./person.ts";
import { recall, remember } from "./remembered.ts";

/** Another colour in one room, where somebody else had one's own. */
export interface RoomColour {
  /** Holds in place of this one only: whoever chooses another later has that one everywhere. */
  readonly instead: number;
  readonly colour: number;
}

/** The person as this device shows them in a room. */
export function personIn(room: string, person: Person): Person {
  const other = recall(`colour/${room}`, isRoomColour);
  if (other === null || other.instead !== person.colour || person.isChosen === true) return person;
  return { ...person, colour: other.colour };
}

/** What was given way to before is given way to still. */
export function rememberColourHere(room: string, { instead, colour }: RoomColour): void {
  const before = recall(`colour/${room}`, isRoomColour);
  const first = before?.colour === instead ? before.instead : instead;
  remember(`colour/${room}`, { instead: first, colour } satisfies RoomColour);
}

function isRoomColour(value: unknown): value is RoomColour {
  if (typeof value !== "object" || value === null) return false;
  const { instead, colour } = value as Record<string, unknown>;
  return [instead, colour].every((one) => Number.isInteger(one) && (one as number) >= 0 && (one as number) <= 0xffffff);
}
