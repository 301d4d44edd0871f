import type { Text as Lines } from "@codemirror/state";

/** Where a caret stood as its name was last shown, and when it last moved. */
interface Shown {
  readonly times: number;
  readonly head: number;
  readonly line: number;
  readonly movedAt: number;
}

/**
 * When the name at a caret is shown anew: as it comes, when it goes to another line, and when it moves after a rest. Whoever
 * writes on and on in a line does not hold their name over the line above.
 */
export class NamesShown {
  #shown = new Map<number, Shown>();

  /** Which showing of the name of `person` this is. */
  at(person: number, head: number, doc: Lines, now: number): number {
    const before = this.#shown.get(person);
    const line = doc.lineAt(head).number;
    if (before?.head === head) return before.times;
    const isNews = before === undefined || before.line !== line || now - before.movedAt > REST_MS;
    const times = (before?.times ?? 0) + (isNews ? 1 : 0);
    this.#shown.set(person, { times, head, line, movedAt: now });
    return times;
  }

  /** What others wrote has moved the carets, not those they belong to. */
  map(mapped: (head: number) => number, doc: Lines): void {
    for (const [person, shown] of this.#shown) {
      const head = Math.min(mapped(shown.head), doc.length);
      this.#shown.set(person, { ...shown, head, line: doc.lineAt(head).number });
    }
  }

  keepOnly(people: ReadonlySet<number>): void {
    for (const person of this.#shown.keys()) if (!people.has(person)) this.#shown.delete(person);
  }
}

/** Longer than somebody who writes stops to think of a word. */
const REST_MS = 4_000;
