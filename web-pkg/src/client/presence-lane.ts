import { Cell } from "./cell.js";
import type { Observable } from "./observable.js";
import type { Anchor, Cursor, Myself, Person, Presence } from "./people.js";
import type { Pump } from "./pump.js";

/** Who is here. Never on disk, and gone with the link. */
export class PresenceLane {
  /** Whom this page speaks for: 64 hex digits, the same on all pages of a person. */
  readonly person: string;
  readonly others: Observable<readonly Person[]>;
  readonly #pump: Pump;
  readonly #others = new Cell<readonly Person[]>([]);
  #mine: Presence;

  /** @internal */
  constructor(
    pump: Pump,
    private readonly myself: Myself,
  ) {
    this.#pump = pump;
    this.others = this.#others;
    const { name, colour = someColour() } = myself;
    this.#mine = { name, colour, status: "idle", cursor: null, typing: null };
    this.#introduce(this.#mine);
    // Asked once: what a page shows must not need an engine that may have died.
    this.person = pump.ask((room) => room.person()) ?? "";
    this.set({});
  }

  /** What this page shows now. */
  get(): Presence {
    return this.#mine;
  }

  /** Changes what this page shows; a name and a colour also stand beside its posts. Throws if it is out of bounds; what was shown before stays. */
  set(change: Partial<Presence>): void {
    const mine = { ...this.#mine, ...change };
    this.#pump.passing((room, mono, wall) =>
      room.setPresence(
        mine.name,
        mine.colour,
        mine.status,
        mine.cursor === null ? null : plainCursor(mine.cursor),
        mine.typing ?? undefined,
        mono,
        wall,
      ),
    );
    if (mine.name !== this.#mine.name || mine.colour !== this.#mine.colour) this.#introduce(mine);
    this.#mine = mine;
  }

  #introduce({ name, colour }: Presence): void {
    this.#pump.passing((room) => room.setPerson(this.myself.key, name, colour));
  }

  /** @internal */
  look(): void {
    this.#others.set(this.#pump.ask((room) => room.others()) as Person[]);
  }
}

function plainCursor({ stream, anchor, head }: Cursor): { stream: string; anchor: PlainAnchor; head: PlainAnchor } {
  return { stream, anchor: plainAnchor(anchor), head: plainAnchor(head) };
}

type PlainAnchor = { side: Anchor["side"]; item?: [number, number] };

function plainAnchor({ side, item }: Anchor): PlainAnchor {
  return item === undefined ? { side } : { side, item: [item[0], item[1]] };
}

/** Neither too dark nor too light to be seen on both backgrounds. */
function someColour(): number {
  const [red = 0, green = 0, blue = 0] = crypto.getRandomValues(new Uint8Array(3));
  const middle = (part: number): number => 0x40 + (part >> 1);
  return (middle(red) << 16) | (middle(green) << 8) | middle(blue);
}
