/** Files of a disk beside the page: what people upload, drop and download. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before } from "node:test";
import { until, untilEqual } from "./until.mjs";

export let disk;

before(async () => {
  disk = await mkdtemp(join(tmpdir(), "causeway-disk-"));
});

after(() => rm(disk, { recursive: true, force: true }));

/** Writes files to the disk and gives their paths. */
export async function onDisk(files) {
  const paths = [];
  for (const [path, content] of Object.entries(files)) {
    paths.push(join(disk, path));
    await mkdir(dirname(paths.at(-1)), { recursive: true });
    await writeFile(paths.at(-1), content);
  }
  return paths;
}

/** Uploads by the button, as somebody who picks from the system's dialog. */
export async function picks({ page }, item, paths) {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Upload files" }).click();
  await page.getByRole("menuitem", { name: item }).click();
  await (await chooser).setFiles(paths);
}

/** Lets go of files or folders of the disk over a part of the page, as the system does. */
export async function drops(writer, selector, names) {
  const cdp = await drags(writer, selector, names);
  await cdp.at("drop");
}

/** Holds them there. */
export async function drags({ page }, selector, names) {
  // A file that is just being opened stands nowhere for a moment.
  const { x, y } = await until("it is in sight", () => page.locator(selector).first().boundingBox());
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: names.map((name) => join(disk, name)), dragOperationsMask: 1 };
  const at = (type) => session.send("Input.dispatchDragEvent", { type, x: x + 8, y: y + 8, data });
  await at("dragEnter");
  await at("dragOver");
  await page.locator(".drop-zone").waitFor();
  return { at };
}

export async function downloaded({ page }, deed) {
  const coming = page.waitForEvent("download");
  await deed();
  const download = await coming;
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/** What another program finds in an archive. */
export async function unpacked(bytes) {
  const path = join(disk, `${Math.random()}.zip`);
  await writeFile(path, bytes);
  const program = `
import json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
print(json.dumps({name: archive.read(name).decode() for name in archive.namelist()}))`;
  return JSON.parse(execFileSync("python3", ["-c", program, path], { encoding: "utf8" }));
}

export async function more({ page }, path, words) {
  await page.locator(`[data-path="${path}"]`).click({ button: "right" });
  await page.getByRole("menuitem", { name: words, exact: true }).click();
}

export async function lists({ page }, ...paths) {
  const shown = () => page.locator(".tree-line.file").evaluateAll((lines) => lines.map((line) => line.dataset.path).join());
  await untilEqual("the tree lists them", shown, paths.join());
}

/** In the page: of the files that are read, all behind the first `count` come only once `window.letFilesCome` is called. */
export function holdFilesUp({ page }, count) {
  return page.evaluate((count) => {
    const { arrayBuffer } = Blob.prototype;
    const gate = new Promise((resolve) => (window.letFilesCome = resolve));
    let asked = 0;
    Blob.prototype.arrayBuffer = async function () {
      asked += 1;
      if (asked > count) await gate;
      return arrayBuffer.call(this);
    };
  }, count);
}
