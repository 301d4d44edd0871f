import { filesOf, type Room, type RoomFile, type StreamId } from "@causeway/web";
import { removedFrom } from "../files/removed-files.ts";
import { FIRST_PATH } from "../files/shown-files.ts";

/** Work that can still be read on a page that has stopped. */
export interface Rescued {
  /** What it is, in words. */
  readonly what: string;
  /** What it is called as a file. */
  readonly path: string;
  readonly text: string;
}

/**
 * What the relay has not got: texts, on the room's list or off it, and what was said. Where the engine itself has died,
 * no text can be read any more.
 */
export function rescuedFrom(room: Room): readonly Rescued[] {
  const texts = placesIn(room).map(({ id, path }) => ({ what: path, path, text: unsavedText(room, id) }));
  const said = { what: "your unsent messages", path: "unsent messages.txt", text: unsentWords(room) };
  return [...texts, said].filter(({ text }) => text !== "");
}

/** Where texts may be: listed ones under the names they are shown by, the others beside them. */
function placesIn(room: Room): readonly RoomFile[] {
  const first = { id: room.documents.firstDocument(), path: FIRST_PATH };
  const places = new Map<StreamId, string>();
  for (const { id, path } of [...filesOf(room.documents.list()), ...removedFrom(room.name), first]) {
    if (!places.has(id)) places.set(id, path);
  }
  return filesOf([...places].map(([id, path]) => ({ id, path })));
}

/** Empty also where it cannot be read: one such text costs no other. */
function unsavedText(room: Room, id: StreamId): string {
  return readable(() => {
    const text = room.text(id);
    try {
      return text.status.get().relay === "saved" ? "" : text.toString();
    } finally {
      text.release();
    }
  });
}

/** Posts that are on their way, and those that the relay refused. */
function unsentWords(room: Room): string {
  return readable(() => {
    const channel = room.channel();
    try {
      const waiting = channel.timeline.get().posts.filter(({ saved, deleted }) => saved !== "relay" && !deleted);
      return [...channel.drafts.get(), ...waiting].map(({ text }) => text).join("\n\n");
    } finally {
      channel.release();
    }
  });
}

function readable(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
