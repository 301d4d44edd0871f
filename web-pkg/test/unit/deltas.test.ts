import { ChangeSet, EditorState, Text as Doc } from "@codemirror/state";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Delta } from "../../src/client/index.js";
import { changesOf, deltaOf, reachOf, replacement } from "../../src/codemirror/deltas.js";

const words = fc.string({ unit: fc.constantFrom("a", "b", "\n", "é", "🌊"), maxLength: 12 });

/** A document and a change CodeMirror could make to it, of several pieces. */
const changed = fc
  .tuple(words, fc.array(fc.tuple(fc.nat(20), fc.nat(5), words), { maxLength: 5 }))
  .map(([before, edits]) => {
    const doc = Doc.of(before.split("\n"));
    let changes = ChangeSet.empty(doc.length);
    for (const [at, length, insert] of edits) {
      const size = changes.newLength;
      const from = Math.min(at, size);
      const next = ChangeSet.of({ from, to: Math.min(from + length, size), insert }, size, "\n");
      changes = changes.compose(next);
    }
    return { doc, changes };
  });

test("a change and its delta do the same to a text", () => {
  fc.assert(
    fc.property(changed, ({ doc, changes }) => {
      expect(applied(doc.toString(), deltaOf(changes))).toBe(changes.apply(doc).toString());
    }),
    { numRuns: 500 },
  );
});

test("a delta comes back from CodeMirror as it was sent", () => {
  fc.assert(
    fc.property(changed, ({ doc, changes }) => {
      const delta = deltaOf(changes);
      const state = EditorState.create({ doc, extensions: EditorState.lineSeparator.of("\n") });
      const back = state.changes(changesOf(delta));
      expect(back.apply(doc).toString()).toBe(changes.apply(doc).toString());
      expect(reachOf(delta)).toBeLessThanOrEqual(doc.length);
    }),
    { numRuns: 500 },
  );
});

test("a replacement turns one text into the other and splits no character", () => {
  fc.assert(
    fc.property(words, words, (before, after) => {
      const { from, to, insert } = replacement(before, after);
      expect(before.slice(0, from) + insert + before.slice(to)).toBe(after);
      expect(insert.isWellFormed()).toBe(true);
      expect(before.slice(from, to).isWellFormed()).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

function applied(text: string, delta: Delta): string {
  let at = 0;
  let result = "";
  for (const step of delta) {
    if ("retain" in step) {
      result += text.slice(at, at + step.retain);
      at += step.retain;
    } else if ("insert" in step) result += step.insert;
    else at += step.delete;
  }
  return result + text.slice(at);
}
