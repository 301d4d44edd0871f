/** A browser that refuses its pages their database, as one in a private window may. */
import { launch } from "./browser.mjs";

/** A window of such a browser; both go with the story `t`. */
export async function refusing(t) {
  // A script that did not come over the network may not open sockets to this machine; here it may.
  const browser = await launch("--disable-features=LocalNetworkAccessChecks");
  t.after(() => browser.close());
  const context = await browser.newContext();
  // The database of a worker cannot be refused from the page; the script is put before the worker's own.
  await context.route(/worker[^/]*\.js$/, async (route) => {
    const answer = await route.fetch();
    const refusal = "indexedDB.open = () => { throw new DOMException('storage is off', 'SecurityError'); };";
    await route.fulfill({ response: answer, body: `${refusal}\n${await answer.text()}` });
  });
  return { browser, context };
}
