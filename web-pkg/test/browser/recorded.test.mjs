/** A recorded paper, typed by a native engine, arrives in a page letter for letter. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { binary } from "./harness/relay.mjs";
import { browser, relay } from "./harness/scene.mjs";
import { until } from "./harness/until.mjs";
import { freshRoom, Writer } from "./harness/writer.mjs";

const NAME = "the whole paper, typed natively, reads in a page as it was recorded";
const DATA = fileURLToPath(new URL("../../../../shared/data/automerge-paper.json.gz", import.meta.url));
const absent = existsSync(DATA) ? false : `SKIPPED (no ../shared/data): ${NAME}`;
if (absent) console.log(absent);

test(NAME, { timeout: 180_000, skip: absent }, async () => {
  const { endContent } = JSON.parse(gunzipSync(readFileSync(DATA)).toString());
  const room = freshRoom("recorded");
  await replay(room);
  const page = await Writer.open(browser, relay.origin, room);
  await page.isOnline();
  let last = "";
  await until("the page has the whole paper", async () => {
    last = await page.wholeText();
    return last.length === endContent.length;
  });
  assert.equal(last === endContent, true, "the page's text differs from the recording");
  assert.deepEqual(page.errors, []);
  await page.close();
});

/** Types the recording as fast as it goes, and ends when the relay has it on its disk. */
async function replay(room) {
  const example = join(dirname(binary()), "examples", "replay");
  const args = ["--speed", "max", "--room", room, "--relay", `ws://127.0.0.1:${relay.port}`];
  const typing = spawn(example, args, { stdio: ["ignore", "ignore", "inherit"], cwd: dirname(DATA) });
  const code = await new Promise((resolve, reject) => typing.once("exit", resolve).once("error", reject));
  assert.equal(code, 0, "the replay ended badly");
}
