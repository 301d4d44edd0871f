import { useRef, useState } from "react";
import type { StreamId } from "@causeway/web";
import { useRoom } from "@causeway/web/react";
import type { ShownFile } from "../files/shown-files.ts";
import { shortName } from "../shell/room-name.ts";
import { bringIn } from "./bring-in.ts";
import type { Offer } from "./offered.ts";
import { takeOutAll, takeOutFile, type TakenOut } from "./take-out.ts";
import { broughtWords, takenWords, type Told } from "./transfer-words.ts";

/** Files that come into the room from somebody's disk, and go out to it. */
export interface Transfers {
  /** What is under way; `null`: nothing. */
  readonly doing: Doing | null;
  /** What came of the last one, until it is put away. */
  readonly told: Told | null;
  putAway(): void;
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
  cancel?(): void;
}

/** One at a time: what is asked for meanwhile is told so. `onBrought` hears of a file that came alone. */
export function useTransfers(onBrought: (id: StreamId) => void): Transfers {
  const room = useRoom();
  const [doing, setDoing] = useState<Doing | null>(null);
  const [told, tell] = useState<Told | null>(null);
  const isBusy = useRef(false);
  const alone = async (work: () => Promise<Told | null>) => {
    if (isBusy.current) return tell(BUSY);
    isBusy.current = true;
    tell(null);
    try {
      tell(await work());
    } catch (failure) {
      tell({ sentence: failure instanceof Error ? failure.message : String(failure), refused: [] });
    } finally {
      isBusy.current = false;
      setDoing(null);
    }
  };
  const taken = (out: TakenOut, what: string): Told | null => takenWords(out, what, room.connection.get().state === "online");
  return {
    doing,
    told,
    putAway: () => tell(null),
    bring: (offer, folder) =>
      alone(async () => {
        const stop = new AbortController();
        const cancel = () => stop.abort();
        setDoing({ what: "Looking through the files", done: 0, of: 0, cancel });
        const { files, leftOut, isTooMany } = await offer;
        if (isTooMany) return TOO_MANY;
        const brought = await bringIn(room, files, {
          folder,
          signal: stop.signal,
          onProgress: (done) => setDoing({ what: "Bringing in files", done, of: files.length, cancel }),
        });
        const [first] = brought.files;
        if (files.length === 1 && first !== undefined) onBrought(first.id);
        return broughtWords(brought, leftOut, files.length);
      }),
    takeFile: (file) => alone(async () => taken(await takeOutFile(room, file), file.path)),
    takeAll: (files, name = shortName(room.name)) =>
      alone(async () => {
        const onProgress = (done: number) => setDoing({ what: "Packing files", done, of: files.length });
        return taken(await takeOutAll(room, files, name, onProgress), `${name}.zip`);
      }),
  };
}

const BUSY: Told = { sentence: "Files are on their way already. Once they are there it can be done.", refused: [] };
const TOO_MANY: Told = { sentence: "These are more than 1,000 files. Nothing was brought in: bring them in parts.", refused: [] };
