import type { Delta } from "./delta.js";
import type { StreamId } from "./ids.js";
import type { Unsubscribe } from "./observable.js";
import type { Pump } from "./pump.js";
import type { Receipt } from "./receipt.js";
import type { Receipts } from "./receipts.js";

/** A view on a text: the origin of its changes and the owner of an undo stack, which holds only what was written here. */
export class Editor {
  readonly #readers = new Set<() => void>();
  #isClosed = false;

  /** @internal Use `Text.editor`. */
  constructor(
    private readonly pump: Pump,
    private readonly stream: StreamId,
    private readonly receipts: Receipts,
    /** Stands in the events of this editor's changes. */
    readonly id: number,
    private readonly onClose: () => void,
  ) {
    pump.command((room) => room.openEditor(stream, id));
  }

  get canUndo(): boolean {
    return !this.#isClosed && this.pump.ask((room) => room.canUndo(this.stream, this.id));
  }

  get canRedo(): boolean {
    return !this.#isClosed && this.pump.ask((room) => room.canRedo(this.stream, this.id));
  }

  /** Changes the text at once. Throws if the delta reaches behind the text's end; nothing is then applied. */
  applyDelta(delta: Delta): Receipt {
    const edit = this.pump.command((room, mono, wall) => room.applyDelta(this.stream, this.id, delta, mono, wall));
    this.changed();
    return this.receipts.of(edit);
  }

  /** Takes back the last step; `false`: there is none. The text's event of it carries no editor. */
  undo(): boolean {
    const edit = this.pump.command((room, mono, wall) => room.undo(this.stream, this.id, mono, wall));
    this.changed();
    return edit !== undefined;
  }

  /** Makes the step last taken back again; `false`: there is none. */
  redo(): boolean {
    const edit = this.pump.command((room, mono, wall) => room.redo(this.stream, this.id, mono, wall));
    this.changed();
    return edit !== undefined;
  }

  /** What follows is a new undo step. */
  endStep(): void {
    this.pump.command((room) => room.endUndoStep(this.stream, this.id));
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
    this.pump.command((room) => room.closeEditor(this.stream, this.id));
    this.#readers.clear();
    this.onClose();
  }

  /** @internal */
  changed(): void {
    for (const reader of [...this.#readers]) reader();
  }
}
