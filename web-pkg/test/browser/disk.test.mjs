/** Bad days of the browser's database: no room left, rows that rot, a database that goes, is newer, or fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Line } from "./harness/proxy.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { freshRoom, introduce, Writer } from "./harness/writer.mjs";

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

test("D7 a full disk makes the text read-only and says so, and writing goes on when there is room", { timeout: 120_000 }, async (t) => {
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

/** A page of the origin that is not in the room, as somebody with the browser's tools would use it. */
async function beside(context, origin, work, argument) {
  const page = await context.newPage();
  await page.goto(`${origin}/healthz`);
  const answer = await page.evaluate(work, argument);
  await page.close();
  return answer;
}

/** Changes a bit in each stored entry of the document that says `words`; how many there were. */
function rot(context, origin, room, words) {
  return beside(
    context,
    origin,
    async ([name, words]) => {
      const asked = (request) =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await asked(indexedDB.open(name));
      const rows = database.transaction("rows", "readwrite").objectStore("rows");
      const [keys, values] = await Promise.all([asked(rows.getAllKeys()), asked(rows.getAll())]);
      // An entry's key is `e`, its stream in 17 bytes, and its number.
      const streamOf = (key) => [...new Uint8Array(key)].slice(0, 18).join();
      const says = (value) => new TextDecoder("latin1").decode(value).includes(words);
      const at = keys.findIndex((key, at) => new Uint8Array(key)[0] === 0x65 && says(values[at]));
      const rotten = keys.flatMap((key, place) => (streamOf(key) === streamOf(keys[at]) ? [place] : []));
      for (const place of rotten) {
        values[place][values[place].length >> 1] ^= 1;
        await asked(rows.put(values[place], keys[place]));
      }
      database.close();
      return rotten.length;
    },
    [`causeway/${room}`, words],
  );
}

/** Writes all of it as one edit, as a paste does. */
async function paste(writer, text) {
  await writer.press("Control+End");
  await writer.page.keyboard.insertText(text);
}

test("D5 rows that rotted are told, the rest is read, and the relay mends them", { timeout: 120_000 }, async (t) => {
  const line = await Line.to(relay.port);
  t.after(() => line.end());
  const room = freshRoom("rot");
  const ada = await Writer.open(browser, line.origin, room);
  t.after(() => ada.close());
  await ada.isOnline();
  await ada.makeFile("first.md");
  await paste(ada, "the first file. ");
  await ada.isSaved();
  await ada.makeFile("second.md");
  await paste(ada, "the second file. ");
  await ada.isSaved();
  await ada.isSavedHere();
  await ada.worksOffline();
  await ada.page.goto(`${line.origin}/healthz`);

  const rotten = await rot(ada.context, line.origin, room, "the second file.");
  assert.ok(rotten > 0, "there were rows to rot");
  line.cut();
  await ada.page.goto(`${line.origin}/r/${room}`);
  await ada.editorIsThere();
  await ada.goTo("second.md");
  await ada.page.getByText("Something stored could not be read").first().waitFor();
  assert.ok(!(await ada.text()).includes("second"));
  await ada.goTo("first.md");
  await ada.showsWords("the first file.");
  line.mend();
  await ada.isOnline();
  await ada.goTo("second.md");
  await ada.showsWords("the second file.");
  await ada.write("written on. ");
  await ada.isSaved();
  await ada.isSavedHere();

  line.cut();
  await ada.reload();
  await ada.goTo("second.md");
  await ada.showsWords("the second file.", "written on.");
  assert.deepEqual(ada.errors, []);
});

test("D8 who deletes the database of an open page waits until it has ended; nothing is lost by asking", { timeout: 120_000 }, async (t) => {
  const line = await Line.to(relay.port);
  t.after(() => line.end());
  const room = freshRoom("deleted");
  const ada = await Writer.open(browser, line.origin, room);
  t.after(() => ada.close());
  await ada.isOnline();
  await ada.worksOffline();
  line.cut();
  await untilEqual("ada is offline", () => ada.connection(), "offline");
  await ada.write("apart. ");
  await ada.isSavedHere();
  await ada.page.evaluate(
    (name) =>
      new Promise((resolve) => {
        const request = indexedDB.deleteDatabase(name);
        request.onblocked = resolve;
      }),
    `causeway/${room}`,
  );
  await ada.write("after. ");
  await ada.isSavedHere();
  line.mend();
  await ada.isOnline();
  await ada.isSaved();
  const ben = await Writer.open(browser, relay.origin, room, { name: "Ben" });
  t.after(() => ben.close());
  await ben.showsWords("apart.", "after.");
  assert.deepEqual(ada.errors, []);
});

test("D8 a database that the browser itself takes away is told, and nothing is called kept", { timeout: 120_000 }, async (t) => {
  const room = freshRoom("cleared");
  const ada = await Writer.open(browser, relay.origin, room);
  t.after(() => ada.close());
  await ada.isOnline();
  await ada.write("before. ");
  await ada.isSaved();
  const session = await ada.context.newCDPSession(ada.page);
  await session.send("Storage.clearDataForOrigin", { origin: relay.origin, storageTypes: "indexeddb" });
  await ada.write("after. ");
  await untilEqual("the page says that the disk fails", () => storageState(ada), "failing");
  assert.match(await ada.page.locator("[data-testid=storage-notice]").innerText(), /what it had kept was deleted/);
  assert.equal((await ada.status()).device, "saving");
  assert.notEqual((await ada.status()).relay, "saved");
  await ada.reload();
  await ada.isOnline();
  await ada.showsWords("before.");
  await ada.write("anew. ");
  await ada.isSaved();
  await ada.isSavedHere();
});

test("D9 a database of a newer page is left as it is: the page says so and works through the relay", { timeout: 90_000 }, async (t) => {
  const room = freshRoom("newer");
  const context = await browser.newContext();
  t.after(() => context.close());
  const name = `causeway/${room}`;
  await beside(
    context,
    relay.origin,
    (name) =>
      new Promise((resolve) => {
        const request = indexedDB.open(name, 2);
        request.onupgradeneeded = () => request.result.createObjectStore("rows").put("of a newer page", "a key");
        request.onsuccess = () => resolve(request.result.close());
      }),
    name,
  );
  const ada = await Writer.open(browser, relay.origin, room, { context });
  const notice = ada.page.locator("[data-testid=storage-notice]");
  await notice.waitFor();
  assert.match(await notice.innerText(), /a newer version of this page has kept it; reload to update/);
  await ada.isOnline();
  await ada.write("through the relay");
  await ada.isSaved();
  assert.equal((await ada.status()).device, "memory");
  const kept = await beside(
    context,
    relay.origin,
    (name) =>
      new Promise((resolve) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => {
          const { version } = request.result;
          const read = request.result.transaction("rows").objectStore("rows").getAll();
          read.onsuccess = () => resolve({ version, rows: read.result });
        };
      }),
    name,
  );
  assert.deepEqual(kept, { version: 2, rows: ["of a newer page"] });
});

test("D2 a database that fails is said to fail, nothing is called kept meanwhile, and it is tried again", { timeout: 90_000 }, async (t) => {
  const room = freshRoom("failing");
  const context = await browser.newContext();
  t.after(() => context.close());
  await introduce(context, "Ada", 0x0f7a84);
  const began = context.waitForEvent("page").then((page) => page.waitForEvent("worker"));
  const ada = await Writer.open(browser, relay.origin, room, { context });
  const worker = await began;
  await ada.isOnline();
  await ada.write("before. ");
  await ada.isSaved();
  await worker.evaluate(() => {
    const real = IDBDatabase.prototype.transaction;
    globalThis.mend = () => (IDBDatabase.prototype.transaction = real);
    IDBDatabase.prototype.transaction = () => {
      throw new DOMException("the disk is broken", "UnknownError");
    };
  });
  await ada.write("meanwhile. ");
  await untilEqual("the page says that the disk fails", () => storageState(ada), "failing");
  assert.match(await ada.page.locator("[data-testid=storage-notice]").innerText(), /the disk is broken/);
  assert.equal((await ada.status()).device, "saving");
  await ada.write("still taken. ");
  await worker.evaluate(() => globalThis.mend());
  await ada.page.locator("[data-testid=storage-notice]").waitFor({ state: "detached" });
  await ada.isSavedHere();
  await ada.isSaved();
  await ada.reload();
  await ada.showsWords("before.", "meanwhile.", "still taken.");
});
