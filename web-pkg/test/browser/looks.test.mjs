/** Every state of the page, readable by eye and by machine: three screens, light and dark. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { look, profileOf } from "./harness/look.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { staged } from "./harness/staged.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { Writer, freshRoom } from "./harness/writer.mjs";

for (const [size, colorScheme] of [
  ["desktop", "light"],
  ["laptop", "dark"],
  ["phone", "light"],
  ["phone", "dark"],
]) {
  test(`${size}, ${colorScheme}: every state is readable by eye and by machine`, { timeout: 120_000 }, async () => {
    const name = (state) => `${state}-${size}-${colorScheme}`;
    const noor = await staged(browser, relay.origin, freshRoom("looks"), { name: "Noor Haddad", colour: 0xc24a29 });
    await noor.goTo("src/crossing.py");
    const context = await browser.newContext(profileOf(size, colorScheme));
    const page = await context.newPage();
    const ada = new Writer(page);

    await page.goto(relay.origin);
    await page.getByRole("button", { name: "New room" }).click();
    await page.getByLabel("Your name").fill("Ada Lovelace");
    await look(page, name("welcome"));
    await page.getByRole("button", { name: "Enter the room" }).click();
    await ada.editorIsThere();
    await ada.isOnline();
    await look(page, name("empty-room"));
    await page.goto(relay.origin);
    await page.getByRole("link", { name: /^[a-z]+-[a-z]+-[a-z]+$/ }).waitFor();
    await look(page, name("home"));

    await page.goto(noor.page.url());
    await ada.editorIsThere();
    await openFile(ada, size, "src/crossing.py");
    await ada.showsWords("class Tide");
    await ada.write("# Ada was here");
    await noor.showsWords("Ada was here");
    await page.locator(".causeway-caret").waitFor({ state: "attached" });
    await untilEqual("Ada's words are seen", async () => (await ada.status()).seen, 1);
    await look(page, name("room"));

    for (const words of TALK) await noor.say(words);
    if (size === "phone") {
      for (const pane of ["Files", "Chat", "People"]) {
        await page.getByRole("button", { name: new RegExp(`^${pane}`) }).click();
        await look(page, name(pane.toLowerCase()));
      }
    } else {
      await ada.say("Which part, `minutes()`?");
      await ada.page.keyboard.press("ArrowUp");
      await ada.post("tide table").locator(".post-body").click({ button: "right" });
      await look(page, name("chat-menu"));
      await page.getByRole("menuitem", { name: "React" }).click();
      await page.getByLabel("Find by name, or put in any emoji").waitFor();
      await look(page, name("chat-emoji"));
      await page.getByRole("button", { name: /thumbs up/ }).click();
      await ada.post("tide table").getByRole("button", { name: "👍 1" }).waitFor();
      await look(page, name("chat"));
      await page.getByRole("button", { name: /^People/ }).first().click();
      await look(page, name("people"));
      await page.keyboard.press("Control+p");
      await page.keyboard.type("cr");
      await look(page, name("quick-open"));
      await page.keyboard.press("Escape");
      await page.locator('[data-path="src"]').click({ button: "right" });
      await look(page, name("menu"));
      await page.keyboard.press("Escape");
    }
    await page.getByRole("button", { name: /^You are Ada Lovelace/ }).click();
    await look(page, name("card"));
    await Promise.all([context.close(), noor.close()]);
  });
}

test("on a phone the name of a caret is whole wherever the caret stands in its line", { timeout: 120_000 }, async () => {
  const room = freshRoom("edge");
  const noor = await staged(browser, relay.origin, room, { name: "Noor Haddad", colour: 0xc24a29 });
  await noor.makeFile("edge.md");
  const context = await browser.newContext(profileOf("phone", "light"));
  const ada = new Writer(await context.newPage());
  await ada.page.goto(noor.page.url());
  await ada.page.getByLabel("Your name").fill("Ada Lovelace");
  await ada.page.getByRole("button", { name: "Enter the room" }).click();
  await openFile(ada, "phone", "edge.md");
  const name = ada.page.locator(".causeway-caret-name");
  let turned = 0;
  for (let length = 4; length <= 80; length += 4) {
    await noor.page.keyboard.insertText("tide");
    await ada.showsWords("tide".repeat(length / 4));
    await until("the name is within the screen", () =>
      name.evaluate((flag) => {
        const { left, right } = flag.getBoundingClientRect();
        return left >= 0 && right <= innerWidth;
      }),
    );
    turned += await ada.page.locator(".causeway-caret-turned").count();
  }
  assert.ok(turned > 0, "the caret was at the edge at least once");
  assert.ok(turned < 20, "and not always");
  await Promise.all([context.close(), noor.close()]);
});

const TALK = [
  "Morning! The tide table is in `data/tides.json`.",
  "See https://example.org/tides for more",
  "```py\nprint(crossing(Tide(0.4, 3.1)))\n```",
  "🌊",
];

async function openFile(writer, size, path) {
  if (size !== "phone") return writer.goTo(path);
  await writer.page.getByRole("button", { name: "Files", exact: true }).click();
  await writer.page.locator(`[data-path="${path}"]`).click();
  await writer.page.getByRole("textbox", { name: `Text of ${path}` }).waitFor();
}
