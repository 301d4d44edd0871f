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
