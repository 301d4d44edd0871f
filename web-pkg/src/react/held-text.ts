import type { Room, SaveStatus, StreamId, Text, Unsubscribe } from "../client/index.js";

/** A text that is being opened or is open. */
export interface OpenText {
  /** `null` while no mounted component holds it. */
  readonly text: Text | null;
  readonly isOpen: boolean;
}

/** The same with its characters at one moment. */
export interface TextValue extends OpenText {
  readonly value: string;
}

export const NOTHING_OPEN: OpenText = { text: null, isOpen: false };

/** The one holder of a text for all components of a room. */
export function heldText(room: Room, id: StreamId): HeldText {
  let texts = byRoom.get(room);
  if (texts === undefined) byRoom.set(room, (texts = new Map()));
  let held = texts.get(id);
  if (held === undefined) texts.set(id, (held = new HeldText(room, id)));
  return held;
}

/**
 * Opens the text with its first reader and releases it `GRACE_MS` after the last one left. Snapshots are immutable and
 * made at most once per change.
 */
export class HeldText {
  readonly #room: Room;
  readonly #id: StreamId;
  readonly #readers = { open: new Set<() => void>(), value: new Set<() => void>(), status: new Set<() => void>() };
  #text: Text | null = null;
  #subscriptions: Unsubscribe[] = [];
  #leaving: ReturnType<typeof setTimeout> | undefined;
  #open: OpenText = NOTHING_OPEN;
  #value: TextValue | null = null;

  constructor(room: Room, id: StreamId) {
    this.#room = room;
    this.#id = id;
  }

  open(): OpenText {
    return this.#open;
  }

  value(): TextValue {
    this.#value ??= { ...this.#open, value: this.#open.isOpen ? (this.#open.text?.toString() ?? "") : "" };
    return this.#value;
  }

  status(): SaveStatus | null {
    return this.#open.isOpen ? (this.#open.text?.status.get() ?? null) : null;
  }

  onOpen(reader: () => void): Unsubscribe {
    return this.#read(this.#readers.open, reader);
  }

  onValue(reader: () => void): Unsubscribe {
    return this.#read(this.#readers.value, reader);
  }

  onStatus(reader: () => void): Unsubscribe {
    return this.#read(this.#readers.status, reader);
  }

  #read(readers: Set<() => void>, reader: () => void): Unsubscribe {
    clearTimeout(this.#leaving);
    readers.add(reader);
    this.#hold();
    return () => {
      if (!readers.delete(reader) || this.#isRead()) return;
      clearTimeout(this.#leaving);
      this.#leaving = setTimeout(() => this.#release(), GRACE_MS);
    };
  }

  #isRead(): boolean {
    return Object.values(this.#readers).some((readers) => readers.size > 0);
  }

  #hold(): void {
    if (this.#text !== null) return;
    const text = this.#room.text(this.#id);
    this.#text = text;
    this.#show({ text, isOpen: text.isOpen });
    this.#subscriptions = [
      // The first event is a reset and says that the text is open.
      text.subscribe(() => this.#changed(text)),
      text.status.subscribe(() => tell(this.#readers.status)),
    ];
  }

  #changed(text: Text): void {
    this.#value = null;
    if (this.#open.text !== text || !this.#open.isOpen) this.#show({ text, isOpen: true });
    else tell(this.#readers.value);
  }

  #release(): void {
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe();
    this.#text?.release();
    this.#text = null;
    this.#show(NOTHING_OPEN);
  }

  #show(open: OpenText): void {
    this.#open = open;
    this.#value = null;
    tell(this.#readers.open);
    tell(this.#readers.value);
    tell(this.#readers.status);
  }
}

function tell(readers: Set<() => void>): void {
  for (const reader of [...readers]) reader();
}

/** Longer than StrictMode needs to mount again and a person to go back to the file just left. */
const GRACE_MS = 1_000;

const byRoom = new WeakMap<Room, Map<StreamId, HeldText>>();
