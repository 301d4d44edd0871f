/** A long channel: opened at its end, read back page by page from the relay, honest about what is out of reach and new. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SCREENS } from "./harness/look.mjs";
import { Line } from "./harness/proxy.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { Writer, freshRoom } from "./harness/writer.mjs";

/** Together more than the relay sends to somebody new. */
const POSTS = 1_000;
const MORE = "~".repeat(1_500);

test("CH8 W8 who comes back to a long channel reads it from its end, is told of what is new further up, and finds where it begins", { timeout: 300_000 }, async () => {
  const line = await Line.to(relay.port);
  try {
    const room = freshRoom("long-channel");
    const [noor, before] = [await open(relay.origin, room, "Noor"), await open(line.origin, room, "Ada")];
    await noor.say("hello");
    await before.post("hello").waitFor();
    await untilEqual("it is read", () => unread(before), "0");
    await before.worksOffline();
    await before.page.close();
    await noor.page.evaluate(talk, { posts: POSTS, more: MORE });
    await untilEqual("the relay has the last", () => noor.post(`post ${POSTS}~`).getAttribute("data-saved"), "relay", 60_000);
    await until("the relay has cut it into pages", async () => (await health()).snapshots_made > 1, 30_000);

    const ada = await open(line.origin, room, "Ada", before.context);
    await ada.post(`post ${POSTS}~`).waitFor();
    assert.ok((await ada.page.locator(".post").count()) < POSTS, "not all");
    await untilEqual("she is told how much is new", () => newAbove(ada), `${POSTS} new further up`);
    line.cut();
    await ada.page.getByTestId("offline-banner").waitFor();
    await scrollsUpUntil(ada, "there is no more on this device", () => ada.page.getByTestId("older-out-of-reach").count());
    const here = await ada.page.locator(".post").count();
    assert.ok(here < POSTS, `${here} posts are here`);
    assert.equal(await ada.page.getByText("This is the beginning of the chat.").count(), 0, "no end is made up");
    assert.equal(await unread(ada), String(POSTS), "and nothing was called read");

    line.mend();
    await ada.page.getByTestId("older-out-of-reach").waitFor({ state: "detached", timeout: 60_000 });
    await scrollsUpUntil(ada, "she is where it begins", () => ada.page.getByTestId("new-messages").count());
    assert.equal(await ada.page.getByTestId("new-above").count(), 0);
    const under = ada.page.getByTestId("new-messages").locator("xpath=following-sibling::*[1]").locator(".said");
    assert.ok((await under.textContent()).startsWith("post 1~"), "the line stands over the first");
    await scrollsUpUntil(ada, "it is read back", () => ada.page.getByText("This is the beginning of the chat.").count());
    assert.equal(await ada.page.locator(".post").count(), POSTS + 1);
    assert.ok((await health()).pages_sent > 0, "the relay was asked for pages");
    await ada.page.getByRole("button", { name: "Newest" }).or(ada.page.getByRole("button", { name: /new$/ })).click();
    await untilEqual("all is read", () => unread(ada), "0");
    await Promise.all([ada.close(), noor.close()]);
  } finally {
    await line.end();
  }
});

async function open(origin, room, name, context) {
  const writer = await Writer.open(browser, origin, room, { name, context, viewport: SCREENS.laptop });
  await writer.isOnline();
  await writer.page.getByRole("textbox", { name: "Message" }).waitFor();
  return writer;
}

function unread({ page }) {
  return page.locator(".chat").getAttribute("data-unread");
}

function newAbove({ page }) {
  return page.getByTestId("new-above").getByRole("button").first().textContent();
}

async function scrollsUpUntil({ page }, what, count) {
  await until(
    what,
    async () => {
      await page.locator(".timeline").evaluate((list) => (list.scrollTop = 0));
      return (await count()) > 0;
    },
    60_000,
  );
}

async function health() {
  return (await fetch(`${relay.origin}/healthz`)).json();
}

/** Types and sends, as fast as the page draws. */
async function talk({ posts, more }) {
  const field = document.querySelector(".composer textarea");
  const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value");
  const drawn = () => new Promise((next) => requestAnimationFrame(next));
  for (let at = 1; at <= posts; at++) {
    set.call(field, `post ${at}${more}`);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await drawn();
    field.form.requestSubmit();
    await drawn();
  }
}
