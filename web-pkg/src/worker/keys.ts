type Bytes = Uint8Array<ArrayBuffer>;

/** Bytewise order, as IndexedDB orders binary keys. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i += 1) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The first key behind everything that begins with `prefix`; `null`: nothing is behind it. */
export function behindPrefix(prefix: Uint8Array): Bytes | null {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length -= 1;
  if (length === 0) return null;
  const behind = new Uint8Array(prefix.subarray(0, length));
  behind[length - 1] = (behind[length - 1] as number) + 1;
  return behind;
}

/** The first key behind `key`. */
export function next(key: Uint8Array): Bytes {
  const behind = new Uint8Array(key.length + 1);
  behind.set(key);
  return behind;
}
