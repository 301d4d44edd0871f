/**
 * Ends the workers of pages in Chromium, again and again: `node worker.mjs DEATHS SEED`, for `cargo xtask torture worker`.
 *
 * A few people write, each in a room of their own, with and without the relay. Whatever their page ever said is on this device must
 * be there once, in the page that goes on with another worker and in one that was loaded anew, and at the relay in the end. Prints one
 * line of JSON for each death: `kept`, the words called kept since the one before; `ms` from the death until all is kept again, or
 * nothing where the page was loaded anew at once.
 */
import { launch } from "../browser/harness/browser.mjs";
import { Line } from "../browser/harness/proxy.mjs";
import { Relay } from "../browser/harness/relay.mjs";
import { until } from "../browser/harness/until.mjs";
import { endWorker, watchWorkers } from "../browser/harness/workers.mjs";
import { Writer } from "../browser/harness/writer.mjs";

const PEOPLE = 6;
/** A page whose worker ends again and again gives up; so does its person, and loads it anew. */
const DEATHS_OF_A_PAGE = 5;
const PATIENCE_MS = 60_000;

const [deaths, seed] = process.argv.slice(2).map(Number);
let left = deaths;

async function live(n) {
  const dice = diceOf(seed * PEOPLE + n);
  const line = await Line.to(relay.port);
  const context = await browser.newContext();
  await watchWorkers(context);
  const room = `worker-${process.pid}-${n}`;
  const writer = await Writer.open(browser, `http://127.0.0.1:${line.port}`, room, { context });
  const book = new Book();
  // The page itself comes over the line; from then on the browser has it.
  await writer.isOnline();
  await writer.worksOffline();
  for (let death = 1; left > 0; death += 1) {
    left -= 1;
    if (dice() < 0.5) line.cut();
    else line.mend();
    for (let more = dice() * 4; more > 0; more -= 1) {
      await writer.write(book.next());
      if (dice() < 0.7) await isKept(writer, book);
    }
    const typing = dice() < 0.7 ? writer.write(book.next()) : undefined;
    // pace: it ends at a random moment
    await new Promise((next) => setTimeout(next, dice() * 300));
    await endWorker(writer.page);
    const ended = performance.now();
    await typing;
    let ms;
    if (dice() < 0.7) {
      await writer.write(book.next());
      await isKept(writer, book);
      ms = performance.now() - ended;
      book.compare(await writer.text(), `${room}: behind death ${death}`);
    }
    if (ms === undefined || death % DEATHS_OF_A_PAGE === 0) {
      await writer.reload();
      await until("the text is read", async () => book.isThere(await writer.text()), PATIENCE_MS).catch(() => undefined);
      book.compare(await writer.text(), `${room}: loaded anew behind death ${death}`);
    }
    console.log(JSON.stringify({ kept: book.newlyKept(), ms }));
  }
  line.mend();
  await writer.isOnline();
  await writer.isSaved();
  const other = await Writer.open(browser, relay.origin, room);
  await until("the text has come", async () => book.isThere(await other.text()), PATIENCE_MS).catch(() => undefined);
  book.compare(await other.text(), `${room}: somebody else`);
  if (writer.errors.length > 0) throw new Error(`${room}: ${writer.errors.join("; ")}`);
  await Promise.all([other.close(), context.close()]);
  await line.end();
}

async function isKept(writer, book) {
  const written = book.newest;
  await until("this device has everything", async () => (await writer.status()).device === "saved", PATIENCE_MS);
  book.keep(written);
}

/** The words that somebody wrote, and which of them were called kept. */
class Book {
  newest = 0;
  #kept = new Set();
  #told = 0;
  /** The words up to this one are called kept, or are lost for good. */
  #from = 0;

  next() {
    this.newest += 1;
    return `w${this.newest}. `;
  }

  keep(upto) {
    for (let word = this.#from + 1; word <= upto; word += 1) this.#kept.add(word);
    this.#from = Math.max(this.#from, upto);
  }

  newlyKept() {
    const news = this.#kept.size - this.#told;
    this.#told = this.#kept.size;
    return news;
  }

  isThere(text) {
    const found = wordsOf(text);
    return [...this.#kept].every((word) => found.includes(word));
  }

  /** Throws for a word that was called kept and is not there once, and for any that is there twice. */
  compare(text, where) {
    const found = wordsOf(text);
    for (let word = 1; word <= this.newest; word += 1) {
      const times = found.filter((one) => one === word).length;
      if (times > 1 || (times === 0 && this.#kept.has(word))) {
        throw new Error(`${where}: w${word} is there ${times} times: ${JSON.stringify(text)}`);
      }
    }
    // What nobody called kept and is not there went with its page; the next words are told by their own.
    this.#from = this.newest;
    for (const word of found) this.#kept.add(word);
  }
}

/** Whole words: of the last one a part may have got to the disk. */
function wordsOf(text) {
  return [...text.matchAll(/w(\d+)\./g)].map(([, number]) => Number(number));
}

/** Chance that can be had again. */
function diceOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const relay = await Relay.start();
const browser = await launch();
try {
  await Promise.all(Array.from({ length: PEOPLE }, (_, n) => live(n)));
} finally {
  await browser.close();
  await relay.end();
}
