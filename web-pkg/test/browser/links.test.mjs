/** Links to rooms: whole ones lead there, remains of one are told from them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LOOKS, SCREENS, look, profileOf } from "./harness/look.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { until } from "./harness/until.mjs";
import { Writer, introduce } from "./harness/writer.mjs";

test("W21 a link without its end says so instead of opening an empty room, and the whole one opens its room", async () => {
  const ada = await madeRoom();
  await ada.write("what they came for");
  await ada.isSaved();
  const whole = ada.page.url();
  const context = await browser.newContext({ viewport: SCREENS.desk });
  await introduce(context, "Noor", 0xc24a29);
  const noor = new Writer(await context.newPage());
  const { page } = noor;
  let links = 0;
  page.on("websocket", () => (links += 1));
  for (const end of [-1, -4, -11, -19]) {
    await page.goto(whole.slice(0, end));
    await page.getByRole("heading", { name: "The end of this link is missing" }).waitFor();
  }
  assert.equal(links, 0, "nobody asked the relay for a room that is none");
  assert.deepEqual(await page.evaluate(() => indexedDB.databases()), [], "nor is there one on this device");
  await page.getByRole("button", { name: "To the start page" }).click();
  await page.getByLabel("Or open a room by its link").fill(whole.slice(0, -3));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "The end of this link is missing" }).waitFor();
  await page.goto(`${whole.slice(0, -1)}${whole.endsWith("7") ? "8" : "7"}`);
  await page.getByRole("heading", { name: "This link has changed on its way" }).waitFor();
  await page.goto(whole);
  await noor.shows("what they came for");
  await Promise.all([ada.close(), context.close()]);
});

test("W21 whoever wants the room of such a name gets it, and is not asked again on this device", async () => {
  const context = await browser.newContext({ viewport: SCREENS.desk });
  await introduce(context, "Noor", 0xc24a29);
  const noor = new Writer(await context.newPage());
  await noor.page.goto(`${relay.origin}/r/amber-otter-tide-0123`);
  await noor.page.getByRole("button", { name: "Open it all the same" }).click();
  await noor.editorIsThere();
  await noor.write("mine");
  await noor.isSaved();
  await noor.reload();
  await noor.shows("mine");
  // A link from before there was a check, and a name of somebody's own.
  for (const room of ["amber-otter-tide-0123456789abcdef", "coral-reef"]) {
    await noor.page.goto(`${relay.origin}/r/${room}`);
    await noor.editorIsThere();
  }
  await context.close();
});

test("W21 the start page forgets a room after a question: its link is the only way back", async () => {
  const ada = await madeRoom();
  await ada.write("mine");
  await ada.isSaved();
  const { page } = ada;
  await page.goto(relay.origin);
  const forget = page.getByRole("button", { name: /^Forget .* here$/ });
  await forget.click();
  await look(page, "forget-room-desk-light");
  await page.keyboard.press("Enter");
  await page.getByRole("alertdialog").waitFor({ state: "detached" });
  await forget.click();
  await page.getByRole("button", { name: "Forget it" }).click();
  await forget.waitFor({ state: "detached" });
  await ada.close();
});

for (const { size, scheme } of LOOKS) {
  test(`W21 a damaged link can be read about, ${size}, ${scheme}`, async () => {
    const context = await browser.newContext(profileOf(size, scheme));
    const page = await context.newPage();
    await page.goto(`${relay.origin}/r/amber-otter-tide-01234567-89`);
    await page.getByRole("heading", { name: "The end of this link is missing" }).waitFor();
    await look(page, `damaged-link-${size}-${scheme}`);
    await context.close();
  });
}

/** Somebody in a room with a name that the page made. */
async function madeRoom() {
  const context = await browser.newContext({ viewport: SCREENS.desk });
  await introduce(context, "Ada", 0x0f7a84);
  const writer = new Writer(await context.newPage());
  writer.context = context;
  await writer.page.goto(relay.origin);
  await writer.page.getByRole("button", { name: "New room" }).click();
  await writer.editorIsThere();
  await until("it has a link of its own", () => writer.page.url().includes("/r/"));
  return writer;
}
