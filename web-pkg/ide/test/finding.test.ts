import { expect, test } from "vitest";
import type { StreamId } from "@causeway/web";
import { bestMatches, match } from "../src/files/match.ts";
import { beside, closed, isOpenFiles, opened, NOTHING_OPEN } from "../src/files/open-files.ts";
import { comings, listed } from "../src/people/coming-words.ts";

const id = (name: string) => `ydoc:${name}` as StreamId;

test("letters in their order find a path, and its name counts for more than its folders", () => {
  expect(match("xyz", "src/main.py")).toBeNull();
  expect(match("smp", "src/main.py")?.hits).toEqual([0, 4, 9]);
  expect(match("", "src/main.py")?.hits).toEqual([]);
  const paths = ["main/other.py", "src/mountain.py", "src/main.py"];
  expect(bestMatches("main", paths, (path) => path).map(({ candidate }) => candidate)[0]).toBe("src/main.py");
  expect(bestMatches(" ", paths, (path) => path).map(({ candidate }) => candidate)).toEqual(paths);
});

test("a file opens beside the one looked at, and closing shows its neighbour", () => {
  const three = ["a", "b", "c"].reduce((open, name) => opened(open, id(name)), NOTHING_OPEN);
  expect(three).toEqual({ tabs: [id("a"), id("b"), id("c")], shown: id("c") });
  const between = opened(opened(three, id("a")), id("x"));
  expect(between.tabs).toEqual([id("a"), id("x"), id("b"), id("c")]);
  expect(closed(between, id("x")).shown).toBe(id("b"));
  expect(closed(three, id("c")).shown).toBe(id("b"));
  expect(closed(opened(NOTHING_OPEN, id("a")), id("a"))).toEqual(NOTHING_OPEN);
  expect(beside(three, 1)).toBe(id("a"));
  expect(beside(NOTHING_OPEN, 1)).toBeNull();
  expect(isOpenFiles(three)).toBe(true);
  expect(isOpenFiles({ tabs: [1], shown: null })).toBe(false);
});

test("who comes and goes is told in one sentence, a crowd is counted", () => {
  expect(comings(["Ada"], ["Ada", "Noor"])).toBe("Noor has come.");
  expect(comings(["Ada", "Sam"], ["Noor"])).toBe("Noor has come. Ada and Sam have left.");
  expect(comings(["Ada"], ["Ada"])).toBe("");
  expect(comings(["Ada", "Ada"], ["Ada"])).toBe("Ada has left.");
  expect(listed(["A", "B", "C", "D"])).toBe("4 people");
  expect(listed(["A", "B", "C"])).toBe("A, B and C");
});
