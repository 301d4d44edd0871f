/** How well a text answers what somebody typed, and which of its characters did. */
export interface Match {
  /** Higher is better; only comparable between matches of one query. */
  readonly score: number;
  /** Places in the text, rising. */
  readonly hits: readonly number[];
}

/**
 * Finds the letters of `query` in `text` in their order, or `null`. Letters that follow each other, that begin a word and
 * that stand in the last part of a path count for more. Greedy from the end, so that a file's name wins over its folder.
 */
export function match(query: string, text: string): Match | null {
  const wanted = query.toLowerCase().replace(/\s+/g, "");
  const shown = text.toLowerCase();
  const name = text.lastIndexOf("/") + 1;
  const hits: number[] = [];
  let score = 0;
  let at = text.length;
  for (let letter = wanted.length - 1; letter >= 0; letter--) {
    const before = at;
    at = shown.lastIndexOf(wanted[letter] ?? "", before - 1);
    if (at < 0 || before === 0) return null;
    hits.unshift(at);
    score += 1;
    if (at >= name) score += 2;
    if (letter < wanted.length - 1 && at === before - 1) score += 3;
    if (at === 0 || /[/ ._-]/.test(text[at - 1] ?? "")) score += 2;
  }
  if (shown.slice(name).startsWith(wanted)) score += 6;
  return { score: score - text.length / 100, hits };
}

/** The candidates that match, best first; all of them in their order if nothing was typed. */
export function bestMatches<T>(
  query: string,
  candidates: readonly T[],
  words: (candidate: T) => string,
): readonly { readonly candidate: T; readonly match: Match }[] {
  return candidates
    .flatMap((candidate) => {
      const found = match(query, words(candidate));
      return found === null ? [] : [{ candidate, match: found }];
    })
    .sort((a, b) => (query.trim() === "" ? 0 : b.match.score - a.match.score));
}
