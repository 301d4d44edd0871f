/**
 * A name that a person can tell from others, with eighty random bits: for now the link is the only key to a room. Two digits
 * at its end check all before them: `amber-otter-tide-01234567-89abcdef` and the check.
 */
export function newRoomName(): string {
  const random = crypto.getRandomValues(new Uint8Array(3 + KEY_BYTES));
  const words = [...random.subarray(0, 3)].map((byte) => WORDS[byte % WORDS.length]);
  const key = base32(random.subarray(3));
  const name = [...words, key.slice(0, HALF), key.slice(HALF)].join("-");
  return name + checkOf(name);
}

/** The readable part of a name: `amber-otter-tide` of `amber-otter-tide-4x…`, or the whole of any other name. */
export function shortName(room: string): string {
  const match = hasSoundCheck(room) ? WHOLE.exec(room) : WHOLE_BEFORE.exec(room);
  return match?.[1] ?? room;
}

/** What has happened to the name of a room on its way: its end is missing, or a character is another. */
export type Damage = "cut" | "changed";

/**
 * Tells the remains of a name that was made here (or by the relay, which makes the same) from a whole one; `null`: nothing is
 * known against it. Names that people think of are theirs, unless they look like the beginning of one of these.
 */
export function damageOf(room: string): Damage | null {
  // Those of before have no check.
  if (hasSoundCheck(room) || WHOLE_BEFORE.test(room)) return null;
  // What was typed by hand may begin with a capital; without a key behind it, it is somebody's own name.
  const lower = room.toLowerCase();
  if (lower !== room && lower.split("-").length > 3) return hasSoundCheck(lower) || WHOLE_BEFORE.test(lower) ? "changed" : damageOf(lower);
  const isOurs = room.split("-").filter((word) => WORDS.includes(word)).length > 1;
  if (WHOLE.test(room)) return isOurs ? "changed" : null;
  const [one = "", two = "", three, ...key] = room.split("-");
  if (three === undefined || !WORDS.includes(one) || !WORDS.includes(two)) return null;
  if (key.length === 0) return WORDS.some((word) => word.startsWith(three)) ? "cut" : null;
  if (!WORDS.includes(three) || !KEY.test(key.join("-"))) return null;
  return key.join("").length > 2 * HALF + CHECK_DIGITS ? "changed" : "cut";
}

function hasSoundCheck(room: string): boolean {
  return WHOLE.test(room) && checkOf(room.slice(0, -CHECK_DIGITS)) === room.slice(-CHECK_DIGITS);
}

/** Two digits over all before them. Below the prime no wrong character and no two that changed places go unseen. */
function checkOf(name: string): string {
  let sum = 0;
  let weight = 1;
  for (const letter of name) {
    sum = (sum + letter.charCodeAt(0) * weight) % CHECK_PRIME;
    weight = (weight * CHECK_STEP) % CHECK_PRIME;
  }
  return (DIGITS[sum >> 5] ?? "") + (DIGITS[sum & 31] ?? "");
}

function base32(bytes: Uint8Array): string {
  let digits = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      digits += DIGITS[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return digits;
}

/** Eighty bits, which make two halves of eight digits. */
const KEY_BYTES = 10;
/** Without the letters that are taken for others. */
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
/** Digits of each half of the key. */
const HALF = 8;
const CHECK_DIGITS = 2;
/** The greatest prime that two digits hold. */
const CHECK_PRIME = 1021;
/** Its powers stay apart for longer than a name is long. */
const CHECK_STEP = 37;
const WHOLE = /^([a-z]+-[a-z]+-[a-z]+)-[0-9a-z]{8}-[0-9a-z]{10}$/;
/** Names made before there was a check. */
const WHOLE_BEFORE = /^([a-z]+-[a-z]+-[a-z]+)-[0-9a-z]{16}$/;
/** What can stand behind the words, however much of it came through. */
const KEY = /^[0-9a-hjkmnp-tv-z-]*$/i;
const WORDS = [
  "amber",
  "bay",
  "beacon",
  "brook",
  "cedar",
  "cliff",
  "cloud",
  "coral",
  "cove",
  "crane",
  "dune",
  "fern",
  "ferry",
  "fjord",
  "gull",
  "harbour",
  "heron",
  "isle",
  "juniper",
  "kelp",
  "lagoon",
  "maple",
  "moss",
  "otter",
  "pebble",
  "pine",
  "reef",
  "river",
  "sail",
  "shell",
  "tide",
  "willow",
];
