import { useEffect, useState, type ReactElement } from "react";
import type { SaveStatus, StreamId } from "@causeway/web";
import { useConnection, useOthers, useSyncStatus } from "@causeway/web/react";
import { Icon, type IconName } from "../parts/icon.tsx";
import { useHasLasted } from "../shell/lasting.ts";
import { inShort, isSettled, onDevice, onRelay, seenBy, spoken, type Saved } from "./saved-words.ts";

/**
 * Where the work on a file is. The attributes tell each moment; the words leave out what lasts shorter than a blink, and what
 * is read aloud is one sentence whenever something else is true for a while.
 */
export function SaveStatusLine({ id }: { readonly id: StreamId }): ReactElement | null {
  const status = useSyncStatus(id);
  const shown = useCalm(status);
  const connection = useConnection().state;
  const others = useOthers().length;
  if (status === null || shown === null) return null;
  return (
    <>
      <div
        className="saved"
        role="group"
        aria-label="Where your work is"
        data-testid="save-status"
        data-device={status.device}
        data-relay={status.relay}
        data-seen={status.seenBy}
      >
        <InShort saved={inShort(shown, connection)} />
        <Place icon="device" saved={onDevice(shown)} />
        <Place icon="relay" saved={onRelay(shown, connection)} />
        <Place icon="seen" saved={seenBy(shown, others, connection)} />
      </div>
      <Spoken words={spoken(shown, connection)} />
    </>
  );
}

/** Read aloud when it has changed and stays so: whoever types is not told after each word that it is saved. */
function Spoken({ words }: { readonly words: string }): ReactElement {
  const [told, tell] = useState(words);
  useEffect(() => {
    const timer = setTimeout(() => tell(words), SPOKEN_MS);
    return () => clearTimeout(timer);
  }, [words]);
  return (
    <p className="unseen" role="status" aria-live="polite" data-testid="spoken-status">
      {told}
    </p>
  );
}

/** What a phone shows in place of the three. */
function InShort({ saved }: { readonly saved: Saved }): ReactElement {
  return (
    <span className={`in-short ${saved.mood}`} aria-hidden="true">
      <Icon name={saved.mood === "good" ? "check" : "clock"} size={15} />
      <span>{saved.words}</span>
    </span>
  );
}

function Place({ icon, saved }: { readonly icon: IconName; readonly saved: Saved }): ReactElement {
  return (
    <span className={`place ${saved.mood}`}>
      <Icon name={icon} size={16} />
      {saved.words}
    </span>
  );
}

/** The status without spells of unsaved work shorter than `CALM_MS`: the line would flicker with every key. */
function useCalm(status: SaveStatus | null): SaveStatus | null {
  const [last, setLast] = useState(status);
  const isCalm = status === null || (isSettled(status) && status.seenBy >= (last?.seenBy ?? 0));
  // Counted from the beginning of the spell: whoever types on and on offline must read that it waits.
  const isLong = useHasLasted(!isCalm, CALM_MS);
  const shown = isCalm || isLong ? status : last;
  if (shown !== last) setLast(shown);
  return shown ?? status;
}

/** Longer than a slow line takes to send a line of text. */
const SPOKEN_MS = 2_500;
/** Longer than a relay near by takes to flush, shorter than a person starts to wonder. */
const CALM_MS = 400;
