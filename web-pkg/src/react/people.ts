import { useMemo } from "react";
import type { Person } from "../client/index.js";
import { useObservable } from "./observable.js";
import { useRoom } from "./room.js";

/** The other people who are here now: one line per person however many pages they have open, without one's own. */
export function useOthers(): readonly Person[] {
  const { presence } = useRoom();
  const pages = useObservable(presence.others);
  return useMemo(() => merged(pages.filter(({ person }) => person === null || person !== presence.person)), [pages, presence]);
}

/** This person's other pages in the room: tabs and devices. */
export function useMyOtherPages(): readonly Person[] {
  const { presence } = useRoom();
  const pages = useObservable(presence.others);
  return useMemo(() => pages.filter(({ person }) => person !== null && person === presence.person), [pages, presence]);
}

/** Of each person the page on which they do most; what they type into counts wherever it is. */
function merged(pages: readonly Person[]): readonly Person[] {
  const people = new Map<string | number, Person>();
  for (const page of pages) {
    const key = page.person ?? page.id;
    const before = people.get(key);
    people.set(key, before === undefined ? page : busier(before, page));
  }
  return [...people.values()];
}

function busier(a: Person, b: Person): Person {
  const [more, less] = BUSY.indexOf(b.status) <= BUSY.indexOf(a.status) ? [b, a] : [a, b];
  return more.typing === null && less.typing !== null ? { ...more, typing: less.typing } : more;
}

const BUSY: readonly Person["status"][] = ["editing", "running", "idle", "away"];
