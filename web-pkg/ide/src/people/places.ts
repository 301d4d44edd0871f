import { useMemo } from "react";
import type { Listed, Person } from "@causeway/web";
import { useOthers } from "@causeway/web/react";

/** As much of a person as a dot or a round patch shows. */
export interface Face {
  readonly key: string;
  readonly name: string;
  readonly colour: number;
}

/** Who is where: the others by the stream their caret stands in. Stays the same object while carets only move. */
export function usePlaces(): ReadonlyMap<string, readonly Face[]> {
  const others = useOthers();
  const found = others.flatMap((person) => {
    const stream = placeOf(person);
    return stream === null ? [] : [{ stream, face: faceOf(person) }];
  });
  const signature = JSON.stringify(found);
  return useMemo(() => {
    const places = new Map<string, Face[]>();
    for (const { stream, face } of JSON.parse(signature) as typeof found) {
      places.set(stream, [...(places.get(stream) ?? []), face]);
    }
    return places;
  }, [signature]);
}

/** The document a person is in. Whoever is away is nowhere. */
export function placeOf({ status, cursor, typing }: Person): string | null {
  return status === "away" ? null : (cursor?.stream ?? typing);
}

/** The path of the document a person is in; `null` where they are in none that is on the room's list. */
export function pathOf(person: Person, files: readonly Listed[]): string | null {
  const stream = placeOf(person);
  return files.find((file) => file.id === stream)?.path ?? null;
}

export function faceOf(person: Person): Face {
  return { key: String(person.id), name: person.name || "Somebody", colour: person.colour };
}
