/** Files that come in and go out while something is in the way: another tab, another upload, a disk that is full, one name twice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SCREENS, look } from "./harness/look.mjs";
import { Line } from "./harness/proxy.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { downloaded, drops, holdFilesUp, lists, onDisk, picks, unpacked } from "./harness/transfers.mjs";
import { until } from "./harness/until.mjs";
import { Writer, freshRoom } from "./harness/writer.mjs";

test("W27 a second tab packs no file empty of which the first has not heard", { timeout: 120_000 }, async () => {
  const line = await Line.to(relay.port);
  try {
    const room = freshRoom("second-tab");
    const ada = await open(room, "Ada");
    const texts = { "a.md": "the first", "b.md": "the second", "c.md": "the third" };
    for (const [path, text] of Object.entries(texts)) {
      await ada.makeFile(path);
      await ada.write(text);
    }
    await ada.isSaved();
    const first = await open(room, "Noor", { origin: line.origin });
    await lists(first, "a.md", "b.md", "c.md");
    await first.shows("the first");
    await first.goTo("c.md");
    await first.shows("the third");
    const second = await open(room, "Noor", { origin: line.origin, context: first.context });
    await lists(second, "a.md", "b.md", "c.md");
    await second.goTo("c.md");
    await second.shows("the third");
    line.stall();
    const some = await downloaded(second, () => all(second).click());
    assert.deepEqual(await unpacked(some.bytes), { "a.md": "the first", "c.md": "the third" });
    const report = second.page.getByRole("dialog", { name: "Not all files" });
    await report.getByText(`${room}.zip lacks 1 of 3 files:`).waitFor();
    await report.getByText("b.md", { exact: true }).waitFor();
    await second.page.keyboard.press("Escape");
    line.mend();
    await second.isOnline();
    const whole = await downloaded(second, () => all(second).click());
    assert.deepEqual(await unpacked(whole.bytes), texts);
    await second.page.getByText("the newest lines may be missing: another tab of this browser").waitFor();
    await Promise.all([ada.close(), first.close()]);
  } finally {
    await line.end();
  }
});

test("W27 packing can be stopped, and what was asked for again is there after that", async () => {
  const line = await Line.to(relay.port);
  try {
    const room = freshRoom("stop-packing");
    const ada = await open(room, "Ada");
    await ada.makeFile("a.md");
    await ada.makeFile("b.md");
    await ada.write("low tide");
    await ada.isSaved();
    const noor = await open(room, "Noor", { origin: line.origin });
    await lists(noor, "a.md", "b.md");
    await noor.page.getByRole("textbox", { name: "Text of a.md" }).waitFor();
    await noor.isOnline();
    line.stall();
    await all(noor).click();
    await noor.page.getByRole("progressbar", { name: "Packing files" }).waitFor();
    await noor.page.getByRole("button", { name: "Cancel" }).click();
    await noor.page.getByText("Nothing was downloaded, as it was cancelled.").waitFor();
    line.mend();
    await noor.isOnline();
    const whole = await downloaded(noor, () => all(noor).click());
    assert.deepEqual(await unpacked(whole.bytes), { "a.md": "", "b.md": "low tide" });
    await Promise.all([ada.close(), noor.close()]);
  } finally {
    await line.end();
  }
});

test("W28 what is dropped while files are on their way is said not to be taken, and leaving is asked about", async () => {
  const ada = await open(freshRoom("busy"), "Ada");
  await onDisk({ "first.md": "first", "second.md": "second" });
  await ada.write("in the room");
  await holdFilesUp(ada, 0);
  await drops(ada, ".cm-content", ["first.md"]);
  await ada.page.getByRole("progressbar", { name: "Bringing in files" }).waitFor();
  await drops(ada, ".cm-content", ["second.md"]);
  await ada.page.getByText("Not begun: files are on their way.").waitFor();
  await look(ada.page, "upload-busy-desk-light");
  const asked = new Promise((resolve) => ada.page.once("dialog", (dialog) => resolve(dialog.dismiss().then(() => dialog.type()))));
  await ada.page.close({ runBeforeUnload: true });
  assert.equal(await asked, "beforeunload");
  await ada.page.evaluate(() => window.letFilesCome());
  await ada.page.getByRole("textbox", { name: "Text of first.md" }).waitFor();
  await ada.page.getByRole("progressbar", { name: "Bringing in files" }).waitFor({ state: "detached" });
  await lists(ada, "first.md", "main.md");
  await drops(ada, ".cm-content", ["second.md"]);
  await lists(ada, "first.md", "main.md", "second.md");
  await ada.close();
});

test("W28 what was refused waits for whoever writes meanwhile, and takes no key from them", async () => {
  const ada = await open(freshRoom("report"), "Ada");
  await onDisk({ "tide.png": Buffer.from([0, 1, 2]) });
  await holdFilesUp(ada, 0);
  await drops(ada, ".cm-content", ["tide.png"]);
  await ada.write("low ");
  await ada.page.evaluate(() => window.letFilesCome());
  const show = ada.page.getByRole("button", { name: "Show which" });
  await show.waitFor();
  await ada.page.keyboard.type("tide");
  await ada.shows("low tide");
  await look(ada.page, "report-waits-desk-light");
  await show.click();
  await ada.page.getByRole("dialog", { name: "Not all files" }).getByText("It is no plain text").waitFor();
  await ada.close();
});

test("W28 a disk that is full ends bringing in with a sentence, and bars no download", { timeout: 120_000 }, async () => {
  const ada = await open(freshRoom("upload-full"), "Ada");
  await ada.write("mine");
  await ada.isSaved();
  await onDisk({ "late.md": "late" });
  await holdFilesUp(ada, 0);
  await drops(ada, ".cm-content", ["late.md"]);
  await ada.page.getByRole("progressbar", { name: "Bringing in files" }).waitFor();
  const session = await ada.page.context().newCDPSession(ada.page);
  await session.send("Storage.overrideQuotaForOrigin", { origin: relay.origin, quotaSize: 1 });
  const told = ada.page.getByText("1 file was not brought in, as the storage of this device is full or takes nothing now.");
  // Chromium asks for the quota anew only after half a minute, as long as little is written.
  await until("it is told", async () => {
    await ada.write("x");
    return (await told.count()) === 1;
  }, 60_000);
  assert.equal(await ada.page.getByRole("progressbar").count(), 0);
  await ada.page.evaluate(() => window.letFilesCome());
  const text = await ada.text();
  const some = await downloaded(ada, () => all(ada).click());
  assert.deepEqual(await unpacked(some.bytes), { "main.md": text });
  await lists(ada, "main.md");
  await ada.close();
});

test("W28 the first text of an empty room takes no name that came meanwhile", async () => {
  const room = freshRoom("first-name");
  const ada = await open(room, "Ada");
  await ada.isOnline();
  await ada.press("ArrowRight");
  const noor = await open(room, "Noor");
  await picks(noor, "Files…", await onDisk({ "main.md": "from the disk" }));
  // The tree shows a text under that name before there is one; only a file can be downloaded.
  await until("Noor's has come", () => all(ada).isEnabled());
  await lists(ada, "main.md");
  await ada.write("from the keys");
  await lists(ada, "main (2).md", "main.md");
  const both = await downloaded(ada, () => all(ada).click());
  assert.deepEqual(await unpacked(both.bytes), { "main.md": "from the disk", "main (2).md": "from the keys" });
  await Promise.all([ada.close(), noor.close()]);
});

function open(room, name, { origin = relay.origin, context } = {}) {
  return Writer.open(browser, origin, room, { context, name, colour: name === "Ada" ? 0x0f7a84 : 0xc24a29, viewport: SCREENS.desk });
}

function all({ page }) {
  return page.getByRole("button", { name: "Download all as .zip" });
}
