/** What is published: whole, found by every resolver, as small as promised, and its examples compile. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, expect, test } from "vitest";
import { examplesOf } from "./examples.js";
import { type App, PACKAGE, packed } from "./packed.js";
import { gzipOf } from "./sizes.js";
import { type Resolution, faultsOf } from "./typed.js";

const ROOT = join(PACKAGE, "..");
/** Most bytes of each door, minified and gzip: a phone parses them before it shows anything. */
const DOORS = { ".": 12_500, "./react": 4_000, "./codemirror": 5_000 } as const;

let app: App;

beforeAll(() => {
  app = packed();
}, 180_000);

afterAll(() => app?.remove());

test("publint finds nothing to say about what is published", async () => {
  const bytes = readFileSync(app.tarball);
  const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
});

test.each<Resolution>(["bundler", "node"])("every door has its types where a %s looks for them", (resolution) => {
  const exported = JSON.parse(readFileSync(join(app.installed, "package.json"), "utf8")) as { exports: object };
  const doors = Object.keys(exported.exports).filter((door) => door !== "./wasm");
  expect(doors).toEqual(Object.keys(DOORS));
  const lines = doors.map((door, at) => `import * as door${at} from "@causeway/web${door.slice(1)}";\nexport { door${at} };`);
  const file = join(app.folder, `doors-${resolution}.mts`);
  writeFileSync(file, lines.join("\n"));
  expect(faultsOf([file], resolution)).toEqual([]);
}, 180_000);

test("a door that does not exist is found missing", () => {
  const file = join(app.folder, "no-door.mts");
  writeFileSync(file, 'import * as nothing from "@causeway/web/none";\nexport { nothing };');
  expect(faultsOf([file], "bundler").join()).toContain("@causeway/web/none");
}, 180_000);

test("the examples of the README and of the guides compile against what is published", () => {
  const guides = join(ROOT, "docs/guides");
  const pages = [join(PACKAGE, "README.md"), ...readdirSync(guides).map((page) => join(guides, page))];
  const files = pages.flatMap((page) =>
    examplesOf(page).map(({ line, language, code }) => {
      const name = `${relative(ROOT, page).replaceAll(/[/.]/g, "-")}-line-${line}.${language}`;
      const file = join(app.folder, name);
      writeFileSync(file, `${code}\nexport {};\n`);
      return file;
    }),
  );
  expect(files.length).toBeGreaterThanOrEqual(5);
  expect(faultsOf(files, "bundler")).toEqual([]);
}, 180_000);

test("each door stays within its size", () => {
  const of = (door: string): string => join(app.installed, "dist", door === "." ? "client" : door.slice(2), "index.js");
  const sizes = Object.entries(DOORS).map(([door, most]) => {
    const gzip = door === "." ? gzipOf(of(door)) : gzipOf(of(door), of("."));
    return { door, gzip, most };
  });
  console.table(sizes);
  for (const { door, gzip, most } of sizes) expect(gzip, `${door} in bytes gzip`).toBeLessThanOrEqual(most);
});
