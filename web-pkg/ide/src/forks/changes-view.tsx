import type { ReactElement } from "react";
import type { ForkText } from "@causeway/web";
import { changedLines, type Line } from "./changes.ts";

/** What would change, line by line. Colour is not the only sign: what comes is marked, what goes is struck through. */
export function Changes({ read, label }: { readonly read: ForkText; readonly label: string }): ReactElement {
  const lines = changedLines(read.before, read.delta);
  if (lines.length === 0) return <p className="fork-preview">Nothing would change: it is all there already.</p>;
  return (
    <div className="fork-changes" role="region" aria-label={label} tabIndex={0}>
      {lines.slice(0, MOST_LINES).map((line) => (
        <ChangedLine key={line.at} line={line} />
      ))}
      {lines.length > MOST_LINES && <div className="fork-gap">{`${lines.length - MOST_LINES} more lines`}</div>}
    </div>
  );
}

function ChangedLine({ line }: { readonly line: Line }): ReactElement {
  if ("gap" in line) {
    return <div className="fork-gap">{line.gap === 1 ? "1 line as it is" : `${line.gap} lines as they are`}</div>;
  }
  return (
    <div className="fork-line">
      {line.runs.map(({ kind, text }, at) => {
        if (kind === "added") return <ins key={at}>{text}</ins>;
        return kind === "removed" ? <del key={at}>{text}</del> : <span key={at}>{text}</span>;
      })}
    </div>
  );
}

/** More is read in the file itself, or downloaded. */
const MOST_LINES = 400;
