/** Devices whose clocks are years off: the order is right for everybody, and times are told by the relay's clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { browser, relay } from "./harness/scene.mjs";
import { until } from "./harness/until.mjs";
import { freshRoom, Writer } from "./harness/writer.mjs";

const YEAR_MS = 365 * 24 * 3_600_000;
const MINUTE_MS = 60_000;

/** A person whose computer thinks that it is another year. */
async function personIn(t, room, years, name) {
  const context = await browser.newContext();
  t.after(() => context.close());
  await context.addInitScript((offset) => {
    const Real = Date;
    const now = () => Real.now() + offset;
    globalThis.Date = class extends Real {
      constructor(...parts) {
        super(...(parts.length === 0 ? [now()] : parts));
      }
      static now() {
        return now();
      }
    };
  }, years * YEAR_MS);
  const writer = await Writer.open(browser, relay.origin, room, { context, name });
  await writer.isOnline();
  return writer;
}

/** Words and times of the posts, from the top. */
function posts(writer) {
  return writer.page.locator(".post").evaluateAll((all) =>
    all.map((post) => ({
      words: post.querySelector(".said")?.textContent,
      time: Date.parse(post.querySelector("time")?.dateTime),
    })),
  );
}

test("R13 clocks years ahead and years behind disturb neither order nor text, and times are corrected", { timeout: 120_000 }, async (t) => {
  const room = freshRoom("clocks");
  const ahead = await personIn(t, room, 7, "Ahead");
  const behind = await personIn(t, room, -7, "Behind");
  const right = await personIn(t, room, 0, "Right");
  assert.ok((await ahead.page.evaluate(() => Date.now())) - (await behind.page.evaluate(() => Date.now())) > 13 * YEAR_MS);
  const all = [ahead, behind, right];
  const said = ["one, from behind", "two, from ahead", "three, from now", "four, from ahead", "five, from behind"];
  for (const [at, writer] of [behind, ahead, right, ahead, behind].entries()) {
    await writer.say(said[at]);
    for (const reader of all) await reader.post(said[at]).waitFor();
  }
  for (const reader of all) {
    const shown = await posts(reader);
    assert.deepEqual(shown.map(({ words }) => words), said);
  }
  for (const { words, time } of await posts(right)) {
    assert.ok(Math.abs(time - Date.now()) < 5 * MINUTE_MS, `"${words}" is told to be of ${new Date(time).toISOString()}`);
  }

  await ahead.write("Ahead wrote. ");
  await right.showsWords("Ahead wrote.");
  await behind.showsWords("Ahead wrote.");
  await behind.write("Behind wrote. ");
  await right.showsWords("Behind wrote.");
  await right.write("Right wrote. ");
  for (const writer of all) await writer.isSaved();
  await right.showsWords("Ahead wrote.", "Behind wrote.", "Right wrote.");
  const text = await right.text();
  for (const writer of all) await writer.shows(text);
  await behind.reload();
  await behind.shows(text);
  await until("posts after a reload", async () => (await posts(behind)).length === said.length);
  assert.deepEqual((await posts(behind)).map(({ words }) => words), said);
});
