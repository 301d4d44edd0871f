import { SearchQuery } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { expect, test } from "vitest";
import { countWords, matchesIn } from "../src/editor/matches.ts";

const found = (doc: string, query: ConstructorParameters<typeof SearchQuery>[0]) =>
  matchesIn(EditorState.create({ doc }), new SearchQuery(query));

test("W23 matches are counted, and the selected one has its number", () => {
  const tides = found("tide, Tide, ebb, tide", { search: "tide" });
  expect(countWords(tides, 0, 0)).toBe("3 found");
  expect(countWords(tides, 6, 10)).toBe("2 of 3");
  expect(countWords(found("ebb", { search: "tide" }), 0, 0)).toBe("Not found");
  expect(countWords(found("ebb", { search: "" }), 0, 0)).toBe("");
  expect(countWords(found("aaa", { search: "(", regexp: true }), 0, 0)).toBe("Not found");
  expect(countWords(found("a", { search: "^", regexp: true }), 0, 0)).not.toBe("");
});

test("W23 a text of nothing but matches is not counted for ever", () => {
  const many = found("a".repeat(5_000), { search: "a" });
  expect(many.places.length).toBe(1_000);
  expect(countWords(many, 5, 6)).toBe("6 of 1000+");
});
