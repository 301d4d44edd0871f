import { useEffect, useRef, useState } from "react";
import type { Room, StreamId } from "@causeway/web";
import { useRoom } from "@causeway/web/react";
import type { ShownFile } from "../files/shown-files.ts";
import { shortName } from "../shell/room-name.ts";
import { bringIn } from "./bring-in.ts";
import { FILES, type Offer } from "./offered.ts";
import { openedIn } from "./opened.ts";
import { takeOutAll, takeOutFile, type TakenOut } from "./take-out.ts";
import { broughtWords, takenWords, tooManyWords, type Hearing, type Told } from "./transfer-words.ts";

/** Files that come into the room from somebody's disk, and go out to it. */
export interface Transfers {
  /** What is under way; `null`: nothing. */
  readonly doing: Doing | null;
  /** What came of the last one, until it is put away. */
  readonly told: Told | null;
  putAway(): void;
  /** What was asked for while something was under way, and is not done; `null`: nothing. */
  readonly turnedAway: Told | null;
  forgetTurnedAway(): void;
  /** Brings files into a folder; "" is the room itself. */
  bring(offer: Offer | Promise<Offer>, folder: string): Promise<void>;
  takeFile(file: ShownFile): Promise<void>;
  /** Several as one archive of this name; none: that of the room. */
  takeAll(files: readonly ShownFile[], name?: string): Promise<void>;
}

export interface Doing {
  /** In a sentence without counts. */
  readonly what: string;
  readonly done: number;
  /** 0: it is not known yet. */
  readonly of: number;
  /** Whether leaving the page ends it half done. */
  readonly isBringing: boolean;
  cancel(): void;
}

/** One at a time: what is asked for meanwhile is told so. `onBrought` hears of a file that came alone. */
export function useTransfers(onBrought: (id: StreamId) => void): Transfers {
  const room = useRoom();
  const [doing, setDoing] = useState<Doing | null>(null);
  const [told, tell] = useState<Told | null>(null);
  const [turnedAway, turnAway] = useState<Told | null>(null);
  const isBusy = useRef(false);
  useAskingBeforeLeaving(doing?.isBringing ?? false);
  const alone = async (work: (signal: AbortSignal, show: (doing: Omit<Doing, "cancel">) => void) => Promise<Told | null>) => {
    // Anew each time: its time on the page begins again.
    if (isBusy.current) return turnAway({ ...BUSY });
    isBusy.current = true;
    tell(null);
    turnAway(null);
    const stop = new AbortController();
    const cancel = () => stop.abort();
    try {
      tell(await work(stop.signal, (doing) => setDoing({ ...doing, cancel })));
    } catch (failure) {
      tell({ sentence: failure instanceof Error ? failure.message : String(failure), refused: [] });
    } finally {
      isBusy.current = false;
      setDoing(null);
    }
  };
  const taken = (out: TakenOut | null, what: string): Told | null => (out === null ? CANCELLED : takenWords(out, what, hearingOf(room)));
  return {
    doing,
    told,
    putAway: () => tell(null),
    turnedAway,
    forgetTurnedAway: () => turnAway(null),
    bring: (offer, folder) =>
      alone(async (signal, show) => {
        show({ what: "Looking through the files", done: 0, of: 0, isBringing: true });
        const { files, leftOut, isTooMany } = await offer;
        if (isTooMany) return TOO_MANY;
        const { left } = openedIn(room);
        if (files.length > left) return tooManyWords(files.length, left);
        const onProgress = (done: number) => show({ what: "Bringing in files", done, of: files.length, isBringing: true });
        const brought = await bringIn(room, files, { folder, signal, onProgress });
        const [first] = brought.files;
        if (files.length === 1 && first !== undefined) onBrought(first.id);
        return broughtWords(brought, leftOut, files.length);
      }),
    takeFile: (file) =>
      alone(async (signal, show) => {
        const slow = setTimeout(() => show({ what: `Fetching ${file.path}`, done: 0, of: 0, isBringing: false }), GLANCE_MS);
        try {
          return taken(await takeOutFile(room, file, signal), file.path);
        } finally {
          clearTimeout(slow);
        }
      }),
    takeAll: (files, name = shortName(room.name)) =>
      alone(async (signal, show) => {
        const opened = openedIn(room);
        if (opened.fresh(files.map(({ id }) => id)) > opened.left) return tooManyWords(files.length, opened.left);
        const onProgress = (done: number) => show({ what: "Packing files", done, of: files.length, isBringing: false });
        return taken(await takeOutAll(room, files, { name, signal, onProgress }), `${name}.zip`);
      }),
  };
}

/** The browser asks before the page goes, while files are on their way into the room. */
function useAskingBeforeLeaving(isBringing: boolean): void {
  useEffect(() => {
    if (!isBringing) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [isBringing]);
}

function hearingOf(room: Room): Hearing {
  if (room.connection.get().state !== "online") return "nobody";
  return room.isLeading ? "relay" : "tab";
}

const BUSY: Told = {
  sentence: "Not begun: files are on their way. Ask again once they are there.",
  refused: [],
};
const TOO_MANY: Told = { sentence: `These are more than ${FILES} files. Nothing was brought in: bring them in parts.`, refused: [] };
const CANCELLED: Told = { sentence: "Nothing was downloaded, as it was cancelled.", refused: [] };
/** What comes sooner needs no line that says so. */
const GLANCE_MS = 400;
