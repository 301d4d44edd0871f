import { useEffect, useRef, useState, type ReactElement } from "react";
import type { Fork, ForkText } from "@causeway/web";
import { inFull, timeOfDay } from "../chat/clock.ts";
import { Icon } from "../parts/icon.tsx";
import { Changes } from "./changes-view.tsx";
import { firstWords } from "./changes.ts";
import { download } from "../transfer/download.ts";

export interface ForkCardProps {
  readonly fork: Fork;
  /** Where it was written; what has no place any more has none. */
  readonly path: string | undefined;
  /** Reads what it says. */
  text(fork: Fork): Promise<ForkText>;
  onPutBack(): void;
  onDiscard(): void;
}

/** One piece of work the room did not take: why, when, what it says, and what can be done with it. */
export function ForkCard({ fork, path, text, onPutBack, onDiscard }: ForkCardProps): ReactElement {
  const read = useForkText(fork, text);
  const [isShown, setShown] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const name = path ?? (fork.stream === "directory" ? "The list of files" : "A file that is gone");
  const says = read === null || read === "missing" ? null : read;
  return (
    <li className="fork" data-testid="fork">
      <div className="fork-head">
        <h3>{name}</h3>
        <time dateTime={new Date(fork.time).toISOString()} title={inFull(fork.time)}>
          {timeOfDay(fork.time)}
        </time>
      </div>
      <p className="fork-why">Not taken: {fork.sentence}.</p>
      {read === null && <p className="fork-preview">Reading…</p>}
      {read === "missing" && <p className="fork-preview">It cannot be read on this device.</p>}
      {says !== null && !isShown && <p className="fork-preview">{firstWords(says.delta) || "It only takes words away."}</p>}
      {says !== null && isShown && <Changes read={says} label={`What this work changes in ${name}`} />}
      {says?.isComplete === false && <p className="fork-why">A part of it is missing, so it cannot be put back.</p>}
      {isAsked ? (
        <Asked name={name} onKeep={() => setAsked(false)} onDiscard={onDiscard} />
      ) : (
        <div className="fork-buttons">
          <button type="button" className="button main" disabled={says?.isComplete !== true} onClick={onPutBack}>
            {fork.isWhole ? "Put into a new file" : "Put back"}
          </button>
          <button
            type="button"
            className="button"
            aria-expanded={isShown}
            disabled={says === null}
            onClick={() => setShown(!isShown)}
          >
            {isShown ? "Hide" : "Show"}
          </button>
          <button
            type="button"
            className="button"
            disabled={says === null}
            onClick={() => says !== null && download(path ?? "kept.txt", says.text)}
          >
            <Icon name="down" size={16} /> Download
          </button>
          <button type="button" className="button grave" onClick={() => setAsked(true)}>
            Discard
          </button>
        </div>
      )}
    </li>
  );
}

interface AskedProps {
  readonly name: string;
  onKeep(): void;
  onDiscard(): void;
}

/** The one question before something is gone for good. */
function Asked({ name, onKeep, onDiscard }: AskedProps): ReactElement {
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), []);
  return (
    <div className="fork-buttons" role="group" aria-label={`Discard this work in ${name} for good?`}>
      <span className="fork-question">Discard it for good?</span>
      <button ref={keep} type="button" className="button" onClick={onKeep}>
        Keep it
      </button>
      <button type="button" className="button grave" onClick={onDiscard}>
        Discard for good
      </button>
    </div>
  );
}

/** What a fork says; `null` while it is being read. Read again when there is more of it. */
function useForkText(fork: Fork, text: ForkCardProps["text"]): ForkText | "missing" | null {
  const [read, setRead] = useState<ForkText | "missing" | null>(null);
  const reading = useRef(text);
  reading.current = text;
  useEffect(() => {
    let isCurrent = true;
    const take = (read: ForkText | "missing") => isCurrent && setRead(read);
    reading.current(fork).then(take, () => take("missing"));
    return () => {
      isCurrent = false;
    };
  }, [fork.id, fork.bytes]);
  return read;
}
