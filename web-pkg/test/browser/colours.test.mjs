/** Who is who in a text: colours that differ, and names at carets that leave. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LOOKS, SCREENS, profileOf, settled, shot } from "./harness/look.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { until, untilEqual } from "./harness/until.mjs";
import { Writer, freshRoom, introduce } from "./harness/writer.mjs";

const TIDE = "rgb(15, 122, 132)";

test("W22 of two with one colour one takes another and keeps it over a reload, and the other keeps theirs", async () => {
  const room = freshRoom("two-colours");
  const ada = await open(room, "Ada");
  await ada.isOnline();
  const noor = await open(room, "Noor");
  await seesOthers(noor, 1);
  await until("they differ", async () => (await own(noor)) !== (await own(ada)));
  // Noor came later; on a busy machine she may hear of Ada only when she has waited for that, and then it may be Ada.
  const [gave, kept] = (await own(noor)) === TIDE ? [ada, noor] : [noor, ada];
  assert.equal(await own(kept), TIDE);
  const other = await own(gave);
  await untilEqual("the other sees it", () => others(kept).then(String), other);
  await gave.reload();
  assert.equal(await own(gave), other);
  // In another room it is the one they have.
  const elsewhere = await Writer.open(browser, relay.origin, freshRoom("alone"), { context: gave.context });
  assert.equal(await own(elsewhere), TIDE);
  await Promise.all([ada.close(), noor.close()]);
});

test("W22 a class that comes at once with one colour ends with as many as there are people, and rests there", { timeout: 120_000 }, async () => {
  const room = freshRoom("class");
  const names = ["Ada", "Noor", "Sam", "Lin", "Ben"];
  const all = await Promise.all(names.map((name) => open(room, name)));
  await Promise.all(all.map((one) => seesOthers(one, names.length - 1)));
  const colours = () => Promise.all(all.map(own));
  await until("all differ", async () => new Set(await colours()).size === names.length);
  await until("all see the same", async () => {
    const [mine, ...seen] = [await colours(), ...(await Promise.all(all.map(others)))];
    return seen.every((theirs, at) => [...theirs, mine[at]].sort().join() === [...mine].sort().join());
  });
  await Promise.all(all.map((one) => one.close()));
});

test("W22 whoever chose a colour keeps it, and whoever was there with it by chance gives way", async () => {
  const room = freshRoom("chosen");
  const ada = await open(room, "Ada");
  await ada.isOnline();
  const noor = await open(room, "Noor");
  await Promise.all([seesOthers(ada, 1), seesOthers(noor, 1)]);
  await until("they differ", async () => (await own(noor)) !== (await own(ada)));
  // Which of them gave way is another story.
  const both = [ada, noor];
  if ((await own(ada)) !== TIDE) both.reverse();
  const [holder, chooser] = both;
  assert.equal(await own(holder), TIDE);
  await chooser.page.getByRole("button", { name: /^You are (Ada|Noor)/ }).click();
  await chooser.page.getByLabel(/^Tide, the colour of (Ada|Noor) here/).check({ force: true });
  await chooser.page.getByRole("button", { name: "Done" }).click();
  await untilEqual("who chose it has it", () => own(chooser), TIDE);
  await until("the other has another", async () => (await own(holder)) !== TIDE);
  await chooser.reload();
  assert.equal(await own(chooser), TIDE);
  await Promise.all([ada.close(), noor.close()]);
});

const LONG = "Wilhelmina Johanna van der Straaten-Hohenberg";

for (const { size, scheme } of LOOKS) {
  test(`W26 a name at a caret is cut, leaves, and comes back with a jump or a pointer, ${size}, ${scheme}`, { timeout: 90_000 }, async () => {
    const room = freshRoom("caret-names");
    const noor = await open(room, LONG, 0xc24a29);
    await noor.write("one\ntwo\nthree\nfour\nfive\nsix and some more words to fill the line");
    await noor.isSaved();
    const context = await browser.newContext(profileOf(size, scheme));
    await introduce(context, "Ada", 0x0f7a84);
    const ada = new Writer(await context.newPage());
    await ada.page.goto(noor.page.url());
    await ada.showsWords("six and some");
    await noor.press("Control+Home");
    await noor.page.keyboard.press("ArrowDown");
    await noor.page.keyboard.press("ArrowDown");
    const name = ada.page.locator(".causeway-caret-name");
    const seen = () => name.evaluate((flag) => Number(getComputedStyle(flag).opacity)).catch(() => null);
    await until("it is there", async () => (await seen()) === 1);
    // With each jump it is another element.
    const measured = (flag) => {
      const editor = flag.closest(".cm-scroller")?.clientWidth;
      return editor && { width: flag.getBoundingClientRect().width, editor, isCut: flag.scrollWidth > flag.clientWidth };
    };
    const { width, editor, isCut } = await until("it is measured", () => name.evaluate(measured).catch(() => null));
    assert.ok(width <= editor / 2 && width <= 220, `${width} of ${editor}`);
    assert.ok(isCut, "the rest of it is dots");
    await shot(ada.page, `caret-name-${size}-${scheme}`);
    await until("it leaves", async () => (await seen()) === 0);
    await settled(ada.page);
    // Whoever types along a line does not hold it up.
    await noor.page.keyboard.press("ArrowDown");
    await until("with the next line it is back", async () => (await seen()) === 1);
    let writing = true;
    const written = (async () => {
      while (writing) await noor.page.keyboard.type("la ", { delay: 60 });
    })();
    try {
      await until("it leaves while she writes on", async () => (await seen()) === 0);
    } finally {
      writing = false;
      await written;
    }
    if (size === "desk") {
      // Beside the caret: it is as thin as a line.
      const { x, y, height } = await ada.page.locator(".causeway-caret").evaluate((caret) => caret.getBoundingClientRect().toJSON());
      await ada.page.mouse.move(x + 3, y + height / 2);
      await until("a pointer brings it back", async () => (await seen()) === 1);
    }
    await Promise.all([context.close(), noor.close()]);
  });
}

function open(room, name, colour = 0x0f7a84) {
  return Writer.open(browser, relay.origin, room, { name, colour, viewport: SCREENS.desk });
}

/** The colour in which somebody sees themselves. */
function own({ page }) {
  return page.locator(".bar .me .avatar").evaluate((face) => getComputedStyle(face).backgroundColor);
}

/** The colours in which they see the others. */
function others({ page }) {
  return page.locator(".faces .avatar").evaluateAll((faces) => faces.map((face) => getComputedStyle(face).backgroundColor));
}

async function seesOthers({ page }, count) {
  await until(`${count} others are seen`, async () => (await page.locator(".faces li").count()) >= Math.min(count, 4));
}
