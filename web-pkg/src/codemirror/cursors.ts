import { RangeSet, StateEffect, type Extension, type Range } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import type { PresenceLane, Text, Unsubscribe } from "../client/index.js";
import { Caret } from "./caret.js";
import { NamesShown } from "./names.js";
import { isFromText } from "./sync.js";

const OTHERS_MOVED = StateEffect.define<null>();

/** Shows where the others are in the text, and tells them where this view's caret is. */
export function cursors(text: Text, presence: PresenceLane): Extension {
  const plugin = ViewPlugin.define((view) => new Cursors(view, text, presence), {
    decorations: (cursors) => cursors.decorations,
  });
  return [plugin, LOOK];
}

class Cursors {
  decorations: DecorationSet = RangeSet.empty;
  readonly #unsubscribe: Unsubscribe;
  readonly #names = new NamesShown();
  #idle: ReturnType<typeof setTimeout> | undefined;
  #isDestroyed = false;

  constructor(
    view: EditorView,
    private readonly text: Text,
    private readonly presence: PresenceLane,
  ) {
    this.#unsubscribe = presence.others.subscribe(() => {
      if (!this.#isDestroyed) view.dispatch({ effects: OTHERS_MOVED.of(null) });
    });
    this.decorations = this.#place(view);
  }

  update(update: ViewUpdate): void {
    if (update.docChanged) this.#names.map((head) => update.changes.mapPos(head, -1), update.state.doc);
    const moved = update.transactions.some((transaction) => transaction.effects.some((effect) => effect.is(OTHERS_MOVED)));
    if (moved || update.docChanged) this.decorations = this.#place(update.view);
    if (moved || update.docChanged || update.geometryChanged) keepNamesInSight(update.view);
    const wrote = update.transactions.some((transaction) => transaction.docChanged && !isFromText(transaction));
    if (wrote) this.#tellTyping();
    if (wrote || update.selectionSet || update.focusChanged) this.#tell(update.view);
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#unsubscribe();
    clearTimeout(this.#idle);
    if (this.presence.get().cursor?.stream === this.text.id) this.presence.set({ cursor: null, typing: null });
  }

  #tell(view: EditorView): void {
    const { doc, selection } = view.state;
    // While the text is ahead of the view, a position of the view means nothing to it; the next update tells.
    if (!view.hasFocus || !this.text.isOpen || this.text.length !== doc.length) return;
    const { anchor, head } = selection.main;
    const at = (index: number) => this.text.anchor(index, "before");
    this.presence.set({ cursor: { stream: this.text.id, anchor: at(anchor), head: at(head) } });
  }

  #tellTyping(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      const isEditing = this.presence.get().status === "editing";
      this.presence.set(isEditing ? { typing: null, status: "idle" } : { typing: null });
    }, TYPING_MS);
    if (this.presence.get().typing !== this.text.id) this.presence.set({ typing: this.text.id, status: "editing" });
  }

  #place(view: EditorView): DecorationSet {
    const ranges: Range<Decoration>[] = [];
    const { doc } = view.state;
    const end = doc.length;
    const here = new Set<number>();
    for (const person of this.presence.others.get()) {
      if (person.cursor?.stream !== this.text.id) continue;
      const anchor = this.text.resolve(person.cursor.anchor);
      const head = this.text.resolve(person.cursor.head);
      if (anchor === null || head === null) continue;
      const from = Math.min(anchor, head, end);
      const to = Math.min(Math.max(anchor, head), end);
      const colour = `#${person.colour.toString(16).padStart(6, "0")}`;
      if (from < to) {
        const attributes = { style: `background-color: ${colour}40` };
        ranges.push(Decoration.mark({ class: "causeway-selection", attributes }).range(from, to));
      }
      const at = Math.min(head, end);
      const widget = new Caret(person.name, colour, this.#names.at(person.id, at, doc, Date.now()));
      ranges.push(Decoration.widget({ widget, side: 1 }).range(at));
      here.add(person.id);
    }
    this.#names.keepOnly(here);
    return Decoration.set(ranges, true);
  }
}

/** A name that would be cut by the right edge stands to the left of its caret, and none is wider than half of the text. */
function keepNamesInSight(view: EditorView): void {
  view.requestMeasure({
    key: keepNamesInSight,
    read: () => {
      const width = view.scrollDOM.clientWidth;
      const most = Math.floor(Math.min(NAME_MOST, width * NAME_SHARE));
      const edge = view.scrollDOM.getBoundingClientRect().left + width;
      const carets = [...view.contentDOM.querySelectorAll<HTMLElement>(".causeway-caret")].map((caret) => {
        const name = Math.min(most, caret.querySelector<HTMLElement>(".causeway-caret-name")?.scrollWidth ?? 0);
        return { caret, isCut: caret.getBoundingClientRect().left + name > edge };
      });
      return { most, carets };
    },
    write: ({ most, carets }) => {
      view.dom.style.setProperty("--causeway-name-most", `${most}px`);
      for (const { caret, isCut } of carets) caret.classList.toggle("causeway-caret-turned", isCut);
    },
  });
}

/** After this pause a person is no longer typing. */
const TYPING_MS = 3_000;
/** Pixels: a first and a family name of most people. */
const NAME_MOST = 220;
/** Of the editor's width: wherever the caret stands, there is as much on one of its sides. */
const NAME_SHARE = 0.45;

const LOOK = EditorView.baseTheme({
  ".causeway-caret": {
    position: "relative",
    borderLeft: "2px solid var(--causeway-colour)",
    marginLeft: "-1px",
    marginRight: "-1px",
  },
  // As wide as a pointer needs to find it.
  ".causeway-caret::after": { content: "''", position: "absolute", inset: "0 -5px" },
  ".causeway-caret-name": {
    position: "absolute",
    bottom: "100%",
    left: "-2px",
    boxSizing: "border-box",
    maxWidth: `var(--causeway-name-most, ${NAME_MOST}px)`,
    overflow: "hidden",
    textOverflow: "ellipsis",
    padding: "0 4px",
    borderRadius: "3px 3px 3px 0",
    backgroundColor: "var(--causeway-colour)",
    color: "white",
    font: "600 11px/1.4 system-ui, sans-serif",
    whiteSpace: "nowrap",
    pointerEvents: "none",
    zIndex: "10",
    animation: "causeway-name-leaves 500ms ease-in 2.5s forwards",
  },
  ".causeway-caret:hover .causeway-caret-name": { animation: "none" },
  "@keyframes causeway-name-leaves": { to: { opacity: "0" } },
  ".causeway-caret-turned .causeway-caret-name": { left: "auto", right: "0", borderRadius: "3px 3px 0 3px" },
  // Above the first line there is no room.
  ".cm-line:first-child .causeway-caret-name": { bottom: "auto", top: "100%", borderRadius: "0 3px 3px 3px" },
  ".cm-line:first-child .causeway-caret-turned .causeway-caret-name": { borderRadius: "3px 0 3px 3px" },
});
