import { Cell } from "./cell.js";
import type { Delta } from "./delta.js";
import { Editor } from "./editor.js";
import type { CausewayError } from "./errors.js";
import type { StreamId } from "./ids.js";
import type { Observable, Unsubscribe } from "./observable.js";
import type { Anchor, Side } from "./people.js";
import type { Pump, RoomEvent } from "./pump.js";
import { Ready } from "./ready.js";
import type { Receipts } from "./receipts.js";
import { canWrite, saveStatus, type SaveStatus, type StorageState } from "./states.js";
import { apart } from "./tell.js";

/** How a text changed. `editor` is the id of the editor that made the change on this page: it has it already. */
export type TextEvent =
  | { readonly type: "reset"; readonly text: string }
  | { readonly type: "delta"; readonly delta: Delta; readonly editor?: number };

interface Reader {
  /** Number of the newest event that stands already in what the reader was told first. */
  after: number;
  readonly callback: (event: TextEvent) => void;
}

/** A text that several people write. Positions and lengths are UTF-16 code units, as in JavaScript strings. */
export class Text {
  /** Resolves when the text can be read and written: this device's copy has been read. Rejects if the room is closed before. */
  readonly ready: Promise<void>;
  readonly status: Observable<SaveStatus>;
  /** Whether it takes edits. While the disk of this device is full, and once the room has ended, they could not be kept. */
  readonly writable: Observable<boolean>;
  /**
   * Whether the relay has told all it knew of the text, on the link there is. On a page that follows (see `Room.isLeading`) it is
   * true as soon as the page that leads has told what it has, which may be nothing yet.
   */
  readonly synced: Observable<boolean>;
  readonly #pump: Pump;
  readonly #ready = new Ready();
  readonly #status: Cell<SaveStatus>;
  readonly #writable: Cell<boolean>;
  readonly #synced = new Cell(false);
  readonly #readers = new Set<Reader>();
  readonly #editors = new Set<Editor>();
  #hasOpened = false;
  #holders = 0;

  /** @internal Use `Room.text`. */
  constructor(
    pump: Pump,
    readonly id: StreamId,
    private readonly storage: Observable<StorageState>,
    private readonly receipts: Receipts,
    private readonly nextEditor: () => number,
    private readonly onRelease: () => void,
  ) {
    this.#pump = pump;
    this.ready = this.#ready.promise;
    pump.passing((room) => room.openText(id));
    this.#status = new Cell(this.#readStatus());
    this.status = this.#status;
    this.#writable = new Cell(this.#canWrite());
    this.writable = this.#writable;
    this.synced = this.#synced;
    if (this.isOpen) this.#becomeReady();
    if (pump.refusal !== undefined) this.end(pump.refusal);
  }

  get isOpen(): boolean {
    return this.#pump.ask((room) => room.isOpen(this.id));
  }

  /** Throws while the text is not open. */
  get length(): number {
    return this.#pump.ask((room) => room.textLength(this.id));
  }

  /** The whole text; empty while it is not open. */
  toString(): string {
    return this.#pump.ask((room) => (room.isOpen(this.id) ? room.text(this.id) : ""));
  }

  /** Opens an editor on the text, which must be open. */
  editor(): Editor {
    const editor: Editor = new Editor(this.#pump, this, this.receipts, this.nextEditor(), () =>
      this.#editors.delete(editor),
    );
    this.#editors.add(editor);
    return editor;
  }

  /** The first event is a reset, told at once if the text is open and otherwise when it is. */
  subscribe(callback: (event: TextEvent) => void): Unsubscribe {
    const reader: Reader = { after: this.#pump.serial, callback };
    this.#readers.add(reader);
    if (this.isOpen) callback({ type: "reset", text: this.toString() });
    return () => this.#readers.delete(reader);
  }

  /** A place that stays where it is while others write. */
  anchor(index: number, side: Side): Anchor {
    return this.#pump.ask((room) => room.anchor(this.id, index, side));
  }

  /** Where a place is now; `null` if the text it stands in is not here. */
  resolve(anchor: Anchor): number | null {
    const plain = anchor.item === undefined ? { side: anchor.side } : { side: anchor.side, item: pair(anchor.item) };
    return this.#pump.ask((room) => room.resolve(this.id, plain)) ?? null;
  }

  /** Ends one holding of the text, begun with `Room.text`. It is let go once nobody holds, follows or edits it. */
  release(): void {
    this.#holders = Math.max(0, this.#holders - 1);
    this.onRelease();
  }

  /** @internal */
  hold(): this {
    this.#holders += 1;
    return this;
  }

  /** @internal Whether it is of no use to anybody any more. */
  get isIdle(): boolean {
    const isFollowed = this.#readers.size > 0 || [this.#status, this.#writable, this.#synced].some((cell) => cell.isRead);
    return this.#holders === 0 && this.#hasOpened && !isFollowed && this.#editors.size === 0;
  }

  /** @internal */
  take(event: Extract<RoomEvent, { type: "text" }>, serial: number): void {
    const told = textEvent(event);
    if (told === null) return;
    if (told.type === "reset") this.#becomeReady();
    for (const reader of [...this.#readers]) {
      if (serial > reader.after) apart(() => reader.callback(told));
    }
    for (const editor of this.#editors) editor.changed();
  }

  /** @internal Something was saved, or the disk has changed. */
  look(): void {
    this.#status.set(this.#readStatus());
    this.#lookWhetherWritable();
  }

  /** @internal Something in the room has changed. */
  lookAgain(): void {
    this.#synced.set(this.#pump.ask((room) => room.isSynced(this.id)));
  }

  /** @internal Nothing more is taken, and nothing more is read. */
  end(error: CausewayError): void {
    this.#ready.fail(error);
    this.#lookWhetherWritable();
  }

  #lookWhetherWritable(): void {
    const isWritable = this.#canWrite();
    if (isWritable === this.#writable.get()) return;
    this.#writable.set(isWritable);
    for (const editor of this.#editors) editor.changed();
  }

  #canWrite(): boolean {
    return this.#pump.refusal === undefined && canWrite(this.storage.get());
  }

  #becomeReady(): void {
    this.#hasOpened = true;
    this.#ready.reach();
  }

  #readStatus(): SaveStatus {
    return saveStatus(
      this.#pump.ask((room) => room.saveStatus(this.id)),
      this.storage.get(),
    );
  }
}

function textEvent({ delta, editor, text }: Extract<RoomEvent, { type: "text" }>): TextEvent | null {
  if (delta === undefined) return text === undefined ? null : { type: "reset", text };
  return editor === undefined ? { type: "delta", delta } : { type: "delta", delta, editor };
}

function pair([author, clock]: readonly [number, number]): [number, number] {
  return [author, clock];
}
