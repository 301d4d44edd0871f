/** What a page says when its browser or its relay will not have it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { test } from "node:test";
import { look } from "./harness/look.mjs";
import { Line } from "./harness/proxy.mjs";
import { refusing } from "./harness/refusing.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { freshRoom, introduce, Writer } from "./harness/writer.mjs";

test("a browser that refuses its database keeps the room in memory and says so", { timeout: 90_000 }, async (t) => {
  const { browser: refuses, context } = await refusing(t);
  const room = freshRoom("memory");
  const ada = await Writer.open(refuses, relay.origin, room, { context });
  const notice = ada.page.locator("[data-testid=storage-notice]");
  await notice.waitFor();
  assert.equal(await notice.getAttribute("data-backend"), "memory");
  await ada.isOnline();
  await ada.write("kept by the relay only");
  await ada.isSaved();
  assert.equal((await ada.status()).device, "memory");
  await ada.reload();
  await ada.shows("kept by the relay only");
  await ada.close();
});

test("W13 a tab that has the only copy of something asks before it is closed, and says where it is", { timeout: 90_000 }, async (t) => {
  const line = await Line.to(relay.port);
  t.after(() => line.end());
  const { browser: refuses, context } = await refusing(t);
  const ada = await Writer.open(refuses, line.origin, freshRoom("only-copy"), { context });
  await ada.isOnline();
  await ada.write("at the relay. ");
  await ada.isSaved();
  line.cut();
  await ada.page.getByTestId("offline-banner").getByText("kept in this tab only").waitFor();
  let asked = 0;
  ada.page.on("dialog", (dialog) => {
    asked += 1;
    assert.equal(dialog.type(), "beforeunload");
    void dialog.dismiss();
  });
  await ada.write("nowhere else. ");
  await ada.page.close({ runBeforeUnload: true });
  await until("the browser asks", () => asked === 1);
  await ada.showsWords("nowhere else.");
  line.mend();
  await ada.isOnline();
  await ada.isSaved();
  await Promise.all([ada.page.waitForEvent("close"), ada.page.close({ runBeforeUnload: true })]);
  assert.equal(asked, 1, "nobody is asked where nothing would be lost");
});

test("W13 the way back to the start page takes nothing that is nowhere else", { timeout: 90_000 }, async (t) => {
  const line = await Line.to(relay.port);
  t.after(() => line.end());
  const { context } = await refusing(t);
  await introduce(context, "Ada", 0x0f7a84);
  const page = await context.newPage();
  await page.goto(`${line.origin}/`);
  await page.getByRole("button", { name: "New room" }).click();
  const ada = new Writer(page);
  await ada.editorIsThere();
  const room = new URL(page.url()).pathname.slice("/r/".length);
  await ada.isOnline();
  line.cut();
  await page.getByTestId("offline-banner").getByText("kept in this tab only").waitFor();
  await ada.write("nowhere else");
  await page.goBack();
  const start = page.getByRole("heading", { name: "Write together" });
  await start.waitFor();
  const kept = page.getByRole("region", { name: "In this tab only" });
  await kept.getByRole("link").waitFor();
  let asked = 0;
  page.on("dialog", (dialog) => {
    asked += 1;
    void dialog.dismiss();
  });
  await page.close({ runBeforeUnload: true });
  await until("the start page asks, too", () => asked === 1);
  await page.goForward();
  await ada.shows("nowhere else");
  await page.goBack();
  await start.waitFor();
  line.mend();
  await kept.waitFor({ state: "detached" });
  const eve = await Writer.open(browser, relay.origin, room);
  await eve.shows("nowhere else");
  await page.goForward();
  await ada.isSaved();
  await page.goBack();
  await start.waitFor();
  await Promise.all([page.waitForEvent("close"), page.close({ runBeforeUnload: true })]);
  assert.equal(asked, 1, "nobody is asked where nothing would be lost");
});

test("D6 when the worker ends later, what it did not send can be taken along", { timeout: 90_000 }, async (t) => {
  const context = await browser.newContext({ acceptDownloads: true });
  t.after(() => context.close());
  await introduce(context, "Ada", 0x0f7a84);
  const line = await Line.to(relay.port);
  t.after(() => line.end());
  const began = context.waitForEvent("page").then((page) => page.waitForEvent("worker"));
  const ada = await Writer.open(browser, line.origin, freshRoom("worker-ends"), { context });
  const worker = await began;
  await ada.isOnline();
  line.cut();
  await untilEqual("ada is offline", () => ada.connection(), "offline");
  await ada.write("words that stay");
  await worker.evaluate(() => queueMicrotask(() => { throw new Error("a bug"); }));
  await ada.page.getByRole("heading", { name: "The page has stopped" }).waitFor();
  const [saved] = await Promise.all([
    ada.page.waitForEvent("download"),
    ada.page.getByRole("button", { name: "Save main.md as a file" }).click(),
  ]);
  assert.equal(await readFile(await saved.path(), "utf8"), "words that stay");
  await look(ada.page, "stopped-desktop-light");
});

test("a page whose worker is kept from it says that nothing can be saved, and takes no text", { timeout: 90_000 }, async (t) => {
  const context = await browser.newContext({ serviceWorkers: "block" });
  t.after(() => context.close());
  await introduce(context, "Calm Otter", 0x0f7a84);
  await context.route(/worker[^/]*\.js$/, (route) => route.abort("blockedbyclient"));
  const page = await context.newPage();
  await page.goto(`${relay.origin}/r/${freshRoom("workerless")}`);
  await page.getByRole("heading", { name: "The page has stopped" }).waitFor();
  await until("the page says why", async () => (await page.locator("body").innerText()).includes("script could not be loaded"));
  assert.equal(await page.locator(".cm-content[contenteditable=true]").count(), 0);

  await context.unroute(/worker[^/]*\.js$/);
  await page.getByRole("button", { name: "Reload" }).click();
  const ada = new Writer(page);
  await ada.editorIsThere();
  await ada.write("written after all");
  await ada.isSaved();
});

test("a second tab of one browser saves on this device like the first", { timeout: 90_000 }, async () => {
  const room = freshRoom("tabs");
  const first = await Writer.open(browser, relay.origin, room);
  await first.isOnline();
  const second = await Writer.open(browser, relay.origin, room, { context: first.context });
  await second.write("from the second tab. ");
  await second.isSavedHere();
  await first.shows("from the second tab. ");
  await first.write("from the first.");
  await second.shows("from the second tab. from the first.");
  for (const tab of [first, second]) assert.equal(await tab.page.locator("[data-testid=storage-notice]").count(), 0);
  await first.close();
});

test("a relay of a newer protocol: the page says so and keeps the work", { timeout: 90_000 }, async () => {
  const room = freshRoom("newer");
  const ada = await Writer.open(browser, relay.origin, room);
  await ada.isOnline();
  await ada.write("written before the update. ");
  await ada.isSaved();
  await ada.isSavedHere();
  await ada.worksOffline();

  const { port } = relay;
  await relay.kill();
  const newer = await NewerRelay.start(port);
  await untilEqual("the page has stopped trying", () => ada.connection(), "stopped");
  await ada.write("and after it.");
  await ada.isSavedHere();
  await ada.page.locator("[data-testid=stopped-notice]").waitFor();
  assert.ok(newer.hellos > 0);

  await newer.end();
  await relay.run();
  await ada.reload();
  await ada.isOnline();
  await ada.isSaved();
  await ada.shows("written before the update. and after it.");
  await ada.close();
});

/** An outside party: answers every hello with "I speak only later versions" and hangs up. */
class NewerRelay {
  hellos = 0;
  #sockets = new Set();

  static async start(port) {
    const relay = new NewerRelay();
    relay.server = createServer((_request, response) => response.writeHead(503).end());
    relay.server.on("upgrade", (request, socket) => relay.#greet(request, socket));
    await until("the port is free", () => relay.#listen(port));
    return relay;
  }

  async end() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #listen(port) {
    return new Promise((resolve) => {
      this.server.once("error", () => resolve(false));
      this.server.listen(port, "127.0.0.1", () => resolve(true));
    });
  }

  #greet(request, socket) {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
    const key = request.headers["sec-websocket-key"];
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.once("data", () => {
      this.hellos += 1;
      socket.write(message(0x82, errorFrame(VERSION, "this relay speaks only later versions")));
      socket.end(message(0x88, Buffer.from([VERSION >> 8, VERSION & 0xff])));
    });
  }
}

/** The close code for "no common version of the protocol". */
const VERSION = 4406;

/** `docs/protocol.md`: type 18, then the length, then code and sentence. */
function errorFrame(code, sentence) {
  const words = Buffer.from(sentence);
  const body = Buffer.concat([varint(code), varint(words.length), words]);
  return Buffer.concat([varint(18), varint(body.length), body]);
}

function varint(number) {
  const bytes = [];
  for (let rest = number; ; rest >>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** One unmasked WebSocket message of fewer than 126 bytes. */
function message(opcode, payload) {
  return Buffer.concat([Buffer.from([opcode, payload.length]), payload]);
}
