/** The page as a person meets it: at the door, with others, without a network, in the dark. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { INSECURE_HOST } from "./harness/browser.mjs";
import { focused, tabTo } from "./harness/keyboard.mjs";
import { SCREENS, shot } from "./harness/look.mjs";
import { Line } from "./harness/proxy.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { Writer, freshRoom, introduce } from "./harness/writer.mjs";

test("a first visit makes a room and writes into it by keyboard alone", async () => {
  const page = await newPage();
  await page.goto(relay.origin);
  await tabTo(page, "New room");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/r\/[a-z]+-[a-z]+-[a-z]+-[0-9a-z]{8}-[0-9a-z]{10}$/);
  await untilEqual("the door asks for a name", () => focused(page), "Your name");
  await page.keyboard.type("Ada Lovelace");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  const writer = new Writer(page);
  await writer.editorIsThere();
  await untilEqual("the text has the focus", () => focused(page), "Text of main.md");
  await page.keyboard.type("first words");
  await writer.shows("first words");
  await writer.isSaved();
  await until("Escape, then Tab, leaves the text", async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Shift+Tab");
    return (await focused(page)) !== "Text of main.md";
  });
  await page.getByRole("button", { name: /^You are Ada Lovelace/ }).waitFor();
  await writer.reload();
  await page.getByRole("button", { name: /^You are Ada Lovelace/ }).waitFor();
  await page.context().close();
});

test("a link pasted on the start page opens its room, and a broken one is answered with a sentence", async () => {
  const page = await newPage({}, "Calm Otter");
  await page.goto(relay.origin);
  const field = page.getByLabel("Or open a room by its link");
  await field.fill("https://example.org/nothing");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("This is no link to a room.").waitFor();
  await field.fill(`${relay.origin}/r/pasted-room`);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${relay.origin}/r/pasted-room`);
  await page.getByRole("heading", { name: "pasted-room" }).waitFor();
  await page.context().close();
});

test("two people who open an empty room at once write into one file and see each other's names", async () => {
  const room = freshRoom("two");
  const [ada, noor] = await Promise.all([open(room, "Ada"), open(room, "Noor")]);
  await Promise.all([ada.lookAtPeople(), noor.lookAtPeople()]);
  await person(ada.page, "Noor").waitFor();
  await person(noor.page, "Ada").waitFor();
  await Promise.all([ada.write("left "), noor.write("right ")]);
  await ada.showsWords("left", "right");
  await noor.showsWords("left", "right");
  for (const { page } of [ada, noor]) {
    await untilEqual("one file is listed", () => files(page).then(String), "main.md");
    await page.locator('[data-path="main.md"] .dots').waitFor();
  }
  await ada.page.locator(".causeway-caret").waitFor({ state: "attached" });
  await untilEqual("Ada's words are seen by Noor", async () => (await ada.status()).seen, 1);

  await noor.page.getByRole("button", { name: "Change your name and colour", exact: true }).click();
  await noor.page.getByRole("textbox", { name: "Your name" }).fill("Noor Haddad");
  await noor.page.getByLabel("Moss").check({ force: true });
  await noor.page.getByRole("button", { name: "Done" }).click();
  await person(ada.page, "Noor Haddad").waitFor();
  await noor.reload();
  await noor.lookAtPeople();
  await noor.page.locator(".person.me", { hasText: "Noor Haddad" }).waitFor();
  await Promise.all([ada.close(), noor.close()]);
});

test("W17 the offline banner comes with the cut and goes with the way back", async () => {
  const line = await Line.to(relay.port);
  try {
    const writer = await Writer.open(browser, line.origin, freshRoom("banner"));
    await writer.isOnline();
    const banner = writer.page.getByTestId("offline-banner");
    assert.equal(await banner.count(), 0);
    line.cut();
    await banner
      .getByText("The relay cannot be reached. What you write is kept on this device and sent when it answers.")
      .waitFor();
    await writer.write("written on an island");
    await until("the status says that it waits", async () => (await writer.status()).words.includes("wait for the relay"));
    await writer.isSavedHere();
    await shot(writer.page, "offline-desktop-light");
    // Who is there cannot be known without a link, and nobody is said to have left.
    assert.match((await writer.status()).words, /Others cannot be seen now/);
    await writer.lookAtPeople();
    await writer.page.getByText("Others cannot be seen while there is no link to the relay.").waitFor();
    await untilEqual(
      "what waits is read aloud once",
      () => writer.page.getByTestId("spoken-status").textContent(),
      "Your work is saved on this device and waits for the relay.",
    );
    line.mend();
    await banner.waitFor({ state: "detached" });
    await writer.isSaved();
    await writer.close();
  } finally {
    await line.end();
  }
});

test("a reload without a network keeps the page and the text", async () => {
  const line = await Line.to(relay.port);
  try {
    const writer = await Writer.open(browser, line.origin, freshRoom("reload"));
    await writer.write("still here");
    await writer.isSaved();
    await writer.worksOffline();
    line.cut();
    await writer.write(", and more");
    await writer.isSavedHere();
    await writer.reload();
    await writer.shows("still here, and more");
    await writer.page.getByTestId("offline-banner").waitFor();
    line.mend();
    await writer.isOnline();
    await writer.isSaved();
    await writer.close();
  } finally {
    await line.end();
  }
});

test("W20 a room never seen on this device, opened without a network, says what is so instead of what nobody knows", async () => {
  const writer = await Writer.open(browser, relay.origin, freshRoom("seen"));
  await writer.worksOffline();
  // From now on the page comes from the service worker.
  await writer.reload();
  await writer.context.setOffline(true);
  await writer.page.addInitScript(() => {
    const look = () => (window.claimed ||= document.body?.textContent.includes("Nobody has said") ?? false);
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
  });
  await writer.page.goto(`${relay.origin}/r/${freshRoom("unseen")}`);
  await writer.page.getByTestId("offline-banner").getByText("You are offline.").waitFor();
  const unseen = (what) => writer.page.getByText(`No ${what} of this room are on this device yet.`);
  await unseen("messages").waitFor();
  await writer.editorIsThere();
  await unseen("files").waitFor();
  assert.equal(await writer.page.getByText("Asking what is").count(), 0);
  assert.equal(await writer.page.evaluate(() => window.claimed), false, "nor was it said for a moment");
  await writer.write("begun alone");
  await writer.isSavedHere();
  await writer.context.setOffline(false);
  await writer.isSaved();
  await writer.page.getByText("Nobody has said anything here yet.").waitFor();
  assert.equal(await unseen("files").count(), 0);
  await writer.close();
});

test("a second tab writes through the first, without a notice in either, and goes on when the first is closed", async () => {
  const room = freshRoom("tabs");
  const first = await open(room, "Ada");
  await first.isOnline();
  const second = await Writer.open(browser, relay.origin, room, { context: first.context });
  await second.write("from the second");
  await first.shows("from the second");
  await second.isSaved();
  for (const tab of [first, second]) assert.equal(await tab.page.getByTestId("storage-notice").count(), 0);
  await first.page.close();
  await second.write(", alone");
  await second.isSaved();
  await first.context.close();
});

test("a link that names no room, and an engine that cannot be loaded, are told in a sentence", async () => {
  // A service worker would have kept the engine.
  const page = await newPage({ serviceWorkers: "block" }, "Calm Otter");
  await page.goto(relay.origin);
  await page.evaluate(() => {
    history.pushState(null, "", "/r/no%20room");
    dispatchEvent(new PopStateEvent("popstate"));
  });
  await page.getByRole("heading", { name: "This link leads to no room" }).waitFor();
  await page.route("**/*.wasm", (route) => route.abort());
  await page.goto(`${relay.origin}/r/${freshRoom("no-engine")}`);
  await page.getByRole("heading", { name: "The page cannot start" }).waitFor();
  await page.unroute("**/*.wasm");
  await page.route("**/assets/index-*.js", (route) => route.abort());
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("alert").getByText("A part of this page could not be fetched").waitFor();
  await page.unroute("**/assets/index-*.js");
  await page.getByRole("button", { name: "Try again" }).click();
  await new Writer(page).editorIsThere();
  await page.context().close();
});

test("on an insecure origin the page works, without a service worker and with the link copied the old way", async () => {
  const writer = await Writer.open(browser, `http://${INSECURE_HOST}:${relay.port}`, freshRoom("classroom"));
  await writer.write("no lock in the address bar");
  await writer.isSaved();
  assert.equal(await writer.page.evaluate(() => isSecureContext), false);
  await writer.page.getByRole("button", { name: "Copy link" }).click();
  await writer.page.getByRole("button", { name: "Link copied" }).waitFor();
  assert.deepEqual(writer.errors, []);
  await writer.close();
});

test("light and dark follow the system until somebody chooses", async () => {
  const page = await newPage({ colorScheme: "dark" });
  await page.goto(relay.origin);
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  assert.equal(await theme(), "dark");
  await page.emulateMedia({ colorScheme: "light" });
  await untilEqual("the page follows", theme, "light");
  await page.getByLabel("Use dark colours").click();
  assert.equal(await theme(), "dark");
  await page.reload();
  assert.equal(await theme(), "dark", "the choice is remembered");
  await page.context().close();
});

async function newPage(options = {}, name = null) {
  const context = await browser.newContext({ viewport: SCREENS.laptop, ...options });
  if (name !== null) await introduce(context, name, 0x0f7a84);
  return context.newPage();
}

/** A person of this name in a browser profile of their own. */
function open(room, name) {
  return Writer.open(browser, relay.origin, room, { name, viewport: SCREENS.laptop });
}

function person(page, name) {
  return page.getByTestId("person").filter({ hasText: name });
}

function files(page) {
  return page.locator(".tree-line.file").evaluateAll((lines) => lines.map((line) => line.dataset.path));
}
