/** People talk: what is said, read, answered, changed and taken back, with a link and without. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { INSECURE_HOST } from "./harness/browser.mjs";
import { SCREENS, profileOf } from "./harness/look.mjs";
import { Line } from "./harness/proxy.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { CHAT, StrictLine } from "./harness/strict.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { Writer, freshRoom } from "./harness/writer.mjs";

test("what one says the other reads; who is not looking is told how much is new, and where it begins", async () => {
  const room = freshRoom("talk");
  const [ada, noor] = await Promise.all([open(room, "Ada"), open(room, "Noor")]);
  await ada.say("first words");
  await noor.post("first words").waitFor();
  await untilEqual("the relay has it", () => ada.post("first words").getAttribute("data-saved"), "relay");
  // What comes before one's eyes is read: nothing is counted for it.
  await hasRead(noor);
  await noor.lookAtPeople();
  await ada.say("you cannot see this");
  await ada.say("nor this");
  await untilEqual("two are new", () => noor.page.getByTestId("unread").textContent(), "2 unread");
  await until("the tab of the browser says so", async () => (await noor.page.title()).startsWith("(2) "));
  await noor.page.getByRole("button", { name: /^Chat/ }).click();
  await noor.page.getByTestId("new-messages").waitFor();
  assert.equal(await lineUnder(noor, "new-messages"), "you cannot see this");
  await untilEqual("all is read", () => noor.page.getByTestId("unread").count(), 0);
  await until("the title is bare again", async () => !(await noor.page.title()).startsWith("("));
  await noor.page.getByTestId("new-messages").waitFor();
  await noor.say("now I can");
  await noor.page.getByTestId("new-messages").waitFor({ state: "detached" });
  await noor.reload();
  await noor.post("now I can").waitFor();
  assert.equal(await noor.page.getByTestId("unread").count(), 0, "what was read stays read");
  await Promise.all([ada.close(), noor.close()]);
});

test("a post is answered, reacted to, changed and removed, and everybody sees it so", async () => {
  const room = freshRoom("deeds");
  const [ada, noor] = await Promise.all([open(room, "Ada"), open(room, "Noor")]);
  await ada.say("shall we cross at six?");
  await tool(noor, "shall we cross", "👍");
  await ada.post("shall we cross").getByRole("button", { name: "👍 1" }).click();
  await noor.post("shall we cross").getByRole("button", { name: "👍 2" }).click();
  await untilEqual(
    "one reaction is left",
    () => ada.post("shall we cross").locator(".reaction:not(.add)").allTextContents().then((all) => all.join()),
    "👍 1",
  );
  await tool(noor, "shall we cross", "React");
  await noor.page.getByLabel("Find by name, or put in any emoji").fill("🦦");
  await noor.page.keyboard.press("Enter");
  await ada.post("shall we cross").getByRole("button", { name: "🦦 1" }).waitFor();

  await tool(noor, "shall we cross", "Reply");
  await noor.say("make it seven");
  await ada.post("make it seven").getByRole("button", { name: /Ada shall we cross/ }).click();
  await untilEqual(
    "the quote leads to what it quotes",
    () => ada.page.evaluate(() => document.activeElement.querySelector(".said")?.textContent),
    "shall we cross at six?",
  );

  await ada.page.getByRole("textbox", { name: "Message" }).focus();
  await ada.page.keyboard.press("ArrowUp");
  await ada.page.getByRole("textbox", { name: "New wording" }).fill("shall we cross at seven?");
  await ada.page.keyboard.press("Enter");
  await noor.post("shall we cross at seven?").getByText("edited").waitFor();

  await noor.post("make it seven").click({ button: "right" });
  await noor.page.getByRole("menuitem", { name: "Remove" }).click();
  await noor.page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
  await ada.page.getByText("This message was removed").waitFor();
  await ada.post("shall we cross").click({ button: "right" });
  await ada.page.getByRole("menuitem", { name: "Edit" }).waitFor();
  await ada.page.keyboard.press("Escape");
  await noor.post("shall we cross").click({ button: "right" });
  await noor.page.getByRole("menuitem", { name: "Reply" }).waitFor();
  assert.equal(await noor.page.getByRole("menuitem", { name: "Edit" }).count(), 0, "another's post is not one's own");
  await Promise.all([ada.close(), noor.close()]);
});

test("who writes is told while they do, and news is read aloud once", async () => {
  const room = freshRoom("typing");
  const [ada, noor] = await Promise.all([open(room, "Ada"), open(room, "Noor")]);
  // What was there when one came is no news.
  for (const { page } of [ada, noor]) await page.locator('[data-testid="news"][data-listens="true"]').waitFor({ state: "attached" });
  await ada.page.getByRole("textbox", { name: "Message" }).focus();
  await ada.page.keyboard.type("thinking");
  await untilEqual("Noor sees it", () => noor.page.getByTestId("typing").innerText(), "Ada is writing…");
  await ada.page.keyboard.press("Enter");
  await noor.post("thinking").waitFor();
  await untilEqual("news", () => noor.page.getByTestId("news").textContent(), "Ada: thinking");
  await untilEqual("and that it is over", () => noor.page.getByTestId("typing").innerText(), "");
  await ada.say("and `done`");
  await untilEqual("news", () => noor.page.getByTestId("news").textContent(), "Ada: and done");
  assert.equal(await ada.page.getByTestId("news").textContent(), "", "one's own words are no news");
  await Promise.all([ada.close(), noor.close()]);
});

test("words stay words: no markup gets in, links lead out, code is code", async () => {
  const room = freshRoom("markup");
  const ada = await open(room, "Ada");
  const evil = `<img src=x onerror="document.title='owned'"> <script>document.title='owned'</script>`;
  await ada.say(evil);
  assert.equal(await ada.post("onerror").locator(".said").textContent(), evil);
  assert.equal(await ada.page.locator(".said img, .said script").count(), 0);
  await ada.say("see https://example.org/a_(b)?c=1. and javascript:alert(1) and `rm -rf`");
  const link = ada.page.locator(".said a");
  assert.equal(await link.count(), 1);
  assert.equal(await link.getAttribute("href"), "https://example.org/a_(b)?c=1");
  assert.match(await link.getAttribute("rel"), /noopener/);
  assert.equal(await ada.page.locator(".said code").textContent(), "rm -rf");
  await ada.say("😀😀");
  await ada.page.locator(".said.large").waitFor();
  assert.deepEqual(ada.errors, []);
  await ada.close();
});

test("without a link a post is on this device and says so; a reload keeps it and what was not sent", async () => {
  const line = await Line.to(relay.port);
  try {
    const room = freshRoom("offline-talk");
    const profile = { name: "Ada", viewport: SCREENS.laptop };
    const ada = await Writer.open(browser, line.origin, room, profile);
    const noor = await open(room, "Noor");
    await ada.isOnline();
    await ada.say("before");
    await noor.post("before").waitFor();
    await ada.worksOffline();
    line.cut();
    await ada.page.getByTestId("offline-banner").waitFor();
    await ada.say("on an island");
    await untilEqual("it is kept", () => ada.post("on an island").getAttribute("data-saved"), "device");
    await noor.say("on the other");
    await ada.page.getByRole("textbox", { name: "Message" }).fill("half a thou");
    await ada.reload();
    await ada.post("on an island").waitFor();
    assert.equal(await ada.page.getByRole("textbox", { name: "Message" }).inputValue(), "half a thou");
    line.mend();
    await untilEqual("it got there", () => ada.post("on an island").getAttribute("data-saved"), "relay");
    await ada.post("on the other").waitFor();
    await noor.post("on an island").waitFor();
    const order = (writer) => writer.page.locator(".said").allTextContents();
    assert.deepEqual(await order(ada), await order(noor), "both read it in one order");
    await Promise.all([ada.close(), noor.close()]);
  } finally {
    await line.end();
  }
});

test("a thousand posts: the newest at once, older ones as one scrolls, and nothing jumps", { timeout: 180_000 }, async () => {
  const room = freshRoom("thousand");
  const noor = await open(room, "Noor");
  await noor.isOnline();
  await noor.page.getByRole("textbox", { name: "Message" }).waitFor();
  await noor.page.evaluate(async (count) => {
    const field = document.querySelector(".composer textarea");
    const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value");
    const drawn = () => new Promise((next) => requestAnimationFrame(next));
    for (let at = 1; at <= count; at++) {
      set.call(field, at % 7 === 0 ? `post ${at}\nwith a second line` : `post ${at}`);
      field.dispatchEvent(new Event("input", { bubbles: true }));
      await drawn();
      field.form.requestSubmit();
      await drawn();
    }
  }, 1_000);
  await untilEqual("the relay has the last", () => noor.post(/^post 1000$/).getAttribute("data-saved"), "relay", 60_000);

  const ada = await open(room, "Ada");
  await ada.post(/^post 1000$/).waitFor();
  assert.ok((await ada.page.locator(".post").count()) < 400, "a page, not all");
  await hasRead(ada);
  const frames = await ada.page.evaluate(scrolledToTop);
  assert.equal(frames.jumps, 0, `a post in sight stood still while older ones came: ${JSON.stringify(frames)}`);
  assert.ok(frames.drawn > 20, "it was drawn on the way");
  await ada.page.getByText("This is the beginning of the chat.").waitFor();
  await untilEqual("all are here", () => ada.page.locator(".post").count(), 1_000);
  await ada.page.getByRole("button", { name: "Newest" }).click();
  await until("the newest is in sight", () => ada.post(/^post 1000$/).evaluate(isInSight));
  await noor.say("one more");
  await ada.post("one more").waitFor();
  await until("and so is one more", () => ada.post("one more").evaluate(isInSight));
  await Promise.all([ada.close(), noor.close()]);
});

test("W15 a refused message is copied, and said again as one of its own, whatever one is about to say", { timeout: 90_000 }, async (t) => {
  const line = await StrictLine.to(relay.port);
  t.after(() => line.end());
  line.refuses = CHAT;
  const room = freshRoom("draft");
  const ada = await Writer.open(browser, `http://${INSECURE_HOST}:${line.port}`, room, { viewport: SCREENS.laptop });
  t.after(() => ada.close());
  await ada.isOnline();
  await ada.say("the first words");
  await untilEqual("the relay has them", () => ada.post("the first words").getAttribute("data-saved"), "relay");
  line.isStrict = true;
  await ada.say("the refused words");
  const draft = ada.page.getByRole("list", { name: "Messages that were not taken" });
  await draft.getByText("the refused words").waitFor();
  line.isStrict = false;

  await draft.getByRole("button", { name: "Copy" }).click();
  const field = ada.page.getByRole("textbox", { name: "Message" });
  await field.focus();
  await ada.page.keyboard.press("Control+v");
  await untilEqual("it was on the clipboard, on plain http as well", () => field.inputValue(), "the refused words");
  await field.fill("");

  await ada.page.keyboard.press("ArrowUp");
  await ada.page.getByRole("textbox", { name: "New wording" }).waitFor();
  await draft.getByRole("button", { name: "Try again" }).click();
  await untilEqual("it was said", () => ada.post("the refused words").getAttribute("data-saved"), "relay");
  await draft.waitFor({ state: "detached" });
  assert.equal(await ada.post("the first words").count(), 1, "the other message is as it was");
  assert.equal(await ada.page.getByRole("textbox", { name: "New wording" }).inputValue(), "the first words");

  // Without words a message is none: whoever takes them all away is asked.
  await ada.page.getByRole("textbox", { name: "New wording" }).fill("");
  await ada.page.keyboard.press("Enter");
  const question = ada.page.getByRole("alertdialog", { name: "Remove this message?" });
  await question.getByRole("button", { name: "Keep" }).click();
  await ada.post("the first words").waitFor();
  await ada.page.getByRole("textbox", { name: "New wording" }).focus();
  await ada.page.keyboard.press("Enter");
  await question.getByRole("button", { name: "Remove" }).click();
  await ada.page.getByText("This message was removed").waitFor();
});

test("on a phone the chat fills the screen, and a keyboard leaves the composer in sight", async () => {
  const room = freshRoom("phone-talk");
  const noor = await open(room, "Noor");
  for (let at = 0; at < 30; at++) await noor.say(`line ${at}`);
  const context = await browser.newContext(profileOf("phone", "light"));
  const ada = await Writer.open(browser, relay.origin, room, { context, name: "Ada" });
  await untilEqual("the bar counts", () => ada.page.getByTestId("unread").textContent(), "30 unread");
  await ada.page.getByRole("button", { name: /^Chat/ }).tap();
  await ada.post("line 29").waitFor();
  await ada.page.getByRole("textbox", { name: "Message" }).tap();
  // The keyboard takes the lower half away.
  await ada.page.setViewportSize({ width: 390, height: 430 });
  await until("the composer and the newest words are in sight", () =>
    ada.page.evaluate(() => {
      const inSight = (element) => {
        const { top, bottom } = element?.getBoundingClientRect() ?? { top: -1 };
        return top >= 0 && bottom <= innerHeight;
      };
      return inSight(document.querySelector(".composer")) && inSight([...document.querySelectorAll(".post")].at(-1));
    }),
  );
  await ada.page.keyboard.type("from a phone");
  await ada.page.getByRole("button", { name: "Send" }).tap();
  await noor.post("from a phone").waitFor();
  await ada.post("from a phone").getByRole("button", { name: "More about this message" }).tap();
  // The menu takes the focus, and the keyboard goes.
  await ada.page.setViewportSize({ width: 390, height: 844 });
  await ada.page.getByRole("menuitem", { name: "React" }).tap();
  await ada.page.setViewportSize({ width: 390, height: 430 });
  await until("the emoji are above the keyboard", () =>
    ada.page.locator(".emoji-picker").evaluate((box) => box.getBoundingClientRect().bottom <= innerHeight),
  );
  await ada.page.getByRole("button", { name: /thumbs up/ }).tap();
  await noor.post("from a phone").getByRole("button", { name: "👍 1" }).waitFor();
  await Promise.all([ada.close(), noor.close()]);
});

/** Whether all of a post is within the part of the timeline that one sees. */
function isInSight(post) {
  const [inner, outer] = [post, post.closest(".timeline")].map((element) => element.getBoundingClientRect());
  return inner.top >= outer.top && inner.bottom <= outer.bottom + 1;
}

function open(room, name) {
  return Writer.open(browser, relay.origin, room, { name, viewport: SCREENS.laptop });
}

async function hasRead({ page }) {
  await untilEqual("all is read", () => page.locator(".chat").getAttribute("data-unread"), "0");
}

/** A button of those that come under the pointer. */
async function tool(writer, words, title) {
  await writer.post(words).hover();
  await writer.post(words).locator(`.post-tools [title="${title}"]`).click();
}

/** The words of the post under a line. */
function lineUnder({ page }, testid) {
  return page.getByTestId(testid).evaluate((line) => line.nextElementSibling.querySelector(".said").textContent);
}

/** Scrolls to the beginning, in the page, frame by frame: how many were drawn, and how often a post in sight jumped. */
function scrolledToTop() {
  const list = document.querySelector(".timeline");
  const STEP = 240;
  return new Promise((done) => {
    const told = { drawn: 0, jumps: 0, worst: 0 };
    let held = null;
    const frame = () => {
      if (held !== null && held.post.isConnected) {
        const moved = held.post.getBoundingClientRect().top - held.top;
        told.worst = Math.max(told.worst, Math.abs(moved));
        if (Math.abs(moved) > 2) told.jumps += 1;
      }
      told.drawn += 1;
      const posts = [...list.querySelectorAll(".post")];
      if (list.scrollTop <= 0 && list.querySelector(".beginning") !== null) return done(told);
      list.scrollTop -= STEP;
      const { top } = list.getBoundingClientRect();
      const post = posts.find((one) => one.getBoundingClientRect().top > top + 100);
      held = post === undefined ? null : { post, top: post.getBoundingClientRect().top };
      requestAnimationFrame(() => requestAnimationFrame(frame));
    };
    requestAnimationFrame(frame);
  });
}
