/** Waits for a condition with a deadline; nothing here sleeps and hopes. */

const LOOK_EVERY_MS = 25;
export const DEADLINE_MS = 20_000;

/** Asks until the answer is truthy, and gives it back. `what` is the sentence of the failure. */
export async function until(what, ask, deadline = DEADLINE_MS) {
  const end = Date.now() + deadline;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${deadline} ms in vain: ${what}`);
    // pace: between two looks at the condition
    await new Promise((next) => setTimeout(next, LOOK_EVERY_MS));
  }
}

/** Asks until the answer equals `wanted`; the failure tells the last answer. */
export async function untilEqual(what, ask, wanted, deadline = DEADLINE_MS) {
  let last;
  try {
    await until(what, async () => (last = await ask()) === wanted, deadline);
  } catch (error) {
    throw new Error(`${error.message}\n  wanted ${JSON.stringify(wanted)}\n  saw    ${JSON.stringify(last)}`);
  }
}
