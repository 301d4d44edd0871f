import { expect, test } from "vitest";
import { changedLines, firstWords } from "../src/forks/changes.ts";
import { keptPath } from "../src/forks/kept-path.ts";

const TEN = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].join("\n");

test("a change is shown with two lines around it and a word about the rest", () => {
  const lines = changedLines(TEN, [{ retain: 10 }, { delete: 1 }, { insert: "F" }]);
  expect(lines.map((line) => ("gap" in line ? line.gap : line.runs.map(({ kind, text }) => `${kind[0]}${text}`).join("")))).toEqual([
    3,
    "sd",
    "se",
    "rfaF",
    "sg",
    "sh",
    2,
  ]);
});

test("lines that come are lines of their own, empty ones too", () => {
  const lines = changedLines("a\nb", [{ retain: 1 }, { insert: "\n\nnew" }]);
  expect(lines.map((line) => ("gap" in line ? "…" : line.runs.map(({ kind, text }) => `${kind[0]}${text}`).join("")))).toEqual([
    "sa",
    "a",
    "anew",
    "sb",
  ]);
});

test("without a change there is nothing to show", () => {
  expect(changedLines(TEN, [])).toEqual([]);
  expect(changedLines("", [])).toEqual([]);
});

test("a fork is known by the words it brings", () => {
  expect(firstWords([{ retain: 4 }, { insert: "and\n  this" }, { delete: 3 }, { insert: "too" }])).toBe("and this too");
  expect(firstWords([{ insert: "x".repeat(500) }])).toHaveLength(121);
});

test("work whose file is gone goes beside it, under a name nobody has", () => {
  expect(keptPath("src/tide.py", [])).toBe("src/tide (kept).py");
  expect(keptPath("src/tide.py", ["src/tide (kept).py"])).toBe("src/tide (kept 2).py");
  expect(keptPath(".env", [])).toBe(".env (kept)");
  expect(keptPath(undefined, [])).toBe("work (kept).md");
});
