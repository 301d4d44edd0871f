import { COLOURS } from "../shell/person.ts";

/** As much of somebody as decides who gives way. */
export interface Coloured {
  /** Whom it is; the same on all their pages. */
  readonly person: string;
  readonly colour: number;
}

/**
 * The colour to take instead of one's own, or `null`: it is nobody else's, or all are taken. All who give way at one moment
 * begin to look at another place, so that they rarely meet again.
 */
export function freeColour(mine: Coloured, others: readonly Coloured[]): number | null {
  const taken = new Set(others.map(({ colour }) => colour));
  if (!taken.has(mine.colour)) return null;
  const free = COLOURS.map(({ value }) => value).filter((value) => value !== mine.colour && !taken.has(value));
  return free[hash(mine.person) % free.length] ?? null;
}

/**
 * Of two who have one colour the one who came later gives way. Where neither knows who that was, it is the one whose name as
 * a key is greater; the other waits for that, and goes in the end if nothing happens: then it was chosen.
 */
export function waitBeforeGivingWay(mine: Coloured, others: readonly Coloured[], isNew: boolean): number {
  if (isNew) return 0;
  const rivals = others.filter(({ colour }) => colour === mine.colour);
  return rivals.some(({ person }) => mine.person > person) ? FIRST_MS : SECOND_MS;
}

function hash(text: string): number {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return sum;
}

/** Longer than a change takes to come round on a slow line. */
const FIRST_MS = 2_000;
const SECOND_MS = 2 * FIRST_MS;
