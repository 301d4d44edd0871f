/** The files of a room: made, found, renamed, moved and removed, by hand and by keyboard, for everybody. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { focused } from "./harness/keyboard.mjs";
import { SCREENS, look, shot } from "./harness/look.mjs";
import { Line } from "./harness/proxy.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { Writer, freshRoom } from "./harness/writer.mjs";

test("files are made, renamed, removed and brought back, for everybody", async () => {
  const room = freshRoom("files");
  const [ada, noor] = await Promise.all([open(room, "Ada"), open(room, "Noor")]);
  await ada.write("kept");
  await noor.shows("kept");
  await ada.makeFile("tide.py");
  await lists(noor, "main.md", "tide.py");
  await ada.shows("");
  await ada.write("def low():\n");
  await line(noor, "tide.py").click();
  await noor.showsWords("def low():");

  await more(noor, "tide.py", "Rename");
  await noor.page.getByLabel("New name for tide.py").fill("main.md");
  await noor.page.keyboard.press("Enter");
  await noor.page.getByText("There is a file of this name already.").waitFor();
  await noor.page.getByLabel("New name for tide.py").fill("src/low-tide.py");
  await noor.page.keyboard.press("Enter");
  await lists(ada, "src/low-tide.py", "main.md");
  await ada.page.locator(".tab.current", { hasText: "low-tide.py" }).waitFor();

  await more(noor, "src/low-tide.py", "Remove");
  await lists(ada, "main.md");
  await ada.page.getByText("This file is not on the room’s list any more.").waitFor();
  await ada.showsWords("def low():");
  await noor.page.getByRole("status").getByRole("button", { name: "Undo" }).click();
  await lists(ada, "src/low-tide.py", "main.md");
  await noor.showsWords("def low():");
  await Promise.all([ada.close(), noor.close()]);
});

test("a folder is made, filled, renamed and moved with all that is in it, and folds up", async () => {
  const room = freshRoom("folders");
  const [ada, noor] = await Promise.all([open(room, "Ada"), open(room, "Noor")]);
  await ada.write("first");
  await ada.page.getByRole("button", { name: "New folder" }).click();
  await ada.page.getByLabel("Name of the new folder").fill("src");
  await ada.page.keyboard.press("Enter");
  await more(ada, "src", "New file here");
  await ada.page.getByLabel("Name of the new file").fill("a.py");
  await ada.page.keyboard.press("Enter");
  await ada.makeFile("src/deep/b.py");
  await lists(noor, "src/deep/b.py", "src/a.py", "main.md");

  await more(ada, "src", "Rename");
  await ada.page.getByLabel("New name for src").fill("lib");
  await ada.page.keyboard.press("Enter");
  await lists(noor, "lib/deep/b.py", "lib/a.py", "main.md");

  await line(noor, "main.md").dragTo(line(noor, "lib/deep"));
  await lists(ada, "lib/deep/b.py", "lib/deep/main.md", "lib/a.py");
  await line(ada, "lib/deep").dragTo(ada.page.locator(".tree"), { targetPosition: { x: 60, y: 300 } });
  await lists(noor, "deep/b.py", "deep/main.md", "lib/a.py");

  await line(noor, "deep").click();
  await lists(noor, "lib/a.py");
  await noor.reload();
  await lists(noor, "lib/a.py");
  await more(noor, "deep", "Remove");
  await noor.page.getByRole("button", { name: "Remove 2 files" }).click();
  await noor.page.getByRole("status").getByText("Removed 2 files.").waitFor();
  await lists(ada, "lib/a.py");
  await noor.page.getByRole("button", { name: "Undo", exact: true }).last().click();
  await lists(ada, "deep/b.py", "deep/main.md", "lib/a.py");
  await Promise.all([ada.close(), noor.close()]);
});

test("W14 a folder with files is asked about first, and whatever was removed comes back from a list that stays", async () => {
  const room = freshRoom("removed");
  const [ada, noor] = await Promise.all([open(room, "Ada"), open(room, "Noor")]);
  for (const path of ["src/a.py", "src/b.py", "notes.md"]) await ada.makeFile(path);
  await ada.write("words of Ada");
  await ada.isSaved();
  await lists(noor, "src/a.py", "src/b.py", "notes.md");
  const dialog = noor.page.getByRole("alertdialog", { name: "Remove src?" });

  // By keyboard alone: who just presses Enter keeps the folder.
  await line(noor, "src").focus();
  await noor.page.keyboard.press("Delete");
  await dialog.waitFor();
  await shot(noor.page, "remove-question-laptop-light");
  await noor.page.keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  await lists(noor, "src/a.py", "src/b.py", "notes.md");
  await noor.page.keyboard.press("Delete");
  await dialog.waitFor();
  await noor.page.keyboard.press("Tab");
  await noor.page.keyboard.press("Enter");
  await lists(ada, "notes.md");
  // One more while the line about the first is shown: it speaks of both.
  await line(noor, "notes.md").focus();
  await noor.page.keyboard.press("Delete");
  // An empty room offers its first document.
  await lists(ada, "main.md");
  const toast = noor.page.getByRole("status").getByText("Removed 3 files.");
  await toast.waitFor();
  await shot(noor.page, "removed-laptop-light");
  await noor.page.mouse.move(700, 300);
  await toast.waitFor({ state: "detached" });

  await noor.reload();
  await noor.page.locator(".removed summary").focus();
  await noor.page.keyboard.press("Enter");
  const back = (path) => noor.page.getByRole("button", { name: `Put back ${path}` });
  await back("src/b.py").waitFor();
  await look(noor.page, "removed-list-laptop-light");
  await noor.page.keyboard.press("Tab");
  await untilEqual("the newest is the first of the list", () => focused(noor.page), "Put back notes.md");
  await noor.page.keyboard.press("Enter");
  await lists(ada, "notes.md");
  await noor.showsWords("words of Ada");
  // A line may be forgotten, on this device alone.
  const forget = noor.page.getByRole("button", { name: "Forget src/b.py here" });
  const sure = noor.page.getByRole("alertdialog", { name: "Forget src/b.py here?" });
  await forget.click();
  await look(noor.page, "forget-question-laptop-light");
  await noor.page.keyboard.press("Enter");
  await sure.waitFor({ state: "detached" });
  await back("src/b.py").waitFor();
  await forget.click();
  await sure.getByRole("button", { name: "Forget it" }).click();
  await back("src/b.py").waitFor({ state: "detached" });
  // Ada saw them go, and can bring them back as well.
  await ada.page.locator(".removed summary").click();
  await ada.page.getByRole("button", { name: "Put all 2 back" }).click();
  const question = ada.page.getByRole("alertdialog", { name: "Put 2 files back?" });
  await question.getByRole("button", { name: "Put back" }).click();
  await lists(noor, "src/a.py", "src/b.py", "notes.md");
  await noor.page.locator(".removed").waitFor({ state: "detached" });
  await Promise.all([ada.close(), noor.close()]);
});

test("W14 a question about a file that is back meanwhile goes, and does not come up with the next that is removed", async () => {
  const room = freshRoom("asked");
  const ada = await Writer.open(browser, relay.origin, room, { name: "Ada" });
  const noor = await Writer.open(browser, relay.origin, room, { name: "Noor" });
  const remove = async (path) => {
    await ada.page.locator(`[data-path="${path}"]`).click({ button: "right" });
    await ada.page.getByRole("menuitem", { name: "Remove", exact: true }).click();
  };
  await ada.makeFile("a.md");
  await ada.makeFile("b.md");
  await noor.page.locator('[data-path="b.md"]').waitFor();
  await remove("a.md");
  await noor.page.locator(".removed summary").click();
  await noor.page.getByRole("button", { name: "Forget a.md here" }).click();
  const question = noor.page.getByRole("alertdialog", { name: "Forget a.md here?" });
  await question.waitFor();
  await ada.page.locator(".removed summary").click();
  await ada.page.getByRole("button", { name: "Put back a.md" }).click();
  await question.waitFor({ state: "detached" });
  await noor.page.locator('[data-path="a.md"]').waitFor();
  await remove("b.md");
  await noor.page.locator(".removed").getByText("b.md").waitFor({ state: "attached" });
  assert.equal(await noor.page.locator("dialog[open]").count(), 0, "nobody asked about anything");
  await Promise.all([ada.close(), noor.close()]);
});

test("W14 the line about what was just removed ends when it is back, and says nothing when it goes once more", async () => {
  const room = freshRoom("back-again");
  const [ada, noor] = await Promise.all([open(room, "Ada"), open(room, "Noor")]);
  await ada.makeFile("keep.md");
  await ada.makeFile("tide.md");
  await lists(noor, "keep.md", "tide.md");
  await more(noor, "tide.md", "Remove");
  const toast = noor.page.getByRole("status").getByText("Removed tide.md.");
  await toast.waitFor();
  await noor.page.getByRole("status").getByRole("button", { name: "Undo" }).focus();
  await lists(ada, "keep.md");
  await ada.page.locator(".removed summary").click();
  await ada.page.getByRole("button", { name: "Put back tide.md" }).click();
  await lists(noor, "keep.md", "tide.md");
  await toast.waitFor({ state: "detached" });
  await more(ada, "tide.md", "Remove");
  await lists(noor, "keep.md");
  assert.equal(await toast.count(), 0);
  await Promise.all([ada.close(), noor.close()]);
});

test("W19 whoever has the caret in the untouched first document stays there when somebody makes a file", async () => {
  const room = freshRoom("first-stays");
  const [ada, ben, cleo] = await Promise.all([open(room, "Ada"), open(room, "Ben"), open(room, "Cleo")]);
  await Promise.all([ada, ben, cleo].flatMap((one) => [one.isOnline(), one.isSaved()]));
  await ben.page.locator(".cm-content").focus();
  await cleo.page.getByRole("textbox", { name: "Message" }).focus();
  await ada.makeFile("plan.py");
  await ada.write("def plan():");
  await lists(ben, "plan.py");
  // Whoever is elsewhere on the page is shown what there is.
  await cleo.showsWords("def plan():");
  await untilEqual("Ben is in his file", () => focused(ben.page), "Text of main.md");
  assert.equal(await ben.page.getByText("not on the room’s list").count(), 0, "nobody took it off");
  // It is nowhere to go to yet.
  await ada.page.getByRole("button", { name: "Ben, in the list of people", exact: true }).waitFor();
  await ben.page.keyboard.type("my words");
  await lists(ada, "main.md", "plan.py");
  await ben.shows("my words");
  await ada.shows("def plan():");
  await ada.goTo("main.md");
  await ada.shows("my words");

  // Emptied, and taken off the list under his caret, it is his file all the same.
  await ben.press("Control+a");
  await ben.page.keyboard.press("Delete");
  await ada.shows("");
  await more(ada, "main.md", "Remove");
  await ben.page.getByText("This file is not on the room’s list any more.").waitFor();
  await untilEqual("Ben is in his file still", () => focused(ben.page), "Text of main.md");
  await Promise.all([ada, ben, cleo].map((one) => one.close()));
});

test("W19 before the relay has said what is in the room, only a caret that somebody has moved stays in the first document", async () => {
  const line = await Line.to(relay.port);
  try {
    const room = freshRoom("first-late");
    const ada = await open(room, "Ada");
    await ada.makeFile("plan.py");
    await ada.write("def plan():");
    await ada.isSaved();
    const [ben, cleo] = await Promise.all([keptPage(line, "Ben"), keptPage(line, "Cleo")]);
    line.cut();
    for (const one of [ben, cleo]) {
      await one.page.goto(`${line.origin}/r/${room}`);
      await one.editorIsThere();
    }
    await ben.press("ArrowRight");
    line.mend();
    await lists(ben, "plan.py");
    await cleo.shows("def plan():");
    await untilEqual("Ben is where he was", () => focused(ben.page), "Text of main.md");
    await Promise.all([ada, ben, cleo].map((one) => one.close()));
  } finally {
    await line.end();
  }
});

test("the tree is walked, renamed in and moved in by keyboard alone", async () => {
  const ada = await open(freshRoom("tree-keys"), "Ada");
  const { page } = ada;
  for (const path of ["src/a.py", "src/b.py", "web/c.html"]) await ada.makeFile(path);
  await page.keyboard.press("Escape");
  await until("Shift and Tab reach the tree", async () => {
    await page.keyboard.press("Shift+Tab");
    return page.evaluate(() => document.activeElement?.role === "treeitem");
  });
  await page.keyboard.press("Home");
  await untilEqual("the first folder", () => focused(page), "src");
  await page.keyboard.press("ArrowLeft");
  await lists(ada, "web/c.html");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await untilEqual("its first file", () => focused(page), "a.py");
  await page.keyboard.press("b");
  await untilEqual("the letter goes to the next of its name", () => focused(page), "b.py");
  await page.keyboard.press("F2");
  await page.keyboard.type("beta");
  await page.keyboard.press("Enter");
  await lists(ada, "src/a.py", "src/beta.py", "web/c.html");
  await untilEqual("the renamed line keeps the focus", () => focused(page), "beta.py");
  await page.keyboard.press("F6");
  await page.keyboard.type("web");
  await page.keyboard.press("Enter");
  await lists(ada, "src/a.py", "web/beta.py", "web/c.html");
  await untilEqual("the moved line keeps the focus", () => focused(page), "beta.py");
  await page.keyboard.press("Delete");
  await lists(ada, "src/a.py", "web/c.html");
  await untilEqual("the next line has it now", () => focused(page), "c.html");
  await page.keyboard.press("Home");
  await untilEqual("the first line", () => focused(page), "src");
  await page.keyboard.press("Shift+F10");
  await untilEqual("the menu has the focus", () => focused(page), "New file here");
  await page.keyboard.press("Escape");
  await untilEqual("and gives it back", () => focused(page), "src");
  await ada.close();
});

test("any file is found by a few letters, and its tab stays until it is closed", async () => {
  const room = freshRoom("tabs-of-files");
  const ada = await open(room, "Ada");
  for (const path of ["data/tides.json", "src/crossing.py"]) await ada.makeFile(path);
  await ada.page.keyboard.press("Control+p");
  await ada.page.keyboard.type("tid");
  await ada.page.keyboard.press("Enter");
  await ada.page.getByRole("textbox", { name: "Text of data/tides.json" }).waitFor();
  assert.deepEqual(await tabs(ada), ["tides.json", "crossing.py"]);
  await ada.page.keyboard.press("Alt+PageDown");
  await ada.page.getByRole("textbox", { name: "Text of src/crossing.py" }).waitFor();
  await ada.reload();
  assert.deepEqual(await tabs(ada), ["tides.json", "crossing.py"], "a reload keeps them");
  await ada.page.getByRole("button", { name: "Close crossing.py" }).click();
  await ada.page.getByRole("textbox", { name: "Text of data/tides.json" }).waitFor();
  await ada.page.getByRole("button", { name: "Close tides.json" }).click();
  await ada.page.getByRole("heading", { name: "No file is open" }).waitFor();
  await ada.page.keyboard.press("Control+p");
  await ada.page.keyboard.type("notes/new.md");
  await ada.page.getByRole("option", { name: "New file notes/new.md" }).click();
  await ada.page.getByRole("textbox", { name: "Text of notes/new.md" }).waitFor();
  await ada.close();
});

test("W16 whoever comes back to a tab finds what can be undone, the caret and the place as they left them", async () => {
  const room = freshRoom("back-to-tab");
  const [ada, noor] = await Promise.all([open(room, "Ada"), open(room, "Noor")]);
  await ada.makeFile("long.md");
  await ada.page.keyboard.insertText(Array.from({ length: 300 }, (_, at) => `line ${at}`).join("\n"));
  await ada.makeFile("other.md");
  await ada.write("elsewhere");
  await ada.page.locator(".tab", { hasText: "long.md" }).click();
  await ada.page.getByRole("textbox", { name: "Text of long.md" }).waitFor();
  await ada.press("Control+End");
  await ada.press("Control+ArrowLeft");
  await ada.press("Control+Backspace");
  const place = () => ada.page.locator(".caret-place").innerText();
  await untilEqual("the caret is near the end", place, "Ln 300, Col 1");
  await ada.goTo("other.md");
  await noor.goTo("long.md");
  await noor.writeFirst("first of all\n");
  await untilEqual("the others have it", async () => (await noor.status()).relay, "saved");
  await ada.goTo("long.md");
  await untilEqual("the caret is where it was, one line further down", place, "Ln 301, Col 1");
  await ada.showsWords("line 290");
  assert.ok(!(await ada.text()).includes("line 299"));
  await ada.press("Control+z");
  await ada.showsWords("line 299");
  await ada.press("Control+Home");
  await ada.showsWords("first of all");
  await Promise.all([ada.close(), noor.close()]);
});

test("a click on somebody goes to where they write", async () => {
  const room = freshRoom("visit");
  const [ada, noor] = await Promise.all([open(room, "Ada"), open(room, "Noor")]);
  await noor.makeFile("long.md");
  await noor.page.keyboard.insertText(Array.from({ length: 300 }, (_, at) => `line ${at}`).join("\n"));
  await noor.write("\nhere is Noor");
  await ada.page.getByRole("button", { name: "Go to Noor", exact: true }).first().click();
  await ada.page.getByRole("textbox", { name: "Text of long.md" }).waitFor();
  await ada.showsWords("here is Noor");
  await until("her caret is in sight", () => ada.page.locator(".causeway-caret").isVisible());
  // A visit is one: whoever comes back to the file later is where they were themselves.
  await ada.press("Control+Home");
  await ada.makeFile("mine.md");
  await ada.page.locator(".tab", { hasText: "long.md" }).click();
  await ada.page.getByRole("textbox", { name: "Text of long.md" }).waitFor();
  await ada.showsWords("line 0");
  assert.equal(await ada.page.locator(".lit-line").count(), 0);
  await Promise.all([ada.close(), noor.close()]);
});

test("columns are as wide as they were left, and away when they were put away", async () => {
  const ada = await open(freshRoom("columns"), "Ada");
  const edge = ada.page.getByRole("separator", { name: "Width of the files" });
  const width = () => ada.page.locator(".side.left").evaluate((side) => side.getBoundingClientRect().width);
  const before = await width();
  await edge.focus();
  await ada.page.keyboard.press("ArrowRight");
  await ada.page.keyboard.press("ArrowRight");
  assert.equal(await width(), before + 32);
  const { x, y } = await edge.boundingBox();
  await ada.page.mouse.move(x + 4, y + 200);
  await ada.page.mouse.down();
  await ada.page.mouse.move(x + 54, y + 200);
  await ada.page.mouse.up();
  assert.equal(await width(), before + 82);
  await ada.page.getByRole("button", { name: "Hide chat and people" }).click();
  await ada.reload();
  assert.equal(await width(), before + 82);
  assert.equal(await ada.page.locator(".side.right").isVisible(), false);
  await ada.press("Control+b");
  assert.equal(await ada.page.locator(".side.left").isVisible(), false);
  await ada.close();
});

function open(room, name) {
  return Writer.open(browser, relay.origin, room, { name, viewport: SCREENS.laptop });
}

/** Somebody whose page is there without a network. */
async function keptPage(line, name) {
  const writer = await Writer.open(browser, line.origin, freshRoom("elsewhere"), { name, viewport: SCREENS.laptop });
  await writer.worksOffline();
  await writer.reload();
  return writer;
}

function line({ page }, path) {
  return page.locator(`[data-path="${path}"]`);
}

/** Picks from the menu of a line. */
async function more(writer, path, words) {
  await line(writer, path).click({ button: "right" });
  await writer.page.getByRole("menuitem", { name: words, exact: true }).click();
}

async function lists(writer, ...paths) {
  const shown = () =>
    writer.page.locator(".tree-line.file").evaluateAll((lines) => lines.map((line) => line.dataset.path).join());
  await untilEqual("the tree lists them", shown, paths.join());
}

function tabs({ page }) {
  return page.locator(".tab .tab-name > span:not(.glyph, .dots, .tab-hint, .unseen)").allInnerTexts();
}
