/** What happens to words when network, relay or disk fail. The faults come from outside the page. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./harness/browser.mjs";
import { Line } from "./harness/proxy.mjs";
import { Relay } from "./harness/relay.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { freshRoom, Writer } from "./harness/writer.mjs";

let browser;

before(async () => {
  browser = await launch();
});

after(async () => {
  await browser?.close();
});

/** A relay and Ada's line to it, for one story. */
async function world(t) {
  const relay = await Relay.start();
  t.after(() => relay.end());
  const line = await Line.to(relay.port);
  t.after(() => line.end());
  return { relay, line };
}

function occurrences(text, word) {
  return text.split(word).length - 1;
}

test("who loses the network, writes on and reloads comes back with nothing lost or doubled", { timeout: 120_000 }, async (t) => {
  const { relay, line } = await world(t);
  const room = freshRoom("offline");
  const ada = await Writer.open(browser, line.origin, room);
  const ben = await Writer.open(browser, relay.origin, room);
  await Promise.all([ada.isOnline(), ben.isOnline()]);
  await ada.write("before. ");
  await ben.showsWords("before.");
  await ada.worksOffline();

  line.cut();
  await untilEqual("ada is offline", () => ada.connection(), "offline");
  await ada.write("while apart. ");
  await ben.write("ben alone. ");
  await ada.isSavedHere();
  assert.notEqual((await ada.status()).relay, "saved", "nothing is called saved that the relay has not");

  await ada.reload();
  await ada.showsWords("before.", "while apart.");
  await ada.write("after the reload. ");
  await ada.isSavedHere();

  line.mend();
  await Promise.all([ada.isOnline(), ben.isOnline()]);
  await Promise.all([ada.isSaved(), ben.isSaved()]);
  await ada.showsWords("before.", "while apart.", "ben alone.", "after the reload.");
  const text = await ada.text();
  await ben.shows(text);
  for (const word of ["before.", "while apart.", "ben alone.", "after the reload."]) {
    assert.equal(occurrences(text, word), 1, `${word} in ${text}`);
  }
  assert.deepEqual([...ada.errors, ...ben.errors], []);
  await Promise.all([ada.close(), ben.close()]);
});

test("a page that crashes without a network leaves its words to the next one", { timeout: 120_000 }, async (t) => {
  const { line } = await world(t);
  const room = freshRoom("crash");
  const ada = await Writer.open(browser, line.origin, room);
  await ada.isOnline();
  await ada.worksOffline();
  line.cut();
  await untilEqual("ada is offline", () => ada.connection(), "offline");
  await ada.write("the last words");
  await ada.isSavedHere();
  const crashed = new Promise((resolve) => ada.page.once("crash", resolve));
  ada.page.goto("chrome://crash").catch(() => undefined);
  await crashed;

  const again = await Writer.open(browser, line.origin, room, { context: ada.context });
  await again.shows("the last words");
  line.mend();
  await again.isOnline();
  await again.isSaved();
  await again.shows("the last words");
  await again.close();
});

test("nothing is called saved while the relay does not answer", { timeout: 120_000 }, async (t) => {
  const { line } = await world(t);
  const ada = await Writer.open(browser, line.origin, freshRoom("stalled"));
  await ada.isOnline();
  await ada.write("heard. ");
  await ada.isSaved();
  line.stall();
  await ada.write("unheard. ");
  await ada.isSavedHere();
  // As long as an entry waits for its answer before it is offered again, and longer than any answer has taken.
  const end = Date.now() + 6_000;
  await until("six seconds have passed without a word of the relay", async () => {
    assert.notEqual((await ada.status()).relay, "saved");
    return Date.now() > end;
  });
  line.mend();
  await ada.isSaved();
  await ada.shows("heard. unheard. ");
  await ada.close();
});

test("a relay killed while both type loses nothing it had called saved, and the pages come back by themselves", { timeout: 180_000 }, async (t) => {
  const { relay } = await world(t);
  const room = freshRoom("killed");
  const [ada, ben] = await Promise.all([Writer.open(browser, relay.origin, room), Writer.open(browser, relay.origin, room)]);
  await Promise.all([ada.isOnline(), ben.isOnline()]);
  await ada.write("ada saved this. ");
  await ada.isSaved();

  const typing = Promise.all([ada.write("ada types through the night. "), ben.write("ben types as well. ")]);
  await relay.kill();
  await typing;
  await Promise.all([ada.isSavedHere(), ben.isSavedHere()]);
  await relay.run();

  await Promise.all([ada.isOnline(), ben.isOnline()]);
  await Promise.all([ada.isSaved(), ben.isSaved()]);
  const everyLetter = "ada saved this. ada types through the night. ben types as well. ".length;
  await untilEqual("every letter is there, once", async () => (await ada.text()).length, everyLetter);
  await ben.shows(await ada.text());
  assert.match(await ada.text(), /ada saved this\. /);

  // A third who has nothing on disk sees what the relay has.
  const eve = await Writer.open(browser, relay.origin, room);
  await eve.shows(await ada.text());
  assert.deepEqual([...ada.errors, ...ben.errors, ...eve.errors], []);
  await Promise.all([ada.close(), ben.close(), eve.close()]);
});

test("a line that is reset again and again while both type loses and doubles nothing", { timeout: 180_000 }, async (t) => {
  const { relay, line } = await world(t);
  const room = freshRoom("reset");
  const [ada, ben] = await Promise.all([Writer.open(browser, line.origin, room), Writer.open(browser, relay.origin, room)]);
  await Promise.all([ada.isOnline(), ben.isOnline()]);
  for (let round = 0; round < 4; round += 1) {
    const typing = Promise.all([ada.write(`a${round} `), ben.write(`b${round} `)]);
    line.reset();
    await typing;
    await ada.isOnline();
  }
  await Promise.all([ada.isSaved(), ben.isSaved()]);
  await untilEqual("every letter is there, once", async () => (await ada.text()).length, 4 * 2 * "a0 ".length);
  await ben.shows(await ada.text());
  await Promise.all([ada.close(), ben.close()]);
});

test("W12 a line that carries nothing and closes nothing is noticed: the page says offline, and comes back", { timeout: 180_000 }, async (t) => {
  const { relay, line } = await world(t);
  const room = freshRoom("half-open");
  const ada = await Writer.open(browser, line.origin, room);
  const ben = await Writer.open(browser, relay.origin, room, { name: "Ben" });
  t.after(() => Promise.all([ada.close(), ben.close()]));
  await Promise.all([ada.isOnline(), ben.isOnline()]);
  await ada.write("before. ");
  await ben.showsWords("before.");

  line.stall();
  await ada.write("into silence. ");
  await until("the page says that it is not online", async () => (await ada.connection()) !== "online", SILENCE);
  await ada.isSavedHere();
  assert.notEqual((await ada.status()).relay, "saved");
  await ben.write("meanwhile. ");

  line.mend();
  await Promise.all([ada.isOnline(), ben.isOnline()]);
  await Promise.all([ada.isSaved(), ben.isSaved()]);
  await ada.showsWords("before.", "into silence.", "meanwhile.");
  await ben.shows(await ada.text());
  assert.equal(occurrences(await ada.text(), "into silence."), 1);
});

test("W12 where the browser says that the network is gone the page says so at once, and dials when it is back", async (t) => {
  const { relay } = await world(t);
  const ada = await Writer.open(browser, relay.origin, freshRoom("network-gone"));
  t.after(() => ada.close());
  await ada.isOnline();
  await ada.write("before. ");
  await ada.isSaved();
  await ada.context.setOffline(true);
  await untilEqual("the page says that it is offline", () => ada.connection(), "offline", AT_ONCE);
  await ada.page.getByTestId("offline-banner").waitFor();
  await ada.write("on an island. ");
  await ada.isSavedHere();
  await ada.context.setOffline(false);
  await untilEqual("the page is online", () => ada.connection(), "online", AT_ONCE);
  await ada.isSaved();
});

test("W12 a relay that answers is believed more than a browser that says it is offline, one that does not is not waited for", async (t) => {
  const { line } = await world(t);
  const ada = await Writer.open(browser, line.origin, freshRoom("told-offline"));
  t.after(() => ada.close());
  await ada.isOnline();
  const connections = await statesOf(ada);
  const tell = (what) => ada.page.evaluate((what) => void dispatchEvent(new Event(what)), what);
  const { dials, links } = line;
  await tell("offline");
  await until("the relay was asked, and has answered", () => line.dials > dials && line.links === links);
  await ada.write("still linked");
  await ada.isSaved();
  assert.deepEqual(await connections(), []);

  const before = line.carried;
  line.stall();
  await tell("offline");
  await until("the page says that it is not online", async () => (await ada.connection()) !== "online", AT_ONCE);
  await until("the relay is dialled anew, and the dial hangs", () => line.carried >= before + 2);
  const hanging = line.carried;
  await tell("online");
  await until("it is given up for another", () => line.carried > hanging, AT_ONCE);
  line.mend();
  await ada.isOnline();
});

/** What the page called its link from now on, each time that changed. */
async function statesOf({ page }) {
  await page.locator("[data-testid=connection]").evaluate((mark) => {
    window.states = [];
    new MutationObserver(() => window.states.push(mark.dataset.state)).observe(mark, { attributes: true });
  });
  return () => page.evaluate(() => window.states);
}

/** Much less than the silence after which a page asks by itself; a loaded computer may take its time. */
const AT_ONCE = 10_000;
/** A page gives a silent link up after 25 s. */
const SILENCE = 60_000;
