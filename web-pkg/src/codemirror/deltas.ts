import type { ChangeSet, ChangeSpec } from "@codemirror/state";
import type { Delta, DeltaOp } from "../client/index.js";

/** What CodeMirror did, as a delta. */
export function deltaOf(changes: ChangeSet): Delta {
  const delta: DeltaOp[] = [];
  let passed = 0;
  changes.iterChanges((from, to, _fromNew, _toNew, inserted) => {
    if (from > passed) delta.push({ retain: from - passed });
    if (inserted.length > 0) delta.push({ insert: inserted.sliceString(0, inserted.length, "\n") });
    if (to > from) delta.push({ delete: to - from });
    passed = to;
  });
  return delta;
}

/** A delta as changes of a document that CodeMirror holds. Positions are those before the delta. */
export function changesOf(delta: Delta): ChangeSpec[] {
  const changes: ChangeSpec[] = [];
  let at = 0;
  for (const step of delta) {
    if ("retain" in step) {
      at += step.retain;
    } else if ("insert" in step) {
      changes.push({ from: at, insert: step.insert });
    } else {
      changes.push({ from: at, to: at + step.delete });
      at += step.delete;
    }
  }
  return changes;
}

/** Units of the text before the delta that it passes or takes. */
export function reachOf(delta: Delta): number {
  return delta.reduce((sum, step) => sum + ("retain" in step ? step.retain : "delete" in step ? step.delete : 0), 0);
}

/** The one change that turns `before` into `after`, as short as a common beginning and end make it. */
export function replacement(before: string, after: string): { from: number; to: number; insert: string } {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  if (isInsidePair(before, start) || isInsidePair(after, start)) start -= 1;
  let end = 0;
  while (end < most - start && before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)) end += 1;
  if (isInsidePair(before, before.length - end) || isInsidePair(after, after.length - end)) end -= 1;
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) };
}

/** Whether `at` stands between the two halves of one character. */
function isInsidePair(text: string, at: number): boolean {
  const isHigh = (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
  return at > 0 && isHigh && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}
