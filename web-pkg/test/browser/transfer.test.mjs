/** Files that come into a room from somebody's disk, and go out to it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { LOOKS, SCREENS, look, profileOf, settled, shot } from "./harness/look.mjs";
import { Line } from "./harness/proxy.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { disk, downloaded, drags, drops, holdFilesUp, lists, more, onDisk, picks, unpacked } from "./harness/transfers.mjs";
import { untilEqual } from "./harness/until.mjs";
import { Writer, freshRoom, introduce } from "./harness/writer.mjs";

test("W28 files are uploaded by button, a name that is taken loses nothing, and what is no text is refused with the reason", async () => {
  const room = freshRoom("upload");
  const [ada, noor] = await Promise.all([open(room, "Ada"), open(room, "Noor")]);
  await ada.makeFile("notes.md");
  await ada.write("what was there before");
  await lists(noor, "notes.md");
  const paths = await onDisk({
    "notes.md": "from the disk\r\nof Noor\n",
    "tide.py": "low = 0.4\n",
    "picture.png": Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3]),
    "large.log": "x".repeat(2_000_001),
  });
  await picks(noor, "Files…", paths);
  const report = noor.page.getByRole("dialog", { name: "Not all files" });
  await report.getByText("2 files are in the room. notes (2).md has a number, as its name was taken.").waitFor();
  await report.getByText("It is no plain text in UTF-8.").waitFor();
  await report.getByText("It is too large: 2 MB. A file here has at most 2 MB.").waitFor();
  await look(noor.page, "upload-refused-desk-light");
  await noor.page.keyboard.press("Escape");
  await lists(ada, "notes (2).md", "notes.md", "tide.py");
  await ada.shows("what was there before");
  await ada.goTo("notes (2).md");
  await ada.shows("from the disk\nof Noor\n");
  await ada.goTo("tide.py");
  await ada.shows("low = 0.4\n");
  assert.deepEqual([...ada.errors, ...noor.errors], []);
  await Promise.all([ada.close(), noor.close()]);
});

test("W28 a folder with hundreds of files comes in with its folders, is counted on the way, and can be stopped", { timeout: 180_000 }, async () => {
  const ada = await open(freshRoom("folder"), "Ada");
  const many = Object.fromEntries(Array.from({ length: 120 }, (_, at) => [`class/group ${at % 4}/${at}.txt`, `text ${at}`]));
  await onDisk({ ...many, "class/.git/config": "[core]", "class/node_modules/x/index.js": "0" });
  await ada.page.evaluate(() => {
    window.told = [];
    new MutationObserver(() => {
      const line = document.querySelector(".toast")?.textContent;
      if (line !== undefined && line !== window.told.at(-1)) window.told.push(line);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await picks(ada, "A folder…", join(disk, "class"));
  await ada.page.getByText("120 files are in the room. Left out: ").waitFor({ timeout: 120_000 });
  const told = await ada.page.evaluate(() => window.told);
  assert.ok(told.some((line) => /Bringing in files: \d+ of 120/.test(line)), told.join("\n"));
  await untilEqual("all are listed", () => ada.page.locator(".tree-line.file").count(), 120);
  await ada.goTo("class/group 3/119.txt");
  await ada.shows("text 119");
  await ada.isSaved();

  // A disk that answers no more: whoever cancels waits for it no longer.
  await holdFilesUp(ada, 16);
  await picks(ada, "A folder…", join(disk, "class"));
  await ada.page.getByText("Bringing in files: 16 of 120").waitFor();
  await ada.page.getByRole("button", { name: "Cancel" }).click();
  await ada.page.getByText("104 files were not brought in, as it was cancelled.").waitFor();
  // What comes after all is not brought in behind their back.
  await ada.page.evaluate(() => window.letFilesCome());
  await ada.makeFile("after.md");
  await untilEqual("it stopped", () => ada.page.locator(".tree-line.file").count(), 137);
  await ada.close();
});

test("W28 a file that is dropped anywhere comes into the room, over a folder into that, a folder with what is in it", async () => {
  const ada = await open(freshRoom("drop"), "Ada");
  await ada.makeFile("src/main.py");
  await ada.write("mine");
  await onDisk({ "dropped.md": "from outside", "low.py": "low = 1", "group/deep/a.txt": "a", "group/b.txt": "b" });
  await drops(ada, ".cm-content", ["dropped.md"]);
  await ada.page.getByRole("textbox", { name: "Text of dropped.md" }).waitFor();
  await ada.shows("from outside");
  await drops(ada, '[data-path="src"]', ["low.py"]);
  await ada.page.getByRole("textbox", { name: "Text of src/low.py" }).waitFor();
  await drops(ada, ".chat", ["group"]);
  await lists(ada, "group/deep/a.txt", "group/b.txt", "src/low.py", "src/main.py", "dropped.md");
  await ada.goTo("src/main.py");
  await ada.shows("mine");
  await ada.close();
});

test("W27 one file is downloaded, a folder and all as an archive that others unpack", async () => {
  const room = freshRoom("download");
  const ada = await open(room, "Ada");
  const texts = { "main.md": "# tide\n", "src/übung.py": "print('🌊')\n", "src/deep/empty.txt": "" };
  for (const [path, text] of Object.entries(texts)) {
    await ada.makeFile(path);
    await ada.page.locator(".cm-content").focus();
    await ada.page.keyboard.insertText(text);
  }
  await ada.isSaved();
  // Noor has opened none of them.
  const noor = await open(room, "Noor");
  await lists(noor, "src/deep/empty.txt", "src/übung.py", "main.md");
  const one = await downloaded(noor, () => more(noor, "src/übung.py", "Download"));
  assert.deepEqual([one.name, one.bytes.toString()], ["übung.py", texts["src/übung.py"]]);
  const all = await downloaded(noor, () => noor.page.getByRole("button", { name: "Download all as .zip" }).click());
  assert.equal(all.name, `${room}.zip`);
  assert.deepEqual(await unpacked(all.bytes), texts);
  const folder = await downloaded(noor, () => more(noor, "src", "Download as .zip"));
  assert.deepEqual(Object.keys(await unpacked(folder.bytes)).sort(), ["src/deep/empty.txt", "src/übung.py"]);
  assert.deepEqual(noor.errors, []);
  await Promise.all([ada.close(), noor.close()]);
});

test("W27 without a link what is not on this device is missing from the archive and named, and never an empty file", async () => {
  const line = await Line.to(relay.port);
  try {
    const room = freshRoom("download-apart");
    const ada = await open(room, "Ada");
    await ada.makeFile("read.md");
    await ada.write("Noor has seen this");
    await ada.makeFile("unread.md");
    await ada.write("and not this");
    await ada.isSaved();
    const noor = await Writer.open(browser, line.origin, room, { name: "Noor", viewport: SCREENS.desk });
    await noor.goTo("read.md");
    await noor.shows("Noor has seen this");
    await noor.isSavedHere();
    await noor.worksOffline();
    line.cut();
    await noor.reload();
    await noor.shows("Noor has seen this");
    const all = await downloaded(noor, () => noor.page.getByRole("button", { name: "Download all as .zip" }).click());
    assert.deepEqual(await unpacked(all.bytes), { "read.md": "Noor has seen this" });
    const report = noor.page.getByRole("dialog", { name: "Not all files" });
    await report.getByText(`${room}.zip lacks 1 of 2 files:`).waitFor();
    await report.getByText("unread.md").waitFor();
    await Promise.all([ada.close(), noor.close()]);
  } finally {
    await line.end();
  }
});

for (const { size, scheme } of LOOKS) {
  test(`W27 W28 files on their way can be read about, ${size}, ${scheme}`, async () => {
    const context = await browser.newContext(profileOf(size, scheme));
    await introduce(context, "Ada", 0x0f7a84);
    const ada = new Writer(await context.newPage());
    await ada.page.goto(`${relay.origin}/r/${freshRoom("transfer-looks")}`);
    await ada.editorIsThere();
    if (size === "phone") await ada.page.getByRole("button", { name: "Files", exact: true }).click();
    await ada.page.getByRole("button", { name: "Upload files" }).click();
    await look(ada.page, `upload-menu-${size}-${scheme}`);
    await ada.page.keyboard.press("Escape");
    await picks(ada, "Files…", await onDisk({ "tide.md": "low", "tide.png": Buffer.from([0, 1, 2]) }));
    await ada.page.getByRole("dialog", { name: "Not all files" }).waitFor();
    await look(ada.page, `upload-refused-${size}-${scheme}`);
    await ada.page.keyboard.press("Escape");
    await ada.page.locator('[data-path="tide.md"]').click({ button: "right" });
    await look(ada.page, `file-menu-${size}-${scheme}`);
    await ada.page.keyboard.press("Escape");
    if (size === "desk") {
      await drags(ada, ".cm-content", ["tide.md"]);
      await settled(ada.page);
      await shot(ada.page, `drop-${size}-${scheme}`);
    }
    await context.close();
  });
}

function open(room, name) {
  return Writer.open(browser, relay.origin, room, { name, colour: name === "Ada" ? 0x0f7a84 : 0xc24a29, viewport: SCREENS.desk });
}
