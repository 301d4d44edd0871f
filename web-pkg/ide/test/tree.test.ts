import { expect, test } from "vitest";
import type { StreamId } from "@causeway/web";
import { after } from "../src/files/removed-files.ts";
import { complaintAboutMove, foldersOf, movesFor, treeRows, type TreeRow } from "../src/files/tree.ts";
import { treeCommand } from "../src/files/tree-keys.ts";

const FILES = ["src/deep/b.py", "src/a.py", "part 10.md", "part 2.md", "README.md"].map((path, at) => ({
  id: `ydoc:${at}` as StreamId,
  path,
  listed: true,
}));
const OPEN: ReadonlySet<string> = new Set();

test("folders come before files, each in natural order, with their places told", () => {
  const rows = treeRows(FILES, ["empty"], OPEN);
  expect(rows.map(drawn)).toEqual(["empty/", "src/", "  deep/", "    b.py", "  a.py", "part 2.md", "part 10.md", "README.md"]);
  expect(rows.map(({ place, among }) => `${place} of ${among}`)).toEqual([
    ...["1 of 5", "2 of 5", "1 of 2", "1 of 1", "2 of 2", "3 of 5", "4 of 5", "5 of 5"],
  ]);
  expect(treeRows(FILES, [], new Set(["src"])).map(drawn)).toEqual(["src/", "part 2.md", "part 10.md", "README.md"]);
  expect(foldersOf(FILES, ["x/y"])).toEqual(["src", "src/deep", "x", "x/y"]);
});

test("a folder's new path is the new path of each file in it, and of nothing that only begins like it", () => {
  const files = [...FILES, { id: "ydoc:9" as StreamId, path: "src.md", listed: true }];
  expect(movesFor(files, "src", "lib/src").map(({ from, to }) => [from, to])).toEqual([
    ["src/deep/b.py", "lib/src/deep/b.py"],
    ["src/a.py", "lib/src/a.py"],
  ]);
  expect(movesFor(files, "src.md", "b.md")).toEqual([{ id: "ydoc:9", from: "src.md", to: "b.md" }]);
});

test("what cannot be moved is told why", () => {
  expect(complaintAboutMove(FILES, "src", "src/deep")).toMatch(/into itself/);
  expect(complaintAboutMove(FILES, "src/a.py", "src")).toMatch(/there already/);
  const twin = [...FILES, { id: "ydoc:8" as StreamId, path: "a.py", listed: true }];
  expect(complaintAboutMove(twin, "src/a.py", "")).toBe("There is a file a.py already.");
  expect(complaintAboutMove(FILES, "src/a.py", "")).toBeNull();
});

test("keys walk the tree as ARIA says", () => {
  const rows = treeRows(FILES, [], OPEN);
  const press = (name: string, focused: string | null, held: { shift?: boolean; hasModifier?: boolean } = {}) =>
    treeCommand({ name, shift: held.shift ?? false, hasModifier: held.hasModifier ?? false }, rows, focused);
  expect(press("ArrowDown", "src")).toEqual({ do: "focus", path: "src/deep" });
  expect(press("ArrowRight", "src")).toEqual({ do: "focus", path: "src/deep" });
  expect(press("ArrowLeft", "src")).toMatchObject({ do: "fold" });
  expect(press("ArrowLeft", "src/deep/b.py")).toEqual({ do: "focus", path: "src/deep" });
  expect(press("End", "src")).toEqual({ do: "focus", path: "README.md" });
  expect(press("p", "src")).toEqual({ do: "focus", path: "part 2.md" });
  expect(press("p", "part 2.md")).toEqual({ do: "focus", path: "part 10.md" });
  expect(press("p", "src", { hasModifier: true })).toBeNull();
  expect(press("F10", "src", { shift: true })).toMatchObject({ do: "menu" });
  expect(press("ArrowUp", "src")).toBeNull();
  expect(treeCommand({ name: "Home", shift: false, hasModifier: false }, [], null)).toBeNull();
});

function drawn(row: TreeRow): string {
  return `${"  ".repeat(row.depth)}${row.name}${row.kind === "folder" ? "/" : ""}`;
}

test("W14 what leaves the list is remembered, newest first and once, until it is back", () => {
  const file = (name: string) => ({ id: `ydoc:${name}` as const, path: `${name}.md` });
  const [a, b, c] = [file("a"), file("b"), file("c")];
  const one = after([], [a, b, c], [b, c]);
  expect(one).toEqual([a]);
  expect(after(one, [b, c], [b, c]), "nothing has changed").toBe(one);
  const two = after(one, [b, c], [c]);
  expect(two).toEqual([b, a]);
  const moved = { ...a, path: "moved.md" };
  expect(after(two, [c], [moved, c])).toEqual([b]);
  expect(after(two, [moved, c], [c]), "with the path it had last").toEqual([moved, b]);
});
