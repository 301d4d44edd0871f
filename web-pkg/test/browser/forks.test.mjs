/** Work the room did not take: seen, compared, saved as a file, put back, discarded. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { INSECURE_HOST } from "./harness/browser.mjs";
import { look, profileOf } from "./harness/look.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { SENTENCE, StrictLine } from "./harness/strict.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { freshRoom, introduce, Writer } from "./harness/writer.mjs";

/** A page whose last words were refused, and somebody else in the room. */
async function refused(t, host, profile = {}) {
  const line = await StrictLine.to(relay.port);
  t.after(() => line.end());
  const room = freshRoom("fork");
  const context = await browser.newContext({ acceptDownloads: true, ...profile });
  t.after(() => context.close());
  await introduce(context, "Ada", 0x0f7a84);
  const ada = await Writer.open(browser, `http://${host}:${line.port}`, room, { context });
  await ada.isOnline();
  await ada.write("# Common ground\n\nWritten by all.\n");
  await ada.isSaved();
  const ben = await Writer.open(browser, relay.origin, room, { name: "Ben" });
  t.after(() => ben.close());
  await ben.showsWords("Written by all.");
  line.isStrict = true;
  await ada.press("Control+End");
  await ada.page.keyboard.insertText("And this by me alone.");
  await ada.page.locator("[data-testid=fork-notice]").waitFor();
  await ada.isSaved();
  line.isStrict = false;
  assert.ok(line.refusals > 0);
  await until("the room's truth is shown", async () => !(await ada.text()).includes("by me alone"));
  return { ada, ben, room, line, context };
}

function dialog(page) {
  return page.getByRole("dialog", { name: "Work the room did not take" });
}

for (const [where, host] of Object.entries({ "a secure origin": "127.0.0.1", "plain http": INSECURE_HOST })) {
  test(`refused work is seen with its reason, saved as a file and put back, on ${where}`, { timeout: 120_000 }, async (t) => {
    const { ada, ben } = await refused(t, host);
    await ben.writeFirst("Meanwhile. ");
    await ada.showsWords("Meanwhile.");
    await ada.page.getByRole("button", { name: "Look at it" }).click();
    const fork = dialog(ada.page).locator("[data-testid=fork]");
    await fork.getByText("And this by me alone.").waitFor();
    assert.ok((await fork.innerText()).includes(SENTENCE));
    await fork.getByRole("button", { name: "Show" }).click();
    const changes = dialog(ada.page).getByRole("region", { name: "What this work changes in main.md" });
    assert.equal(await changes.locator("ins").allInnerTexts().then((words) => words.join("")), "And this by me alone.");

    const [saved] = await Promise.all([
      ada.page.waitForEvent("download"),
      fork.getByRole("button", { name: "Download" }).click(),
    ]);
    assert.equal(saved.suggestedFilename(), "main.md");
    const file = await readFile(await saved.path(), "utf8");
    assert.equal(file, "Meanwhile. # Common ground\n\nWritten by all.\nAnd this by me alone.");

    await fork.getByRole("button", { name: "Put back" }).click();
    await dialog(ada.page).getByText("Put back into main.md.").waitFor();
    await ada.page.keyboard.press("Escape");
    await ben.showsWords("Meanwhile.", "by me alone.");
    await ada.isSaved();
    assert.equal(await ada.page.locator("[data-testid=fork-notice]").count(), 0);
    await ada.reload();
    await ada.showsWords("by me alone.");
    assert.equal(await ada.page.locator("[data-testid=fork-notice]").count(), 0);
    assert.deepEqual(ada.errors, []);
  });
}

test("refused work outlives a reload, is shown in every tab, and is discarded by keyboard after a question", { timeout: 120_000 }, async (t) => {
  const { ada, context, room, line } = await refused(t, "127.0.0.1");
  await ada.reload();
  await ada.page.locator("[data-testid=fork-notice]").waitFor();
  const second = await Writer.open(browser, `http://127.0.0.1:${line.port}`, room, { context });
  await second.page.getByRole("button", { name: "Look at it" }).press("Enter");
  const { page } = second;
  await dialog(page).getByText("And this by me alone.").waitFor();
  await page.getByRole("button", { name: "Discard" }).press("Enter");
  const focus = () => page.evaluate(() => document.activeElement.textContent);
  await untilEqual("what keeps it has the focus", focus, "Keep it");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await dialog(page).getByText("Discarded.").waitFor();
  for (const tab of [ada, second]) {
    await tab.page.locator("[data-testid=fork-notice]").waitFor({ state: "detached" });
  }
  await ada.reload();
  await ada.isOnline();
  assert.equal(await ada.page.locator("[data-testid=fork-notice]").count(), 0);
});

for (const [size, colorScheme] of [
  ["desktop", "light"],
  ["phone", "dark"],
]) {
  test(`refused work is readable by eye and by machine: ${size}, ${colorScheme}`, { timeout: 120_000 }, async (t) => {
    const { ada } = await refused(t, "127.0.0.1", profileOf(size, colorScheme));
    await look(ada.page, `fork-notice-${size}-${colorScheme}`);
    await ada.page.getByRole("button", { name: "Look at it" }).click();
    await dialog(ada.page).getByText("And this by me alone.").waitFor();
    await look(ada.page, `forks-${size}-${colorScheme}`);
    await dialog(ada.page).getByRole("button", { name: "Show" }).click();
    await look(ada.page, `forks-shown-${size}-${colorScheme}`);
    await dialog(ada.page).getByRole("button", { name: "Discard" }).click();
    await look(ada.page, `forks-asked-${size}-${colorScheme}`);
  });
}
