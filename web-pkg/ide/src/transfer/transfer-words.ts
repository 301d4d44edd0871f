import type { BroughtIn, Refused, Stop } from "./bring-in.ts";
import type { TakenOut } from "./take-out.ts";

/** What came of files that were moved: a sentence, and of each that was not moved why. */
export interface Told {
  readonly sentence: string;
  readonly refused: readonly Refused[];
}

export function broughtWords({ files, numbered, refused, unsure, stopped }: BroughtIn, leftOut: readonly string[], offered: number): Told {
  const words = [];
  const [only] = files;
  if (files.length === 1 && only !== undefined) words.push(`${only.path} is in the room.`);
  else words.push(files.length === 0 ? "Nothing was brought in." : `${files.length} files are in the room.`);
  const [first] = numbered;
  if (numbered.length === 1 && first !== undefined) words.push(`${first} has a number, as its name was taken.`);
  if (numbered.length > 1) words.push(`${numbered.length} of them have a number, as their names were taken.`);
  if (leftOut.length > 0) words.push(`Left out: ${leftOut.join(", ")}.`);
  const undone = offered - files.length - refused.length - unsure.length;
  if (undone > 0) words.push(`${counted(undone)} not brought in, as ${WHY[stopped ?? "cancelled"]}.`);
  if (unsure.length > 0) words.push(`${counted(unsure.length)} still being written.`);
  if (refused.length > 0) words.push(`${counted(refused.length)} not taken:`);
  return { sentence: words.join(" "), refused: [...refused, ...unsure.map((path) => ({ path, sentence: UNSURE }))] };
}

/** How this page hears of texts: from the relay, through another tab of the browser, or not now. */
export type Hearing = "relay" | "tab" | "nobody";

/** `null`: there is nothing to say, the browser shows what it saves. */
export function takenWords({ count, missing, unsure }: TakenOut, what: string, hearing: Hearing): Told | null {
  if (missing.length + unsure.length === 0) return null;
  const words = [];
  if (missing.length > 0 && count === 0) words.push(`${what} could not be downloaded.`);
  else if (missing.length > 0) words.push(`${what} lacks ${missing.length} of ${count + missing.length} files:`);
  if (unsure.length > 0) words.push(MAY_LACK[hearing](unsure.length === 1 ? (unsure[0] ?? "") : `${unsure.length} files`));
  // Apart from the relay it is each file that was not written here.
  const doubted = hearing === "relay" ? unsure.map((path) => ({ path, sentence: HALF })) : [];
  const missed = missing.map((path) => ({ path, sentence: MISSED[hearing] }));
  return { sentence: words.join(" "), refused: [...missed, ...doubted] };
}

/** More files than this page can open; `left` it still can. */
export function tooManyWords(count: number, left: number): Told {
  const can = left === 0 ? "this page can open no more" : `this page can open ${left} more`;
  return {
    sentence: `These are ${count} files, and ${can} until it is loaded anew. Take fewer or one folder, or reload this page and other tabs of the room first.`,
    refused: [],
  };
}

function counted(count: number): string {
  return count === 1 ? "1 file was" : `${count} files were`;
}

const WHY: Readonly<Record<Stop, string>> = {
  cancelled: "it was cancelled",
  disk: "the storage of this device is full or takes nothing now",
};
const UNSURE = "It is on the list. Look whether its words are all there before you close this page.";
const MISSED: Readonly<Record<Hearing, string>> = {
  relay: "The relay has not sent it yet. Try again in a moment.",
  tab: "It is empty, or its text has not come: this tab cannot tell, as another tab of this browser speaks with the relay. Try it there.",
  nobody: "It was never opened on this device, and the relay cannot be reached now.",
};
const HALF = "The relay had not sent all of it. Try again in a moment.";
const MAY_LACK: Readonly<Record<Hearing, (which: string) => string>> = {
  relay: (which) => `Of ${which} the newest lines may be missing.`,
  tab: (which) => `Of ${which} the newest lines may be missing: another tab of this browser speaks with the relay, and knows more.`,
  nobody: (which) => `Of ${which} what others wrote last may be missing, as the relay cannot be reached now.`,
};
