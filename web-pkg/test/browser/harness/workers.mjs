/** A page's workers, which the browser ends as it does when it is short of memory: without a word to anybody. */

/** Pages of this profile know their workers from now on. */
export function watchWorkers(profile) {
  return profile.addInitScript(() => {
    const Real = Worker;
    const begun = [];
    globalThis.Worker = class extends Real {
      constructor(...words) {
        super(...words);
        begun.push(this);
      }
    };
    globalThis.begunWorkers = begun;
  });
}

/** Ends the newest worker of a page; answers how many there have been. */
export function endWorker(page) {
  return page.evaluate(() => {
    globalThis.begunWorkers.at(-1).terminate();
    return globalThis.begunWorkers.length;
  });
}

export function workersBegun(page) {
  return page.evaluate(() => globalThis.begunWorkers.length);
}
