import { expect, test } from "vitest";
import { languageOf } from "../src/files/languages.ts";
import { complaintAbout, parted, shownFiles } from "../src/files/shown-files.ts";

const FIRST = "ydoc:f0" as const;
const EMPTY = { settled: true, first: FIRST, firstWasRemoved: false };

test("an empty room shows the document that every page of it agrees on, unlisted", () => {
  expect(shownFiles([], EMPTY)).toEqual([{ id: FIRST, path: "main.md", listed: false }]);
});

test("an empty list says nothing before it is settled", () => {
  expect(shownFiles([], { ...EMPTY, settled: false })).toBeNull();
});

test("a list that has files is shown as it is", () => {
  const list = [{ id: "ydoc:a", path: "a.py" }] as const;
  expect(shownFiles(list, { ...EMPTY, settled: false })).toEqual([{ id: "ydoc:a", path: "a.py", listed: true }]);
});

test("the first document does not come back by itself once somebody took it off", () => {
  expect(shownFiles([], { ...EMPTY, firstWasRemoved: true })).toEqual([]);
});

test("names of files are checked as the engine checks them, with a sentence", () => {
  for (const good of ["main.py", "src/main.py", "übung 1.md"]) expect(complaintAbout(good, []), good).toBeNull();
  for (const bad of ["", "/a", "a//b", "../x", "a/./b", "a\nb", "ü".repeat(257)]) {
    expect(complaintAbout(bad, []), bad).toMatch(/\.$/);
  }
  expect(complaintAbout("a.py", ["a.py"])).toMatch(/already/);
});

test("folder and name are told apart", () => {
  expect(parted("src/tide/main.py")).toEqual({ folder: "src/tide/", name: "main.py" });
  expect(parted("main.py")).toEqual({ folder: "", name: "main.py" });
});

test("the ending of a name chooses the language", () => {
  const named = (path: string) => languageOf(path)?.name ?? null;
  expect(named("a/main.PY")).toBe("Python");
  expect(["x.ts", "x.tsx", "x.mjs", "x.rs", "x.html", "x.css", "x.md", "x.json"].map(named)).toEqual([
    "TypeScript",
    "TypeScript",
    "JavaScript",
    "Rust",
    "HTML",
    "CSS",
    "Markdown",
    "JSON",
  ]);
  expect(["Makefile", "a.b/file", "x.unknown"].map(named)).toEqual([null, null, null]);
});

test("every language the page offers can be loaded", async () => {
  for (const ending of ["js", "ts", "tsx", "py", "rs", "html", "css", "md", "json"]) {
    await expect(languageOf(`x.${ending}`)?.load()).resolves.toBeDefined();
  }
});
