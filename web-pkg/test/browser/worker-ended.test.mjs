/** The browser ends a page's worker, and with it the page's way to disk and relay. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { INSECURE_HOST, launch } from "./harness/browser.mjs";
import { Line } from "./harness/proxy.mjs";
import { Relay } from "./harness/relay.mjs";
import { until } from "./harness/until.mjs";
import { endWorker, watchWorkers, workersBegun } from "./harness/workers.mjs";
import { freshRoom, Writer } from "./harness/writer.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(async () => {
  await browser?.close();
});

/** With Web Locks and without. */
const HOSTS = { "a secure origin": "127.0.0.1", "plain http": INSECURE_HOST };

for (const [where, host] of Object.entries(HOSTS)) {
  test(`D14 a page of which the browser ends the worker goes on with another, and nothing is lost, on ${where}`, { timeout: 180_000 }, async (t) => {
    const relay = await Relay.start();
    t.after(() => relay.end());
    const line = await Line.to(relay.port);
    t.after(() => line.end());
    const context = await browser.newContext();
    t.after(() => context.close());
    await watchWorkers(context);
    const room = freshRoom("ended");
    const ada = await Writer.open(browser, `http://${host}:${line.port}`, room, { context });
    await ada.isOnline();
    await ada.write("before. ");
    await ada.isSaved();
    line.cut();
    await ada.write("offline. ");
    await ada.isSavedHere();
    await ada.write("in the midst ");
    const begun = await endWorker(ada.page);
    await ada.write("of it. ");
    assert.notEqual((await ada.status()).device, "saved", "nobody has written that");
    await until("another worker", async () => (await workersBegun(ada.page)) > begun, 40_000);
    await ada.isSavedHere();
    line.mend();
    await ada.isSaved();
    const words = ["before. ", "offline. ", "in the midst of it. "];
    const ben = await Writer.open(browser, `http://${host}:${relay.port}`, room);
    await ben.shows(words.join(""));
    await ada.reload();
    await ada.shows(words.join(""));
    assert.deepEqual(ada.errors, []);
    await ben.close();
  });
}

test("D14 whichever of two tabs loses its worker, both go on, and nothing that either wrote is lost", { timeout: 240_000 }, async (t) => {
  const relay = await Relay.start();
  t.after(() => relay.end());
  const context = await browser.newContext();
  t.after(() => context.close());
  await watchWorkers(context);
  const room = freshRoom("ended");
  const origin = `http://127.0.0.1:${relay.port}`;
  const [ada, bea] = [await Writer.open(browser, origin, room, { context }), await Writer.open(browser, origin, room, { context })];
  const tabs = [ada, bea];
  const words = [];
  const write = async (tab, word) => {
    words.push(word);
    await tab.write(`${word} `);
  };
  for (const tab of tabs) await tab.isOnline();
  // The first leads, and then the other one does.
  for (const [turn, loses] of [ada, bea].entries()) {
    for (const tab of tabs) await write(tab, `before${tabs.indexOf(tab)}${turn}`);
    const begun = await endWorker(loses.page);
    for (const tab of tabs) await write(tab, `meanwhile${tabs.indexOf(tab)}${turn}`);
    await until("another worker", async () => (await workersBegun(loses.page)) > begun, 40_000);
    for (const tab of tabs) await write(tab, `after${tabs.indexOf(tab)}${turn}`);
    for (const tab of tabs) await tab.isSaved();
  }
  const ben = await Writer.open(browser, origin, room);
  let shown;
  // Who types at the same place at the same time types between the other's letters.
  const letters = (text) => [...text].sort().join("");
  const typed = letters(words.map((word) => `${word} `).join(""));
  await until("all show every letter once", async () => {
    shown = await Promise.all([...tabs, ben].map((writer) => writer.text()));
    return shown.every((text) => text === shown[0] && letters(text) === typed);
  }).catch((error) => assert.fail(`${error.message}: ${JSON.stringify(shown)}`));
  for (const tab of tabs) assert.deepEqual(tab.errors, []);
  await ben.close();
});
