import { filesOf, type Room } from "@causeway/web";
import { removedFrom } from "../files/removed-files.ts";
import { FIRST_PATH } from "../files/shown-files.ts";

/** A text that can still be read on a page that has stopped. */
export interface Rescued {
  readonly path: string;
  readonly text: string;
}

/** The texts, on the room's list or off it, with work that the relay has not got. Where the engine itself has died, nothing can be read any more. */
export function rescuedFrom(room: Room): readonly Rescued[] {
  try {
    const first = room.documents.firstDocument();
    const listed = filesOf(room.documents.list()).map(({ id, path }) => ({ id, path }));
    const known = new Map([{ id: first, path: FIRST_PATH }, ...removedFrom(room.name), ...listed].map((file) => [file.id, file]));
    return [...known.values()].flatMap(({ id, path }) => {
      const text = room.text(id);
      const words = text.status.get().relay === "saved" ? "" : text.toString();
      text.release();
      return words === "" ? [] : [{ path, text: words }];
    });
  } catch {
    return [];
  }
}
