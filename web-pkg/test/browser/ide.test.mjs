/** The page as a person meets it: by keyboard, with others, without a network, in the dark, on a phone. */
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { INSECURE_HOST, launch } from "./harness/browser.mjs";
import { Line } from "./harness/proxy.mjs";
import { Relay } from "./harness/relay.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { Writer, freshRoom } from "./harness/writer.mjs";

const SHOTS = fileURLToPath(new URL("../../../out/screenshots/", import.meta.url));
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

let relay;
let browser;

before(async () => {
  await mkdir(SHOTS, { recursive: true });
  relay = await Relay.start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await relay?.end();
});

test("a first visit makes a room and writes into it by keyboard alone", async () => {
  const page = await newPage();
  await page.goto(relay.origin);
  await tabTo(page, "New room");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/r\/[a-z]+-[a-z]+-[a-z]+-[0-9a-z]{16}$/);
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
  await page.context().close();
});

test("a link pasted on the start page opens its room, and a broken one is answered with a sentence", async () => {
  const page = await newPage();
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
  await person(ada.page, "Noor").waitFor();
  await person(noor.page, "Ada").waitFor();
  await Promise.all([ada.write("left "), noor.write("right ")]);
  await ada.showsWords("left", "right");
  await noor.showsWords("left", "right");
  for (const { page } of [ada, noor]) {
    await untilEqual("one file is listed", () => files(page).then(String), "main.md");
  }
  await ada.page.locator(".causeway-caret").waitFor({ state: "attached" });
  await untilEqual("Ada's words are seen by Noor", async () => (await ada.status()).seen, 1);

  await noor.page.getByLabel("Change your name and colour").click();
  await noor.page.getByLabel("Your name").fill("Noor Haddad");
  await noor.page.getByLabel("Moss").check();
  await noor.page.getByRole("button", { name: "Done" }).click();
  await person(ada.page, "Noor Haddad").waitFor();
  await noor.reload();
  await noor.page.locator(".person.me", { hasText: "Noor Haddad" }).waitFor();
  await Promise.all([ada.close(), noor.close()]);
});

test("files are added, renamed, taken off the list and put back, for everybody", async () => {
  const room = freshRoom("files");
  const [ada, noor] = await Promise.all([open(room, "Ada"), open(room, "Noor")]);
  await ada.write("kept");
  await noor.shows("kept");
  await addFile(ada.page, "tide.py");
  await untilEqual("both files are listed", () => files(noor.page).then(String), "main.md,tide.py");
  await ada.shows("");
  await ada.write("def low():\n");
  await noor.page.getByRole("button", { name: "tide.py", exact: true }).click();
  await noor.showsWords("def low():");

  await noor.page.getByLabel("Rename tide.py").click();
  await noor.page.getByLabel("New name for tide.py").fill("main.md");
  await noor.page.keyboard.press("Enter");
  await noor.page.getByText("There is a file of this name already.").waitFor();
  await noor.page.getByLabel("New name for tide.py").fill("src/low-tide.py");
  await noor.page.keyboard.press("Enter");
  await untilEqual("the new name is everywhere", () => files(ada.page).then(String), "main.md,src/low-tide.py");
  await ada.page.locator(".file-head h2", { hasText: "src/low-tide.py" }).waitFor();

  await noor.page.getByLabel("Take src/low-tide.py off the list").click();
  await untilEqual("it is off the list", () => files(ada.page).then(String), "main.md");
  await ada.page.getByText("This file is not on the room’s list any more.").waitFor();
  await ada.showsWords("def low():");
  await noor.page.getByRole("status").getByRole("button", { name: "Put back" }).click();
  await untilEqual("it is back", () => files(ada.page).then(String), "main.md,src/low-tide.py");
  await Promise.all([ada.close(), noor.close()]);
});

test("the offline banner comes with the cut and goes with the way back", async () => {
  const line = await Line.to(relay.port);
  try {
    const writer = await Writer.open(browser, line.origin, freshRoom("banner"));
    await writer.isOnline();
    const banner = writer.page.getByTestId("offline-banner");
    assert.equal(await banner.count(), 0);
    line.cut();
    await banner
      .getByText("You are offline. What you write is kept on this device and sent when you are back.")
      .waitFor();
    await writer.write("written on an island");
    await until("the status says that it waits", async () => (await writer.status()).words.includes("wait for the relay"));
    await writer.isSavedHere();
    await shot(writer.page, "offline-desktop-light");
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

test("a second tab says who keeps the copy on disk, and nothing is said in the first", async () => {
  const room = freshRoom("tabs");
  const first = await open(room, "Ada");
  await first.isOnline();
  const second = await Writer.open(browser, relay.origin, room, { context: first.context });
  const notice = second.page.getByTestId("storage-notice");
  await notice.waitFor();
  assert.equal(await notice.getAttribute("data-backend"), "memory");
  assert.match(await notice.innerText(), /tab/);
  assert.equal(await first.page.getByTestId("storage-notice").count(), 0);
  await second.write("from the second");
  await first.shows("from the second");
  await first.close();
});

test("a link that names no room, and an engine that cannot be loaded, are told in a sentence", async () => {
  // A service worker would have kept the engine.
  const page = await newPage({ serviceWorkers: "block" });
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

for (const [size, viewport] of [
  ["desktop", DESKTOP],
  ["phone", PHONE],
]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`${size}, ${colorScheme}: every state is readable by eye and by machine`, async () => {
      const room = `amber-otter-tide-0123456789${size.slice(0, 2)}${colorScheme.slice(0, 2)}xy`;
      const profile = { viewport, colorScheme, hasTouch: size === "phone", isMobile: size === "phone" };
      const name = (state) => `${state}-${size}-${colorScheme}`;
      const page = await newPage(profile);
      await page.goto(relay.origin);
      await page.getByRole("button", { name: "New room" }).waitFor();
      await look(page, name("home"));

      await page.goto(`${relay.origin}/r/${room}`);
      const ada = new Writer(page);
      await ada.editorIsThere();
      await ada.isOnline();
      await look(page, name("empty-room"));

      const noor = await open(room, "Noor Haddad");
      await noor.write(NOTES);
      await addFile(noor.page, "crossing.py");
      await noor.page.locator(".cm-content").focus();
      await noor.page.keyboard.insertText(PYTHON);
      await noor.isSaved();
      await chooseFile(page, size, "crossing.py");
      await ada.showsWords("class Tide");
      await ada.write("# Ada was here");
      await noor.showsWords("Ada was here");
      await page.locator(".causeway-caret").waitFor({ state: "attached" });
      await untilEqual("Ada's words are seen", async () => (await ada.status()).seen, 1);
      await look(page, name("room"));
      if (size === "phone") {
        await page.getByRole("button", { name: "Files and people" }).click();
        await page.locator("dialog[open]").waitFor();
        await look(page, name("drawer"));
      } else {
        await page.getByLabel("Change your name and colour").click();
        await look(page, name("naming"));
      }
      await noor.close();
      await page.context().close();
    });
  }
}

async function newPage(options = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  return context.newPage();
}

/** A person of this name in a browser profile of their own. */
function open(room, name) {
  const script = `localStorage.getItem("causeway/person") ?? localStorage.setItem("causeway/person", ${JSON.stringify(
    JSON.stringify({ name, colour: 0xc24a29 }),
  )})`;
  return Writer.open(browser, relay.origin, room, { script });
}

function person(page, name) {
  return page.getByTestId("person").filter({ hasText: name });
}

function files(page) {
  return page.locator(".file .path").allInnerTexts();
}

async function addFile(page, path) {
  await page.getByLabel("New file").click();
  await page.getByLabel("Name of the new file").fill(path);
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: `Text of ${path}` }).waitFor();
}

async function chooseFile(page, size, path) {
  if (size === "phone") await page.getByRole("button", { name: "Files and people" }).click();
  await page.getByRole("button", { name: path, exact: true }).click();
  await page.getByRole("textbox", { name: `Text of ${path}` }).waitFor();
}

/** What the focus is on, by its accessible name or its words. */
function focused(page) {
  return page.evaluate(() => {
    const { activeElement } = document;
    return activeElement?.getAttribute("aria-label") ?? activeElement?.textContent?.trim() ?? "";
  });
}

async function tabTo(page, name) {
  await until(`the Tab key reaches ${name}`, async () => {
    await page.keyboard.press("Tab");
    return (await focused(page)) === name;
  });
}

/** Takes a picture and lets axe look for what would keep somebody out. */
async function look(page, name) {
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  await until("nothing moves", () =>
    page.evaluate(() => {
      // Waves never rest, and what waits for its turn does not move yet.
      const timings = document.getAnimations().map((one) => [one.playState, one.effect.getComputedTiming()]);
      return !timings.some(
        ([state, { iterations, progress }]) => state === "running" && iterations !== Infinity && progress !== null,
      );
    }),
  );
  await shot(page, name);
  if (!(await page.evaluate(() => "axe" in window))) {
    // The relay's policy keeps foreign scripts out of the page; the inspector's way in is not subject to it.
    await page.evaluate(await axeSource());
  }
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = grave.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join("\n  ")}`,
  );
  assert.deepEqual(told, [], name);
}

let axe;
async function axeSource() {
  axe ??= await readFile(AXE, "utf8");
  return axe;
}

async function shot(page, name) {
  await page.screenshot({ path: `${SHOTS}${name}.png` });
}

const NOTES =
  "# Field notes\n\nWe cross at **low tide**, and write on our own devices.\n\n- take the long rope\n- ask `Ada` about the boat\n";

const PYTHON = `"""How far can we walk before the water is back?"""
from dataclasses import dataclass

STONES = 14  # counted twice


@dataclass
class Tide:
    low: float
    high: float

    def minutes(self, pace: float = 1.2) -> float:
        return (self.high - self.low) * 60 / pace


def crossing(tide: Tide) -> str:
    if tide.minutes() < STONES:
        return f"wait, only {tide.minutes():.0f} minutes"
    return "go"


print(crossing(Tide(low=0.4, high=3.1)))
`;
