/** Two people, one text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { INSECURE_HOST } from "./harness/browser.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { untilEqual } from "./harness/until.mjs";
import { freshRoom, Writer } from "./harness/writer.mjs";

async function pair(origin, about) {
  const room = freshRoom(about);
  const [ada, ben] = await Promise.all([Writer.open(browser, origin, room), Writer.open(browser, origin, room)]);
  await Promise.all([ada.isOnline(), ben.isOnline()]);
  return [ada, ben];
}

test("two pages write at once and see each other's words", { timeout: 90_000 }, async () => {
  const [ada, ben] = await pair(relay.origin, "together");
  await Promise.all([ada.write("the tide is out "), ben.write("mind the gap 🌊 ")]);
  await Promise.all([ada.isSaved(), ben.isSaved()]);
  await ada.showsWords("tide", "gap", "🌊");
  const text = await ada.text();
  await ben.shows(text);
  assert.equal(text.length, "the tide is out mind the gap 🌊 ".length);
  assert.deepEqual([...ada.errors, ...ben.errors], []);
  await Promise.all([ada.close(), ben.close()]);
});

test("the same on an origin that browsers do not call secure", { timeout: 90_000 }, async () => {
  const [ada, ben] = await pair(`http://${INSECURE_HOST}:${relay.port}`, "insecure");
  assert.equal(await ada.page.evaluate(() => isSecureContext), false);
  await ada.write("from ada.");
  await ben.showsWords("from ada.");
  await ben.write(" from ben.");
  await ada.shows("from ada. from ben.");
  await ben.isSaved();
  await ben.reload();
  await ben.shows("from ada. from ben.");
  assert.deepEqual([...ada.errors, ...ben.errors], []);
  await Promise.all([ada.close(), ben.close()]);
});

test("undo takes back only one's own words", { timeout: 90_000 }, async () => {
  const [ada, ben] = await pair(relay.origin, "undo");
  await ada.write("alpha ");
  await ben.shows("alpha ");
  await ben.write("beta ");
  await ada.shows("alpha beta ");
  await ada.press("Control+z");
  await ada.shows("beta ");
  await ben.shows("beta ");
  await ada.press("Control+z");
  await ada.press("Control+Shift+Z");
  await ben.shows("alpha beta ");
  await ada.shows("alpha beta ");
  await Promise.all([ada.close(), ben.close()]);
});

test("a caret stays at its word while another writes before it", { timeout: 90_000 }, async () => {
  const [ada, ben] = await pair(relay.origin, "caret");
  await ada.write("0123456789abcdef");
  await ben.shows("0123456789abcdef");
  for (let step = 0; step < 6; step += 1) await ada.press("ArrowLeft");
  await ben.writeFirst("xyz");
  await ada.shows("xyz0123456789abcdef");
  await ada.page.keyboard.type("|");
  await ben.shows("xyz0123456789|abcdef");
  await Promise.all([ada.close(), ben.close()]);
});

test("the status tells how many others have seen the newest words", { timeout: 90_000 }, async () => {
  const [ada, ben] = await pair(relay.origin, "seen");
  await ada.write("who reads this?");
  await ben.showsWords("who reads this?");
  await untilEqual("one other has seen it", async () => (await ada.status()).seen, 1);
  const { device, relay: onRelay } = await ada.status();
  assert.deepEqual({ device, onRelay }, { device: "saved", onRelay: "saved" });
  await ben.close();
  await untilEqual("nobody else is there", async () => (await ada.status()).seen, 0);
  await ada.close();
});
