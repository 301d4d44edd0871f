/** What somebody without a mouse does and hears. */
import { until } from "./until.mjs";

/** What the focus is on, by its accessible name or its words; empty where nothing has it. */
export function focused(page) {
  return page.evaluate(() => {
    const { activeElement } = document;
    // It stands in for nothing, with all the words of the page.
    if (activeElement === document.body) return "";
    const label = activeElement?.getAttribute("aria-label") ?? activeElement?.labels?.[0]?.textContent;
    if (label !== null && label !== undefined) return label;
    const copy = activeElement?.cloneNode(true);
    for (const unheard of copy?.querySelectorAll("[aria-hidden=true]") ?? []) unheard.remove();
    return copy?.textContent?.trim() ?? "";
  });
}

/** Presses Tab (or `keys`) until the focus is on something of this name. */
export async function tabTo(page, name, keys = "Tab") {
  await until(`${keys} reaches ${name}`, async () => {
    await page.keyboard.press(keys);
    const now = await focused(page);
    return name instanceof RegExp ? name.test(now) : now === name;
  });
}
