/** Keys that people bring along from elsewhere: saving, finding, and where all of them are listed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { focused } from "./harness/keyboard.mjs";
import { LOOKS, SCREENS, look, profileOf } from "./harness/look.mjs";
import { Line } from "./harness/proxy.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { Writer, freshRoom, introduce } from "./harness/writer.mjs";

test("W25 the keys that save elsewhere tell where the work is, with a link and without", async () => {
  const line = await Line.to(relay.port);
  try {
    const ada = await Writer.open(browser, line.origin, freshRoom("by-hand"), { viewport: SCREENS.desk });
    await ada.page.evaluate(() => {
      addEventListener("keydown", (event) => queueMicrotask(() => (window.wasTaken = event.defaultPrevented)), true);
    });
    await ada.write("low tide");
    await ada.isSaved();
    await ada.press("Control+s");
    const told = ada.page.getByTestId("saved-by-hand");
    await told.getByText("Saved on this device and on the relay’s disk.").waitFor();
    assert.equal(await ada.page.evaluate(() => window.wasTaken), true, "the browser saves no page");
    line.cut();
    await ada.write(", and rising");
    await ada.isSavedHere();
    await ada.press("Control+s");
    await told.getByText("Your work is saved on this device and waits for the relay.").waitFor();
    line.mend();
    await told.getByText("Saved on this device and on the relay’s disk.").waitFor();
    await ada.shows("low tide, and rising");
    await ada.page.mouse.move(5, 5);
    await told.waitFor({ state: "detached" });
    await ada.close();
  } finally {
    await line.end();
  }
});

test("W25 a phone says in words where the work is", async () => {
  const line = await Line.to(relay.port);
  try {
    const ada = await visitor(freshRoom("phone-words"), "phone", "light", line.origin);
    const words = () => ada.page.locator(".in-short").innerText();
    await ada.write("low tide");
    await untilEqual("it is saved", words, "Saved at the relay");
    await look(ada.page, "saved-words-phone-light");
    line.cut();
    await ada.write("!");
    await untilEqual("it waits", words, "Saved here, not sent yet");
    await look(ada.page, "waiting-words-phone-light");
    await ada.page.context().close();
  } finally {
    await line.end();
  }
});

test("W23 words are found, counted, stepped through and replaced, by keyboard alone", async () => {
  const ada = await Writer.open(browser, relay.origin, freshRoom("find"), { viewport: SCREENS.desk });
  const { page } = ada;
  const { keyboard } = page;
  const count = () => page.locator(".find-count").innerText();
  await ada.write("Tide and tide, tidal\\n(tide)");
  await ada.press("Control+Home");
  await keyboard.press("Control+f");
  await untilEqual("the field has the focus", () => focused(page), "Find in this text");
  await keyboard.type("tide");
  await untilEqual("all are counted", count, "3 found");
  await keyboard.press("Enter");
  await untilEqual("the first is selected", count, "1 of 3");
  await keyboard.press("Shift+Enter");
  await untilEqual("the one before is the last", count, "3 of 3");
  await page.getByRole("button", { name: "Match capital letters" }).click();
  await untilEqual("capitals count", count, "2 of 2");
  await page.getByRole("button", { name: "Regular expression" }).click();
  await page.getByRole("textbox", { name: "Find in this text" }).fill("(");
  await untilEqual("what is none is said", count, "No regular expression");
  await page.getByRole("textbox", { name: "Find in this text" }).fill("tid[ae]");
  await untilEqual("an expression finds", count, "3 of 3");
  await page.getByRole("button", { name: "Regular expression" }).click();
  await page.getByRole("textbox", { name: "Find in this text" }).fill("\\n");
  await untilEqual("a backslash is one", count, "1 found");
  await page.getByRole("textbox", { name: "Find in this text" }).fill("tide");
  await keyboard.press("Control+h");
  await page.getByRole("textbox", { name: "Replace with" }).fill("ebb");
  await page.getByRole("button", { name: "Replace all" }).click();
  await ada.shows("Tide and ebb, tidal\\n(ebb)");
  await untilEqual("nothing is left", count, "Not found");
  await keyboard.press("Escape");
  await untilEqual("the text has the focus again", () => focused(page), "Text of main.md");
  await ada.press("Control+z");
  await ada.shows("Tide and tide, tidal\\n(tide)");
  assert.deepEqual(ada.errors, []);
  await ada.close();
});

test("W23 an Enter that ends a composition replaces nothing and looks for nothing", async () => {
  const ada = await Writer.open(browser, relay.origin, freshRoom("composing"), { viewport: SCREENS.desk });
  const { page } = ada;
  await ada.write("tide and tide");
  await ada.press("Control+Home");
  await page.keyboard.press("Control+h");
  await page.getByRole("textbox", { name: "Find in this text" }).fill("tide");
  const instead = page.getByRole("textbox", { name: "Replace with" });
  await instead.fill("ebb");
  await page.locator(".find-count").getByText("2 found").waitFor();
  for (const how of [{ isComposing: true }, { keyCode: 229 }]) {
    const enter = { key: "Enter", code: "Enter", bubbles: true, cancelable: true, ...how };
    for (const name of ["Replace with", "Find in this text"]) {
      const field = page.getByRole("textbox", { name });
      assert.equal(await field.evaluate((field, enter) => field.dispatchEvent(new KeyboardEvent("keydown", enter)), enter), true, "the field keeps it");
    }
  }
  assert.equal(await page.locator(".find-count").innerText(), "2 found");
  await instead.press("Enter");
  await instead.press("Enter");
  await ada.shows("ebb and tide");
  await ada.close();
});

test("W24 all shortcuts are listed by a key and by a button, and how a keyboard leaves the text is for the eye as well", async () => {
  const ada = await Writer.open(browser, relay.origin, freshRoom("shortcuts"), { viewport: SCREENS.desk });
  const { page } = ada;
  const list = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await ada.write("words");
  await page.getByText("Esc then Tab leaves the text").waitFor();
  await page.keyboard.press("F1");
  await list.getByText("Leave the text with the keyboard").waitFor();
  await page.keyboard.press("Control+s");
  assert.equal(await page.getByTestId("saved-by-hand").count(), 0, "a dialog has the keys to itself");
  await page.keyboard.press("Escape");
  await untilEqual("back in the text", () => focused(page), "Text of main.md");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await until("out of the text", async () => (await focused(page)) !== "Text of main.md");
  assert.equal(await page.getByText("Esc then Tab leaves the text").isVisible(), false);
  await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
  await list.waitFor();
  await page.getByRole("button", { name: "Close" }).last().click();
  await list.waitFor({ state: "detached" });
  await ada.close();
});

for (const { size, scheme } of LOOKS) {
  test(`W23 W24 W25 finding, shortcuts and saving can be read, ${size}, ${scheme}`, async () => {
    const ada = await visitor(freshRoom("find-looks"), size, scheme);
    const { page } = ada;
    await ada.write("Tide and tide, tidal, and the tide again");
    await page.getByRole("button", { name: "Find in this text" }).click();
    await page.getByRole("textbox", { name: "Find in this text" }).fill("tide");
    await page.keyboard.press("Enter");
    await page.locator(".find-count").getByText("of 3").waitFor();
    await look(page, `find-${size}-${scheme}`);
    await page.getByRole("button", { name: "Replace as well" }).click();
    await page.getByRole("button", { name: "Match capital letters" }).click();
    await page.locator(".find-count").getByText(/^2 found|of 2$/).waitFor();
    await look(page, `replace-${size}-${scheme}`);
    await page.keyboard.press("Escape");
    await page.keyboard.press("F1");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await look(page, `shortcuts-${size}-${scheme}`);
    await page.keyboard.press("Escape");
    await ada.press("Control+s");
    await page.getByTestId("saved-by-hand").getByText("Saved on this device").waitFor();
    await look(page, `saved-by-hand-${size}-${scheme}`);
    await page.context().close();
  });
}

/** Somebody in a room on a screen of this kind. */
async function visitor(room, size, scheme, origin = relay.origin) {
  const context = await browser.newContext(profileOf(size, scheme));
  await introduce(context, "Ada", 0x0f7a84);
  const writer = new Writer(await context.newPage());
  await writer.page.goto(`${origin}/r/${room}`);
  await writer.editorIsThere();
  return writer;
}
