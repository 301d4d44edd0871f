import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { archivePaths } from "../src/transfer/archive-paths.ts";
import { FILES, offerOfList } from "../src/transfer/offered.ts";
import { OpenedTexts, TEXTS } from "../src/transfer/opened.ts";
import { folded, freePath, TakenNames } from "../src/files/taken-names.ts";
import { FILE_BYTES, textOf, textOfFile } from "../src/transfer/text-of-file.ts";
import { broughtWords, takenWords, tooManyWords } from "../src/transfer/transfer-words.ts";
import { crc32, zip } from "../src/transfer/zip.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

test("W27 an archive is unpacked by others, with folders, names beyond ASCII and empty files", async () => {
  expect(crc32(utf8("123456789"))).toBe(0xcbf43926);
  const files = [
    { path: "main.md", text: "# low tide\n" },
    { path: "src/übung 🌊.py", text: "print('🌊')\n" },
    { path: "src/deep/empty.txt", text: "" },
  ];
  const bytes = new Uint8Array(await zip(files, new Date(2026, 4, 3, 21, 7, 30)).arrayBuffer());
  const folder = mkdtempSync(join(tmpdir(), "causeway-zip-"));
  try {
    writeFileSync(join(folder, "room.zip"), bytes);
    const list = `
import json, zipfile
archive = zipfile.ZipFile("room.zip")
assert archive.testzip() is None
print(json.dumps([[one.filename, list(one.date_time)] for one in archive.infolist()]))
archive.extractall("out")`;
    const told = JSON.parse(execFileSync("python3", ["-c", list], { cwd: folder, encoding: "utf8" })) as unknown;
    expect(told).toEqual(files.map(({ path }) => [path, [2026, 5, 3, 21, 7, 30]]));
    for (const { path, text } of files) expect(readFileSync(join(folder, "out", path), "utf8")).toBe(text);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("W28 plain text is taken in whatever encoding tells itself, and all else is refused", async () => {
  expect(textOf(utf8("\uFEFFlow\r\ntide\r"))).toEqual({ text: "low\ntide\n" });
  expect(textOf(Uint8Array.of(0xff, 0xfe, 0x48, 0x00, 0xd6, 0x00))).toEqual({ text: "HÖ" });
  expect(textOf(Uint8Array.of(0xfe, 0xff, 0x00, 0x48))).toEqual({ text: "H" });
  expect(textOf(new Uint8Array())).toEqual({ text: "" });
  for (const bytes of [Uint8Array.of(0x89, 0x50, 0x4e, 0x47), Uint8Array.of(0x48, 0, 0x49), Uint8Array.of(0xd6, 0x6c)]) {
    expect(textOf(bytes)).toMatchObject({ refusal: expect.stringContaining("no plain text") as string });
  }
  const large = new File([new Uint8Array(FILE_BYTES + 1)], "log.txt");
  expect(await textOfFile(large)).toEqual({ refusal: "It is too large: 2 MB. A file here has at most 2 MB." });
  expect(await textOfFile(new File([new Uint8Array(FILE_BYTES).fill(97)], "book.txt"))).toHaveProperty("text");
});

test("W28 a name that is taken gets a number", () => {
  expect(freePath("a.md", new Set())).toBe("a.md");
  expect(freePath("src/a.md", new Set(["src/a.md", "src/a (2).md"]))).toBe("src/a (3).md");
  expect(freePath(".env", new Set([".env"]))).toBe(".env (2)");
  expect(freePath("v1.0/Makefile", new Set(["v1.0/Makefile"]))).toBe("v1.0/Makefile (2)");
});

test("W28 what tools made is left out by name, and there is an end to an offer", () => {
  const file = (path: string) => Object.defineProperty(new File(["x"], path), "webkitRelativePath", { value: path });
  const offer = offerOfList(["p/a.md", "p/.git/config", "p/.git/HEAD", "p/node_modules/x/y.js", ".DS_Store"].map(file));
  expect(offer.files.map(({ path }) => path)).toEqual(["p/a.md"]);
  expect(offer.leftOut).toEqual([".git", "node_modules", ".DS_Store"]);
  const many = offerOfList(Array.from({ length: FILES + 1 }, (_, at) => file(`${at}.txt`)));
  expect([many.isTooMany, many.files.length]).toEqual([true, FILES]);
});

test("W27 in an archive each file has a name of its own that every system takes, in the folder it is unpacked to", () => {
  expect(archivePaths(["a.md", "src/a.md"])).toEqual(["a.md", "src/a.md"]);
  expect(archivePaths(["main.md", "main.md", "Main.md"])).toEqual(["main.md", "main (2).md", "Main (3).md"]);
  expect(archivePaths(["a", "a/b", "A (2)"])).toEqual(["a (2)", "a/b", "A (2) (2)"]);
  expect(archivePaths(["u\u0308.md", "\u00fc.md"])).toEqual(["u\u0308.md", "\u00fc (2).md"]);
  const foreign = ["..\\..\\Startup\\run.bat", "C:\\x", "/etc/passwd", "../up", "a?.md", "con.txt", "end. "];
  expect(archivePaths(foreign)).toEqual([".._.._Startup_run.bat", "C__x", "etc/passwd", "._/up", "a_.md", "_con.txt", "end._"]);
});

test("W28 a name that is taken is one that cannot be told apart, or a folder's", () => {
  const taken = new TakenNames(["src/Deep/a.md"], folded);
  expect(["src", "SRC/deep", "src/deep/A.md"].map((path) => taken.has(path))).toEqual([true, true, true]);
  expect(["a.md", "src/a.md", ""].map((path) => taken.has(path))).toEqual([false, false, false]);
});

test("W27 W28 what one page opens has an end below that of its link", () => {
  const opened = new OpenedTexts();
  const ids = Array.from({ length: TEXTS + 1 }, (_, at) => `ydoc:${at}` as const);
  // Two tabs share a link that carries 2,000, and a room has more streams than its texts.
  expect(2 * TEXTS).toBeLessThan(2_000);
  for (const id of ids.slice(0, TEXTS - 1)) opened.add(id);
  opened.add("ydoc:0");
  expect([opened.left, opened.fresh(ids)]).toEqual([1, 2]);
  expect(tooManyWords(2, opened.left).sentence).toMatch(/^These are 2 files, and this page can open 1 more until it is loaded anew\./);
});

test("W27 W28 what came of it is told in words", () => {
  const file = (path: string) => ({ id: "ydoc:0" as const, path });
  const brought = { files: [file("a.md")], numbered: [], refused: [], unsure: [], stopped: null };
  expect(broughtWords(brought, [], 1)).toEqual({ sentence: "a.md is in the room.", refused: [] });
  const clash = { ...brought, files: [file("a (2).md"), file("b.md")], numbered: ["a (2).md"] };
  expect(broughtWords(clash, [".git"], 2).sentence).toBe(
    "2 files are in the room. a (2).md has a number, as its name was taken. Left out: .git.",
  );
  expect(broughtWords({ ...brought, files: [], stopped: "cancelled" }, [], 4).sentence).toContain("4 files were not brought in, as it was cancelled.");
  const refused = [{ path: "x.png", sentence: "It is no plain text." }];
  expect(broughtWords({ ...brought, files: [], refused }, [], 1).sentence).toBe("Nothing was brought in. 1 file was not taken:");
  const full = broughtWords({ ...brought, unsure: ["b.md"], stopped: "disk" }, [], 4);
  expect(full.sentence).toBe(
    "a.md is in the room. 2 files were not brought in, as the storage of this device is full or takes nothing now. 1 file was still being written.",
  );
  expect(full.refused.map(({ path }) => path)).toEqual(["b.md"]);
  const out = { count: 2, missing: [], unsure: [] };
  expect(takenWords(out, "room.zip", "relay")).toBeNull();
  expect(takenWords({ ...out, missing: ["a.md"] }, "room.zip", "nobody")?.sentence).toBe("room.zip lacks 1 of 3 files:");
  const half = takenWords({ ...out, unsure: ["b.md"] }, "room.zip", "relay");
  expect(half?.sentence).toBe("Of b.md the newest lines may be missing.");
  expect(half?.refused.map(({ path }) => path)).toEqual(["b.md"]);
  expect(takenWords({ ...out, unsure: ["b.md", "c.md"] }, "room.zip", "tab")).toMatchObject({ refused: [] });
});
