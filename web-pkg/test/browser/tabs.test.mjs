/** Several tabs of one person: one leads, the others follow, and whoever is left goes on. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { INSECURE_HOST, launch } from "./harness/browser.mjs";
import { Line } from "./harness/proxy.mjs";
import { Relay } from "./harness/relay.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { freshRoom, Writer } from "./harness/writer.mjs";

let browser;

before(async () => {
  // A tab takes a process of its own, and none waits in reserve: so it is known which one is whose.
  browser = await launch("--disable-features=SpareRendererForSitePerProcess");
});

after(async () => {
  await browser?.close();
});

/** With Web Locks and without. */
const HOSTS = { "a secure origin": "127.0.0.1", "plain http": INSECURE_HOST };

async function world(t, host) {
  const relay = await Relay.start();
  t.after(() => relay.end());
  const line = await Line.to(relay.port);
  t.after(() => line.end());
  return { relay, line, origin: `http://${host}:${line.port}`, direct: `http://${host}:${relay.port}` };
}

/** Tabs of one browser profile; the first leads. */
async function tabs(t, origin, room, count) {
  const context = await browser.newContext();
  t.after(() => context.close().catch(() => undefined));
  const opened = [];
  for (let n = 0; n < count; n += 1) opened.push(await Writer.open(browser, origin, room, { context }));
  return opened;
}

function letters(text, word) {
  return text.split(word).length - 1;
}

/** Processor time of each tab's process, in seconds. */
async function renderers() {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return new Map(processInfo.filter(({ type }) => type === "renderer").map(({ id, cpuTime }) => [id, cpuTime]));
}

/** The process a page runs in: the one that works when the page does. */
async function processOf(page) {
  const before = await renderers();
  await page.evaluate(() => {
    const end = performance.now() + 1_000;
    while (performance.now() < end);
  });
  const worked = [...(await renderers())].map(([pid, time]) => ({ pid, time: time - (before.get(pid) ?? 0) }));
  return worked.reduce((most, one) => (one.time > most.time ? one : most)).pid;
}

async function agree(writers, words) {
  let texts;
  await until("all tabs show all words", async () => {
    texts = await Promise.all(writers.map((writer) => writer.text()));
    return texts.every((text) => text === texts[0] && words.every((word) => letters(text, word) === 1));
  }).catch((error) => assert.fail(`${error.message}: ${JSON.stringify(texts)}`));
}

for (const [where, host] of Object.entries(HOSTS)) {
  test(`two people with two tabs each write at once and agree, on ${where}`, { timeout: 120_000 }, async (t) => {
    const { origin } = await world(t, host);
    const room = freshRoom("four");
    const [ada, ben] = await Promise.all([tabs(t, origin, room, 2), tabs(t, origin, room, 2)]);
    const all = [...ada, ...ben];
    await Promise.all(all.map((writer) => writer.isOnline()));
    await Promise.all(all.map((writer, n) => writer.write(`<${"abcd"[n].repeat(12)}>`)));
    await Promise.all(all.map((writer) => writer.isSaved()));
    const texts = async () => Promise.all(all.map((writer) => writer.text()));
    await until("four tabs show one text", async () => (await texts()).every((text, _, [first]) => text === first));
    const [text] = await texts();
    for (const letter of "abcd") assert.equal(letters(text, letter), 12, text);
    assert.deepEqual(all.flatMap((writer) => writer.errors), []);
  });

  test(`two tabs without a network agree, and nothing is lost when it is back, on ${where}`, { timeout: 120_000 }, async (t) => {
    const { origin, direct, line } = await world(t, host);
    const room = freshRoom("apart");
    const [first, second] = await tabs(t, origin, room, 2);
    await Promise.all([first.isOnline(), second.isOnline()]);
    await first.write("before. ");
    await second.showsWords("before.");
    line.cut();
    await untilEqual("the leader is offline", () => first.connection(), "offline");
    await untilEqual("the follower says so too", () => second.connection(), "offline");
    await second.write("second alone. ");
    // At the other end: where two write in one place, words may stand between the letters of another.
    await first.writeFirst("first alone. ");
    await agree([first, second], ["before.", "second alone.", "first alone."]);
    await Promise.all([first.isSavedHere(), second.isSavedHere()]);
    assert.notEqual((await second.status()).relay, "saved", "nothing is called saved that the relay has not");
    line.mend();
    await Promise.all([first.isOnline(), second.isOnline()]);
    await Promise.all([first.isSaved(), second.isSaved()]);
    const [other] = await tabs(t, direct, room, 1);
    await agree([first, second, other], ["before.", "second alone.", "first alone."]);
  });

  for (const end of ["closed", "crashed"]) {
    test(`the leading tab is ${end} while both write offline: what was shown as saved is there, on ${where}`, { timeout: 120_000 }, async (t) => {
      const { origin, direct, line } = await world(t, host);
      const room = freshRoom(end);
      const [first, second] = await tabs(t, origin, room, 2);
      await Promise.all([first.isOnline(), second.isOnline()]);
      await first.write("agreed. ");
      await second.showsWords("agreed.");
      line.cut();
      await untilEqual("the follower is offline", () => second.connection(), "offline");
      await first.write("from the first. ");
      await second.write("from the second. ");
      await Promise.all([first.isSavedHere(), second.isSavedHere()]);
      const typing = second.write("typed through it. ");
      if (end === "closed") {
        await first.page.close();
      } else {
        const crashed = new Promise((resolve) => first.page.once("crash", resolve));
        first.page.goto("chrome://crash").catch(() => undefined);
        await crashed;
      }
      await typing;
      await second.isSavedHere();
      await agree([second], ["agreed.", "from the first.", "from the second.", "typed through it."]);
      line.mend();
      await second.isOnline();
      await second.isSaved();
      const [other] = await tabs(t, direct, room, 1);
      await agree([second, other], ["agreed.", "from the first.", "from the second.", "typed through it."]);
      assert.deepEqual(second.errors, []);
    });
  }

  test(`a leading tab that stands still is replaced, and follows when it moves again, on ${where}`, { timeout: 120_000 }, async (t) => {
    const { origin } = await world(t, host);
    const room = freshRoom("still");
    const context = await browser.newContext();
    t.after(() => context.close().catch(() => undefined));
    const first = await Writer.open(browser, origin, room, { context });
    const pid = await processOf(first.page);
    const second = await Writer.open(browser, origin, room, { context });
    await Promise.all([first.isOnline(), second.isOnline()]);
    await first.write("before. ");
    await second.showsWords("before.");
    await Promise.all([first.isSaved(), second.isSaved()]);
    process.kill(pid, "SIGSTOP");
    try {
      await second.write("while it stands. ");
      await second.isSaved();
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await first.showsWords("before.", "while it stands.");
    await first.write("moving. ");
    await agree([first, second], ["before.", "while it stands.", "moving."]);
    await Promise.all([first.isSaved(), second.isSaved()]);
    assert.equal((await first.status()).device, "saved");
    assert.deepEqual([...first.errors, ...second.errors], []);
  });
}
