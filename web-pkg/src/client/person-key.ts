/**
 * The key of this browser's person: 32 random bytes, the same in all rooms of this origin. Whoever has it can speak in
 * their name. Without a place to keep it (a worker, a browser that forbids it) the person lasts as long as the page.
 */
export function personKey(): Uint8Array {
  ours ??= kept() ?? made();
  return ours;
}

function kept(): Uint8Array | undefined {
  try {
    const text = localStorage.getItem(PLACE) ?? "";
    if (!/^[0-9a-f]{64}$/.test(text)) return undefined;
    return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  } catch {
    return undefined;
  }
}

function made(): Uint8Array {
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  try {
    localStorage.setItem(PLACE, Array.from(key, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  } catch {
    // It is used for this page all the same.
  }
  return key;
}

let ours: Uint8Array | undefined;
const PLACE = "causeway.person";
const KEY_BYTES = 32;
