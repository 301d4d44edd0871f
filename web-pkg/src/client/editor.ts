import type { Delta } from "./delta.js";
import type { StreamId } from "./ids.js";
import { CausewayError } from "./errors.js";
import type { Observable, Unsubscribe } from "./observable.js";
import type { Pump } from "./pump.js";
import type { Receipt } from "./receipt.js";
import type { Receipts } from "./receipts.js";
import { tell } from "./tell.js";

/** A view on a text: the origin of its changes and the owner of an undo stack, which holds only what was written here. */
export class Editor {
  readonly #readers = new Set<() => void>();
  #isClosed = false;

  /** @internal Use `Text.editor`. */
  constructor(
    private readonly pump: Pump,
    private readonly text: { readonly id: StreamId; readonly writable: Observable<boolean> },
    private readonly receipts: Receipts,
    /** Stands in the events of this editor's changes. */
    readonly id: number,
    private readonly onClose: () => void,
  ) {
    pump.passing((room) => room.openEditor(text.id, id));
  }

  get canUndo(): boolean {
    return this.#takesEdits && this.pump.ask((room) => room.canUndo(this.text.id, this.id));
  }

  get canRedo(): boolean {
    return this.#takesEdits && this.pump.ask((room) => room.canRedo(this.text.id, this.id));
  }

  /** Changes the text at once. Throws if the delta reaches behind the text's end, or the text is not writable; nothing is
   * then applied. */
  applyDelta(delta: Delta): Receipt {
    if (!this.text.writable.get()) throw this.pump.refusal ?? new CausewayError("disk-full", DISK_FULL);
    const edit = this.pump.command((room, mono, wall) => room.applyDelta(this.text.id, this.id, delta, mono, wall));
    this.changed();
    return this.receipts.of(this.text.id, edit);
  }

  /** Takes back the last step; `false`: there is none. The text's event of it carries no editor. */
  undo(): boolean {
    if (!this.#takesEdits) return false;
    const edit = this.pump.command((room, mono, wall) => room.undo(this.text.id, this.id, mono, wall));
    this.changed();
    return edit !== undefined;
  }

  /** Makes the step last taken back again; `false`: there is none. */
  redo(): boolean {
    if (!this.#takesEdits) return false;
    const edit = this.pump.command((room, mono, wall) => room.redo(this.text.id, this.id, mono, wall));
    this.changed();
    return edit !== undefined;
  }

  /** What follows is a new undo step. */
  endStep(): void {
    this.pump.passing((room) => room.endUndoStep(this.text.id, this.id));
  }

  /** Called after anything that may have changed `canUndo` or `canRedo`. */
  subscribe(callback: () => void): Unsubscribe {
    const reader = (): void => callback();
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.pump.passing((room) => room.closeEditor(this.text.id, this.id));
    this.#readers.clear();
    this.onClose();
  }

  get #takesEdits(): boolean {
    return !this.#isClosed && this.text.writable.get();
  }

  /** @internal */
  changed(): void {
    tell(this.#readers, undefined);
  }
}

const DISK_FULL = "The disk of this device is full: the text takes no edits.";
