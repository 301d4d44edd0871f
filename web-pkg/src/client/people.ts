import type { StreamId } from "./ids.js";

/** What a person is doing. */
export type Activity = "editing" | "idle" | "running" | "away";

/** A place in a text that stays where it is while others write. Opaque: it comes from `Text.anchor`. */
export interface Anchor {
  /** Author and number of the character; absent for an end of the text. */
  readonly item?: readonly [author: number, clock: number];
  readonly side: Side;
}

/** Which neighbour a place sticks to when somebody writes exactly there. */
export type Side = "before" | "after";

/** A selection: `anchor` is where it began, `head` where the caret stands. */
export interface Cursor {
  readonly stream: StreamId;
  readonly anchor: Anchor;
  readonly head: Anchor;
}

/** What one person shows to the others. */
export interface Presence {
  /** At most 64 bytes of UTF-8. */
  readonly name: string;
  /** `0xRRGGBB`. */
  readonly colour: number;
  readonly status: Activity;
  readonly cursor: Cursor | null;
  readonly typing: StreamId | null;
}

/** Somebody else who is here: another person, or another page of the same one. */
export interface Person extends Presence {
  /** Given by the relay; lasts as long as their link. */
  readonly id: number;
  /** The person, as proven to the relay: 64 hex digits, the same on all their pages; `null` if they proved none. */
  readonly person: string | null;
}

/** Whom a page speaks for. */
export interface Myself {
  /** 32 bytes; whoever has them can speak in the person's name. */
  readonly key: Uint8Array;
  readonly name: string;
  /** `0xRRGGBB`; a random one if there is none. */
  readonly colour: number | undefined;
}
