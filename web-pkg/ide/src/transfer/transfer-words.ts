import type { BroughtIn, Refused } from "./bring-in.ts";
import type { TakenOut } from "./take-out.ts";

/** What came of files that were moved: a sentence, and of each that was not moved why. */
export interface Told {
  readonly sentence: string;
  readonly refused: readonly Refused[];
}

export function broughtWords({ files, numbered, refused }: BroughtIn, leftOut: readonly string[], offered: number): Told {
  const words = [];
  const [only] = files;
  if (files.length === 1 && only !== undefined) words.push(`${only.path} is in the room.`);
  else words.push(files.length === 0 ? "Nothing was brought in." : `${files.length} files are in the room.`);
  const [first] = numbered;
  if (numbered.length === 1 && first !== undefined) words.push(`${first} has a number, as its name was taken.`);
  if (numbered.length > 1) words.push(`${numbered.length} of them have a number, as their names were taken.`);
  if (leftOut.length > 0) words.push(`Left out: ${leftOut.join(", ")}.`);
  const undone = offered - files.length - refused.length;
  if (undone > 0) words.push(`${counted(undone)} not brought in, as it was cancelled.`);
  if (refused.length > 0) words.push(`${counted(refused.length)} not taken:`);
  return { sentence: words.join(" "), refused };
}

/** `null`: there is nothing to say, the browser shows what it saves. */
export function takenWords({ count, missing }: TakenOut, what: string, isOnline: boolean): Told | null {
  if (missing.length === 0) return null;
  const why = isOnline
    ? "The relay has not sent it yet. Try again in a moment."
    : "It was never opened on this device, and the relay cannot be reached now.";
  const sentence = count === 0 ? `${what} could not be downloaded.` : `${what} lacks ${missing.length} of ${count + missing.length} files:`;
  return { sentence, refused: missing.map((path) => ({ path, sentence: why })) };
}

function counted(count: number): string {
  return count === 1 ? "1 file was" : `${count} files were`;
}
