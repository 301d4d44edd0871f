/** A whole visit without a mouse: come in, make a file, write, talk, react, rename, and leave nothing behind that needs one. */
import { test } from "node:test";
import { focused, tabTo } from "./harness/keyboard.mjs";
import { SCREENS } from "./harness/look.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { Writer, freshRoom } from "./harness/writer.mjs";

test("a room is entered, written in, talked in and tidied by keyboard alone", { timeout: 120_000 }, async () => {
  const room = freshRoom("keyboard");
  const noor = await Writer.open(browser, relay.origin, room, { name: "Noor", viewport: SCREENS.laptop });
  await noor.say("can you see this?");
  const context = await browser.newContext({ viewport: SCREENS.laptop });
  const page = await context.newPage();
  const ada = new Writer(page);
  const { keyboard } = page;

  await page.goto(`${relay.origin}/r/${room}`);
  await untilEqual("the door asks for a name", () => focused(page), "Your name");
  await keyboard.type("Ada");
  await keyboard.press("Enter");
  await ada.editorIsThere();
  await untilEqual("the text has the focus", () => focused(page), "Text of main.md");

  await keyboard.press("Control+p");
  await keyboard.type("src/tide.py");
  await keyboard.press("Enter");
  await untilEqual("the new file has the focus", () => focused(page), "Text of src/tide.py");
  await keyboard.type("low = 0.4");
  await noor.goTo("src/tide.py");
  await noor.shows("low = 0.4");

  await keyboard.press("Control+j");
  await untilEqual("the chat has the focus", () => focused(page), "Message");
  await keyboard.type("yes, I can");
  await keyboard.press("Enter");
  await noor.post("yes, I can").waitFor();

  await until("Shift and Tab reach the newest post", async () => {
    await keyboard.press("Shift+Tab");
    return page.evaluate(() => document.activeElement?.matches("[data-post]"));
  });
  await keyboard.press("ArrowUp");
  await until("the arrow goes to the one before", async () => (await focused(page)).includes("can you see this?"));
  await keyboard.press("Enter");
  await untilEqual("its menu opens", () => focused(page), "React");
  await keyboard.press("Enter");
  await untilEqual("the emoji wait for a name", () => focused(page), "Find by name, or put in any emoji");
  await keyboard.type("thumbs up");
  await keyboard.press("Enter");
  await noor.post("can you see this?").getByRole("button", { name: "👍 1" }).waitFor();
  await until("the focus is back at the post", async () => (await focused(page)).includes("can you see this?"));

  await until("Shift and Tab reach the tree", async () => {
    // Escape lets Tab out of the text on the way.
    await keyboard.press("Escape");
    await keyboard.press("Shift+Tab");
    return page.evaluate(() => document.activeElement?.role === "treeitem");
  });
  await keyboard.press("F2");
  await keyboard.type("water");
  await keyboard.press("Enter");
  await noor.page.locator('[data-path="src/water.py"]').waitFor();
  await untilEqual("the renamed line has the focus", () => focused(page), "water.py, here: Noor");
  await Promise.all([context.close(), noor.close()]);
});

test("W18 the focus is never lost: it comes back to where it was when something over the page closes", async () => {
  const ada = await Writer.open(browser, relay.origin, freshRoom("focus"), { viewport: SCREENS.laptop });
  const { page } = ada;
  await ada.write("here");
  await page.keyboard.press("Control+p");
  await page.keyboard.press("Escape");
  await untilEqual("from the list of files", () => focused(page), "Text of main.md");
  await page.keyboard.press("Escape");
  await tabTo(page, /^You are/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await untilEqual("the card asks for a name", () => focused(page), "Your name");
  await page.keyboard.press("Escape");
  await until("from the card", async () => (await focused(page)).startsWith("You are"));
  await ada.makeFile("other.md");
  await page.keyboard.press("Escape");
  await tabTo(page, "main.md", "Shift+Tab");
  await page.keyboard.press("Delete");
  await untilEqual("from a tab that is closed", () => focused(page), "other.md");
  await ada.close();
});
