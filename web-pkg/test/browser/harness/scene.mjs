/** The relay and the browser that all stories of a file share: there before the first, gone after the last. */
import { after, before } from "node:test";
import { launch } from "./browser.mjs";
import { Relay } from "./relay.mjs";

export let browser;
export let relay;

before(async () => {
  [browser, relay] = await Promise.all([launch(), Relay.start()]);
});

after(async () => {
  await browser?.close();
  await relay?.end();
});
