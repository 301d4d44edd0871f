/** Bad days of the browser's database: no room left, rows that rot, a database that goes. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./harness/browser.mjs";
import { Relay } from "./harness/relay.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { freshRoom, Writer } from "./harness/writer.mjs";

let browser;
let relay;

before(async () => {
  [browser, relay] = await Promise.all([launch(), Relay.start()]);
});

after(async () => {
  await browser?.close();
  await relay?.end();
});

/** Bytes that the browser lets this origin keep; without a number it decides itself again. */
async function quota(writer, quotaSize) {
  const session = await writer.context.newCDPSession(writer.page);
  const { origin } = new URL(writer.page.url());
  await session.send("Storage.overrideQuotaForOrigin", quotaSize === undefined ? { origin } : { origin, quotaSize });
  // The browser keeps the quota only as long as whoever asked for it is there.
  return session;
}

/** `null`: the page says nothing about its disk. */
async function storageState(writer) {
  const notice = writer.page.locator("[data-testid=storage-notice]");
  return (await notice.count()) === 0 ? null : notice.getAttribute("data-state");
}

/** Chromium asks for the quota anew only after half a minute, as long as little is written. */
const NOTICED = 60_000;

test("D7 a full disk makes the room read-only and says so, calls nothing saved, and goes on when there is room", { timeout: 120_000 }, async (t) => {
  const room = freshRoom("full");
  const ada = await Writer.open(browser, relay.origin, room);
  t.after(() => ada.close());
  await ada.isOnline();
  await ada.write("before. ");
  await ada.isSaved();
  await ada.isSavedHere();
  const session = await quota(ada, 1);
  await until("the page says that the disk is full", async () => {
    await ada.write("x");
    return (await storageState(ada)) === "failing";
  }, NOTICED);
  assert.match(await ada.page.locator("[data-testid=storage-notice]").innerText(), /storage of this device is full/);
  assert.equal((await ada.status()).device, "saving", "what was written last is not called kept");
  assert.notEqual((await ada.status()).relay, "saved");
  const shown = await ada.text();
  await ada.write("not taken");
  await ada.press("Control+z");
  assert.equal(await ada.text(), shown, "nothing is taken that could not be kept");
  assert.equal(await ada.page.locator(".cm-content").getAttribute("aria-readonly"), "true");
  const ben = await Writer.open(browser, relay.origin, room, { name: "Ben" });
  t.after(() => ben.close());
  await ben.write("from Ben. ");
  await ada.showsWords("from Ben.");

  await session.send("Storage.overrideQuotaForOrigin", { origin: relay.origin });
  await ada.page.locator("[data-testid=storage-notice]").waitFor({ state: "detached" });
  await ada.isSavedHere();
  await ada.isSaved();
  await ada.write("after. ");
  await ada.isSaved();
  await ben.showsWords("after.");
  await ada.reload();
  await ada.isOnline();
  await ada.showsWords("before.", "from Ben.", "after.");
  assert.deepEqual(ada.errors, []);
});
