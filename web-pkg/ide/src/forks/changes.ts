import type { Delta } from "@causeway/web";

/** A run of characters that stays, comes or goes. */
export interface Run {
  readonly kind: "same" | "added" | "removed";
  readonly text: string;
}

/** One line as a person compares it; `gap` stands for lines in which nothing changes. */
export type Line = { readonly at: number; readonly runs: readonly Run[] } | { readonly at: number; readonly gap: number };

/** What a delta does to a text, line by line, with a little of what stands around it. */
export function changedLines(before: string, delta: Delta): readonly Line[] {
  const lines = linesOf(runsOf(before, delta));
  const changed = lines.map((runs) => runs.some(({ kind }) => kind !== "same"));
  const shown: Line[] = [];
  let hidden = 0;
  lines.forEach((runs, at) => {
    if (changed.slice(Math.max(0, at - AROUND), at + AROUND + 1).includes(true)) {
      if (hidden > 0) shown.push({ at: at - hidden, gap: hidden });
      hidden = 0;
      shown.push({ at, runs });
    } else {
      hidden += 1;
    }
  });
  if (hidden > 0 && shown.length > 0) shown.push({ at: lines.length - hidden, gap: hidden });
  return shown;
}

/** The words that a delta brings, in one line, to know it by. */
export function firstWords(delta: Delta): string {
  const added = delta.map((step) => ("insert" in step ? step.insert : " ")).join("");
  const line = added.replace(/\s+/g, " ").trim();
  return line.length > PREVIEW ? `${line.slice(0, PREVIEW)}…` : line;
}

function runsOf(before: string, delta: Delta): readonly Run[] {
  const runs: Run[] = [];
  let at = 0;
  for (const step of delta) {
    if ("insert" in step) runs.push({ kind: "added", text: step.insert });
    else if ("retain" in step) runs.push({ kind: "same", text: before.slice(at, (at += step.retain)) });
    else runs.push({ kind: "removed", text: before.slice(at, (at += step.delete)) });
  }
  runs.push({ kind: "same", text: before.slice(at) });
  return runs;
}

function linesOf(runs: readonly Run[]): readonly (readonly Run[])[] {
  const lines: Run[][] = [[]];
  for (const { kind, text } of runs) {
    text.split("\n").forEach((part, nth) => {
      if (nth > 0) lines.push([]);
      if (part !== "" || (nth > 0 && kind !== "same")) lines.at(-1)?.push({ kind, text: part });
    });
  }
  return lines;
}

/** Lines shown around a change. */
const AROUND = 2;
/** Characters of a preview: a line on a phone. */
const PREVIEW = 120;
