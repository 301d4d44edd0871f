/** What becomes of work that this page alone has, when its worker has ended or its room is left. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { look } from "./harness/look.mjs";
import { Line } from "./harness/proxy.mjs";
import { refusing } from "./harness/refusing.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { freshRoom, introduce, Writer } from "./harness/writer.mjs";

test("W13 a room whose worker has ended is kept for the way back while it has the only copy, and the start page names it", { timeout: 90_000 }, async (t) => {
  const { ada, page, start, kept } = await cutOff(t);
  const here = page.url();
  await ada.write("nowhere else");
  await endWorkers(page);
  const stopped = page.getByRole("heading", { name: "The page has stopped" });
  await stopped.waitFor();

  await page.goBack();
  await start.waitFor();
  await kept.getByText("It has stopped.").waitFor();
  await look(page, "kept-room-desktop-light");
  let asked = 0;
  page.on("dialog", (dialog) => {
    asked += 1;
    void dialog.dismiss();
  });
  await page.close({ runBeforeUnload: true });
  await until("the start page asks", () => asked === 1);
  await kept.getByRole("link").click();
  await stopped.waitFor();
  assert.equal(page.url(), here);
  assert.equal(await saved(page, "main.md"), "nowhere else");
  // Whoever has all of it is asked no more.
  await page.goBack();
  await start.waitFor();
  await kept.waitFor({ state: "detached" });
  // A click is no copy yet.
  await page.goForward();
  assert.equal(await saved(page, "main.md"), "nowhere else");
  await page.goBack();
  await start.waitFor();
  await Promise.all([page.waitForEvent("close"), page.close({ runBeforeUnload: true })]);
  assert.equal(asked, 1);
});

test("W13 what was said in a room that was left can be taken along when its worker ends after that", { timeout: 90_000 }, async (t) => {
  const { ada, page, start, kept } = await cutOff(t);
  await ada.say("Are you there?");
  await ada.post("Are you there?").waitFor();
  await page.goBack();
  await start.waitFor();
  await kept.getByText("Leave the tab open").waitFor();
  const left = performance.now();
  await until("what the room's page held is let go", () => performance.now() - left > HELD_MS);
  await endWorkers(page);
  await kept.getByText("It has stopped.").waitFor();
  await kept.getByRole("link").click();
  assert.equal(await saved(page, "your unsent messages"), "Are you there?");
});

test("W13 a room that was left is named until somebody has seen that its engine has died", { timeout: 90_000 }, async (t) => {
  const { ada, page, start, kept } = await cutOff(t);
  await ada.write("nowhere else");
  await page.goBack();
  await start.waitFor();
  await kept.getByText("Leave the tab open").waitFor();
  await page.evaluate(() => (window.engineTraps = true));
  await kept.getByText("It has stopped.").waitFor();
  await kept.getByRole("link").click();
  await page.getByRole("heading", { name: "The page has stopped" }).waitFor();
  await page.getByText("cannot be read any more").waitFor();
  await page.goBack();
  await start.waitFor();
  await kept.waitFor({ state: "detached" });
});

test("W13 of what was not sent each text can be taken along, and what was said: two of one name, and beside one that cannot be read", { timeout: 90_000 }, async (t) => {
  const room = freshRoom("rescued");
  const context = await browser.newContext({ acceptDownloads: true });
  t.after(() => context.close());
  await introduce(context, "Ada", 0x0f7a84);
  const unreadable = JSON.stringify([{ id: "ydoc:nothing", path: "broken.md" }]);
  await context.addInitScript(([key, list]) => localStorage.getItem(key) ?? localStorage.setItem(key, list), [
    `causeway/removed/${room}`,
    unreadable,
  ]);
  const line = await Line.to(relay.port);
  t.after(() => line.end());
  const ada = await Writer.open(browser, line.origin, room, { context });
  await ada.isOnline();
  line.cut();
  await untilEqual("ada is offline", () => ada.connection(), "offline");
  await ada.makeFile("tide.md");
  await ada.write("the first tide");
  await ada.page.locator('[data-path="tide.md"]').click({ button: "right" });
  await ada.page.getByRole("menuitem", { name: "Remove", exact: true }).click();
  await ada.page.getByRole("status").getByText("Removed tide.md.").waitFor();
  await ada.makeFile("tide.md");
  await ada.shows("");
  await ada.write("the second tide");
  await ada.say("Are you there?");
  await ada.post("Are you there?").waitFor();
  await ada.say("I will wait.");
  await ada.post("I will wait.").waitFor();
  await endWorkers(ada.page);
  await ada.page.getByRole("heading", { name: "The page has stopped" }).waitFor();
  assert.equal(await saved(ada.page, "tide.md"), "the second tide");
  assert.equal(await saved(ada.page, "tide (2).md"), "the first tide");
  assert.equal(await saved(ada.page, "your unsent messages"), "Are you there?\n\nI will wait.");
});

/** Somebody in a new room, come from the start page, whose browser keeps nothing and whose line is cut. */
async function cutOff(t) {
  const line = await Line.to(relay.port);
  t.after(() => line.end());
  const { context } = await refusing(t);
  await introduce(context, "Ada", 0x0f7a84);
  await context.addInitScript(letEngineTrap);
  const page = await context.newPage();
  await page.goto(`${line.origin}/`);
  await page.getByRole("button", { name: "New room" }).click();
  const ada = new Writer(page);
  await ada.editorIsThere();
  await ada.isOnline();
  line.cut();
  await page.getByTestId("offline-banner").getByText("kept in this tab only").waitFor();
  const start = page.getByRole("heading", { name: "Write together" });
  const kept = page.getByRole("region", { name: "In this tab only" });
  return { ada, page, start, kept };
}

/** In the page: each call into the engine ends as a bug of it would, once `engineTraps` is set. */
function letEngineTrap() {
  const { instantiateStreaming } = WebAssembly;
  const trapping = (call) => (...given) => {
    if (window.engineTraps) throw new WebAssembly.RuntimeError("unreachable");
    return call(...given);
  };
  WebAssembly.instantiateStreaming = async (...given) => {
    const { instance, module } = await instantiateStreaming(...given);
    const exported = Object.entries(instance.exports).map(([name, value]) => [name, typeof value === "function" ? trapping(value) : value]);
    return { instance: { exports: Object.fromEntries(exported) }, module };
  };
}

/** A bug in the part that saves and sends, as the browser tells of it. */
async function endWorkers(page) {
  const bug = () => queueMicrotask(() => { throw new Error("a bug"); });
  await Promise.all(page.workers().map((worker) => worker.evaluate(bug)));
}

/** What the button hands out. */
async function saved(page, what) {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: `Save ${what} as a file`, exact: true }).click(),
  ]);
  return readFile(await file.path(), "utf8");
}

/** Longer than what no component shows any more is held (`GRACE_MS` of `src/react/held.ts`). */
const HELD_MS = 1_500;
