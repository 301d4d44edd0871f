/** Does something that may be refused, and answers whether it was done. Why not is told on the page. */
export async function attempt(deed: () => unknown): Promise<boolean> {
  try {
    await deed();
    return true;
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure);
    for (const reader of [...readers]) reader(`That was not done: ${why}`);
    return false;
  }
}

/** Calls `reader` with what was refused from now on, as sentences. */
export function onRefusal(reader: (sentence: string) => void): () => void {
  readers.add(reader);
  return () => readers.delete(reader);
}

const readers = new Set<(sentence: string) => void>();
