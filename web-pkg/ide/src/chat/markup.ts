/** A piece of what somebody said. Nothing else of a text means anything: it is shown as it was typed. */
export type Piece =
  | { readonly kind: "words"; readonly text: string }
  | { readonly kind: "link"; readonly text: string; readonly to: string }
  /** Between single backticks. */
  | { readonly kind: "code"; readonly text: string }
  /** Between lines of three backticks. */
  | { readonly kind: "block"; readonly text: string };

/** Takes a text apart into words, links and code. Each character goes into exactly one piece, but for the marks of code. */
export function pieces(text: string): readonly Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const { index, 0: block, 1: inside = "" } of text.matchAll(/```(?:[\w+-]*\n)?([\s\S]*?)(?:```|$)\n?/g)) {
    if (inside.trim() === "") continue;
    found.push(...inLine(text.slice(from, index)), { kind: "block", text: inside.replace(/\n$/, "") });
    from = index + block.length;
  }
  return [...found, ...inLine(text.slice(from))];
}

/** The first line of a text without its marks, for a quote. */
export function inShort(text: string): string {
  const line = text.trim().split("\n", 1)[0]?.replaceAll("`", "") ?? "";
  const letters = [...line];
  return letters.length > SHORT ? `${letters.slice(0, SHORT - 1).join("")}…` : line;
}

function inLine(text: string): readonly Piece[] {
  return text.split(/((?<!`)`[^`\n]+`(?!`))/).flatMap((part, place) => {
    if (part === "") return [];
    // What the pattern caught stands at the odd places.
    return place % 2 === 1 ? [{ kind: "code", text: part.slice(1, -1) } as const] : linked(part);
  });
}

function linked(text: string): readonly Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const { index, 0: match } of text.matchAll(/\bhttps?:\/\/[^\s<>"'`]+/gi)) {
    const address = withoutTail(match);
    if (!URL.canParse(address)) continue;
    if (index > from) found.push({ kind: "words", text: text.slice(from, index) });
    found.push({ kind: "link", text: address, to: new URL(address).href });
    from = index + address.length;
  }
  if (from < text.length) found.push({ kind: "words", text: text.slice(from) });
  return found;
}

/** What ends a sentence does not belong to an address, nor does a bracket that was opened before it. */
function withoutTail(address: string): string {
  const cut = address.replace(/[.,;:!?…]+$/, "");
  const isOpenedBefore = cut.endsWith(")") && !cut.includes("(");
  return isOpenedBefore ? withoutTail(cut.slice(0, -1)) : cut;
}

/** Characters of a quote. */
const SHORT = 120;
