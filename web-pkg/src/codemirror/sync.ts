import { Annotation, Transaction, type TransactionSpec } from "@codemirror/state";
import { EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Delta, Editor, Text, TextEvent, Unsubscribe } from "../client/index.js";
import { changesOf, deltaOf, reachOf, replacement } from "./deltas.js";

const FROM_TEXT = Annotation.define<true>();

/** Whether the text stands behind a change of the view. */
export function isFromText(transaction: Transaction): boolean {
  return transaction.annotation(FROM_TEXT) === true;
}

/** The plugin that keeps a view and a text equal. */
export type SyncPlugin = ViewPlugin<Sync>;

export function sync(text: Text, editor: Editor | undefined): SyncPlugin {
  return ViewPlugin.define((view) => new Sync(view, text, editor));
}

/**
 * A change made in the view goes to the text at once; a change of the text comes as one transaction, never while the
 * view is being updated. Should the two ever differ, the view is read anew.
 */
export class Sync {
  readonly #unsubscribe: Unsubscribe;
  readonly #ownsEditor: boolean;
  #editor: Editor | undefined;
  #isStarting = true;
  #isDestroyed = false;
  #isMending = false;
  /** Changes of the view whose events are to come. */
  #written = 0;
  #showsChange = false;

  constructor(
    private readonly view: EditorView,
    private readonly text: Text,
    editor: Editor | undefined,
  ) {
    this.#editor = editor;
    this.#ownsEditor = editor === undefined;
    this.#unsubscribe = text.subscribe((event) => this.#take(event));
    this.#isStarting = false;
  }

  /** The session the view writes under; it begins with the text. */
  get editor(): Editor | undefined {
    if (this.#editor === undefined && this.text.isOpen && !this.#isDestroyed) this.#editor = this.text.editor();
    return this.#editor;
  }

  undo(): boolean {
    return (this.#showsChange = this.editor?.undo() ?? false);
  }

  redo(): boolean {
    return (this.#showsChange = this.editor?.redo() ?? false);
  }

  update(update: ViewUpdate): void {
    for (const transaction of update.transactions) {
      if (isFromText(transaction)) continue;
      if (transaction.docChanged) this.#write(deltaOf(transaction.changes));
      else if (transaction.isUserEvent("select")) this.editor?.endStep();
    }
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#unsubscribe();
    if (this.#ownsEditor) this.#editor?.close();
  }

  #write(delta: Delta): void {
    this.#showsChange = false;
    try {
      this.editor?.applyDelta(delta);
      this.#written += delta.filter((step) => !("retain" in step)).length;
      if (this.text.length === this.view.state.doc.length) return;
    } catch {
      // The text has moved on under the view; what was typed there cannot be placed.
    }
    this.#mend();
  }

  #take(event: TextEvent): void {
    if (this.#isDestroyed) return;
    if (event.type === "reset") {
      this.#written = 0;
      if (this.#isStarting) this.#mendIfDifferent(event.text);
      else this.#show(event.text);
      return;
    }
    if (event.editor !== undefined && event.editor === this.#editor?.id) return this.#passOwn();
    if (reachOf(event.delta) > this.view.state.doc.length) return this.#mend();
    const changes = this.view.state.changes(changesOf(event.delta));
    const spec: TransactionSpec = { changes, annotations: ANNOTATIONS };
    if (this.#showsChange && event.editor === undefined) {
      let end = 0;
      changes.iterChangedRanges((_from, _to, _fromNew, toNew) => (end = toNew));
      this.view.dispatch({ ...spec, selection: { anchor: end }, scrollIntoView: true });
      this.#showsChange = false;
    } else {
      this.view.dispatch(spec);
    }
  }

  /** A change under the view's own editor: it stands in the view already, unless the app has used the editor beside it. */
  #passOwn(): void {
    const isOfView = this.#written > 0;
    this.#written = Math.max(0, this.#written - 1);
    if (!isOfView || this.text.length !== this.view.state.doc.length) this.#mend();
  }

  #mendIfDifferent(text: string): void {
    const { doc } = this.view.state;
    if (doc.length !== text.length || doc.toString() !== text) this.#mend();
  }

  /** Reads the text anew once no update is under way. */
  #mend(): void {
    if (this.#isMending) return;
    this.#isMending = true;
    queueMicrotask(() => {
      this.#isMending = false;
      if (!this.#isDestroyed && this.text.isOpen) this.#show(this.text.toString());
    });
  }

  #show(text: string): void {
    const before = this.view.state.doc.toString();
    if (before === text) return;
    this.view.dispatch({ changes: replacement(before, text), annotations: ANNOTATIONS });
  }
}

const ANNOTATIONS = [FROM_TEXT.of(true), Transaction.remote.of(true), Transaction.addToHistory.of(false)];
