/** Pictures of pages, and what axe finds in them that would keep somebody out. */
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { until } from "./until.mjs";

const SHOTS = fileURLToPath(new URL("../../../../out/screenshots/", import.meta.url));
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export const SCREENS = {
  desktop: { width: 1440, height: 900 },
  desk: { width: 1280, height: 800 },
  laptop: { width: 1280, height: 720 },
  phone: { width: 390, height: 844 },
};

/** A browser profile with a screen of this kind. */
export function profileOf(size, colorScheme) {
  const isPhone = size === "phone";
  return { viewport: SCREENS[size], colorScheme, hasTouch: isPhone, isMobile: isPhone };
}

/** What a change of the page is looked at on: a desk and a phone, light and dark. */
export const LOOKS = ["desk", "phone"].flatMap((size) => ["light", "dark"].map((scheme) => ({ size, scheme })));

/** Takes a picture and lets axe look for what is serious or critical. */
export async function look(page, name) {
  await settled(page);
  await shot(page, name);
  if (!(await page.evaluate(() => "axe" in window))) {
    // The relay's policy keeps foreign scripts out of the page; the inspector's way in is not subject to it.
    await page.evaluate(await axeSource());
  }
  // A name at a caret fades away: half-way its contrast says nothing.
  const what = { include: [["html"]], exclude: [[".causeway-caret-name"]] };
  const { violations } = await page.evaluate((what) => window.axe.run(what, { resultTypes: ["violations"] }), what);
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = grave.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join("\n  ")}`,
  );
  assert.deepEqual(told, [], name);
}

/** Waits until fonts are there and nothing moves that will come to rest. */
export async function settled(page) {
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
}

export async function shot(page, name) {
  await mkdir(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}${name}.png` });
}

let axe;
async function axeSource() {
  axe ??= await readFile(AXE, "utf8");
  return axe;
}
