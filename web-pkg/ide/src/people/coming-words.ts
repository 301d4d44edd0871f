/** Who has come and who has left between two moments, in a sentence; empty if nobody. Names may occur more than once. */
export function comings(before: readonly string[], now: readonly string[]): string {
  const come = without(now, before);
  const left = without(before, now);
  const words = [];
  if (come.length > 0) words.push(`${listed(come)} ${come.length === 1 ? "has" : "have"} come.`);
  if (left.length > 0) words.push(`${listed(left)} ${left.length === 1 ? "has" : "have"} left.`);
  return words.join(" ");
}

/** Names as one says them: "Ada, Noor and Sam". A crowd is counted. */
export function listed(names: readonly string[]): string {
  if (names.length > MOST_NAMES) return `${names.length} people`;
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

function without(names: readonly string[], others: readonly string[]): readonly string[] {
  const rest = [...others];
  return names.filter((name) => {
    const at = rest.indexOf(name);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

const MOST_NAMES = 3;
