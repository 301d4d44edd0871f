/** A name that a person can tell from others, with eighty random bits: for now the link is the only key to a room. */
export function newRoomName(): string {
  const random = crypto.getRandomValues(new Uint8Array(3 + KEY_BYTES));
  const words = [...random.subarray(0, 3)].map((byte) => WORDS[byte % WORDS.length]);
  return [...words, base32(random.subarray(3))].join("-");
}

/** The readable part of a name: `amber-otter-tide` of `amber-otter-tide-4x…`, or the whole of any other name. */
export function shortName(room: string): string {
  const match = /^((?:[a-z]+-){3})[0-9a-z]{16}$/.exec(room);
  return match?.[1]?.slice(0, -1) ?? room;
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

/** Eighty bits, which make sixteen digits. */
const KEY_BYTES = 10;
/** Without the letters that are taken for others. */
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
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
