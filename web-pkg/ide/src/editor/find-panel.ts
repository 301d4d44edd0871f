import { SearchQuery, closeSearchPanel, findNext, findPrevious, getSearchQuery, openSearchPanel, replaceAll, replaceNext, search, setSearchQuery } from "@codemirror/search";
import { Prec, type Extension } from "@codemirror/state";
import { EditorView, keymap, runScopeHandlers, type Panel, type ViewUpdate } from "@codemirror/view";
import { SHAPES, type IconName } from "../parts/icon.tsx";
import { countWords, matchesIn, type Matches } from "./matches.ts";

/** Finding and replacing in a text, in a bar above it. */
export const finding: Extension = [
  search({ top: true, createPanel: (view) => new FindPanel(view) }),
  Prec.high(keymap.of([{ key: "Ctrl-h", mac: "Cmd-Alt-f", run: openReplace, scope: "editor search-panel" }])),
];

/** Opens the bar, or goes back to its field. */
export function find(view: EditorView): void {
  openSearchPanel(view);
}

function openReplace(view: EditorView): boolean {
  wantsReplace = true;
  openSearchPanel(view);
  view.dom.querySelector<HTMLElement>(".find")?.dispatchEvent(new Event(SHOW_REPLACE));
  return true;
}

class FindPanel implements Panel {
  readonly dom = document.createElement("search");
  readonly top = true;
  readonly #view: EditorView;
  readonly #words: HTMLInputElement;
  readonly #instead: HTMLInputElement;
  readonly #count = document.createElement("output");
  readonly #toggles: Readonly<Record<Toggle, HTMLButtonElement>>;
  readonly #more: HTMLButtonElement;
  readonly #replaceRow: HTMLElement;
  #query: SearchQuery;
  #matches: Matches | null = null;
  #counting: ReturnType<typeof setTimeout> | undefined;

  constructor(view: EditorView) {
    this.#view = view;
    this.#query = getSearchQuery(view.state);
    const commit = (): void => this.#commit();
    this.#words = field("Find in this text", commit);
    this.#words.setAttribute("main-field", "true");
    this.#instead = field("Replace with", commit);
    const toggle = (sign: string, label: string): HTMLButtonElement => {
      const made = button(label, "", () => {
        made.setAttribute("aria-pressed", String(made.getAttribute("aria-pressed") !== "true"));
        this.#commit();
      });
      made.classList.add("find-toggle");
      // For the eye: the style sheet draws it.
      made.dataset["sign"] = sign;
      return made;
    };
    this.#toggles = {
      caseSensitive: toggle("Aa", "Match capital letters"),
      wholeWord: toggle("“a”", "Whole words only"),
      regexp: toggle(".*", "Regular expression"),
    };
    this.#more = button("Replace as well", drawn("chevron"), () => this.#showReplace(this.#replaceRow.hidden));
    this.#more.classList.add("find-more");
    this.#count.className = "find-count";
    const box = row("find-field", this.#words, this.#count);
    const steps = [
      button("Previous match", drawn("up"), () => findPrevious(view)),
      button("Next match", drawn("down"), () => findNext(view)),
    ];
    const close = button("Close", drawn("close"), () => closeSearchPanel(view));
    const one = button("Replace", "Replace", () => replaceNext(view));
    const all = button("Replace all", "All", () => replaceAll(view));
    for (const wide of [one, all]) wide.className = "button";
    this.#replaceRow = row("find-row replacing", row("find-field", this.#instead), one, all);
    const first = row("find-row", this.#more, box, row("find-toggles", ...Object.values(this.#toggles)), ...steps, close);
    this.dom.className = "find";
    this.dom.setAttribute("aria-label", "Find in this text");
    this.dom.append(first, this.#replaceRow);
    this.dom.addEventListener("keydown", (event) => this.#obey(event));
    this.dom.addEventListener(SHOW_REPLACE, () => this.#showReplace(true));
    this.#more.hidden = view.state.readOnly;
    this.#showReplace(wantsReplace && !view.state.readOnly);
    this.#show(this.#query);
    this.#countSoon();
  }

  mount(): void {
    this.#words.focus();
    this.#words.select();
  }

  update(update: ViewUpdate): void {
    for (const effect of update.transactions.flatMap((transaction) => transaction.effects)) {
      if (effect.is(setSearchQuery) && !effect.value.eq(this.#query)) this.#show(effect.value);
    }
    if (update.docChanged) this.#countSoon();
    else if (update.selectionSet) this.#tellCount();
  }

  destroy(): void {
    clearTimeout(this.#counting);
  }

  #commit(): void {
    const isOn = (toggle: HTMLElement): boolean => toggle.getAttribute("aria-pressed") === "true";
    const query = new SearchQuery({
      search: this.#words.value,
      replace: this.#instead.value,
      caseSensitive: isOn(this.#toggles.caseSensitive),
      wholeWord: isOn(this.#toggles.wholeWord),
      regexp: isOn(this.#toggles.regexp),
      // What is typed is what is looked for: a backslash is one.
      literal: !isOn(this.#toggles.regexp),
    });
    if (query.eq(this.#query)) return;
    this.#query = query;
    this.#view.dispatch({ effects: setSearchQuery.of(query) });
    this.#countSoon();
  }

  /** Shows a query that was made elsewhere, such as what was selected as the bar was opened. */
  #show(query: SearchQuery): void {
    this.#query = query;
    this.#words.value = query.search;
    this.#instead.value = query.replace;
    for (const [name, toggle] of Object.entries(this.#toggles)) {
      toggle.setAttribute("aria-pressed", String(query[name as Toggle]));
    }
    this.#countSoon();
  }

  #showReplace(isShown: boolean): void {
    wantsReplace = isShown;
    this.#replaceRow.hidden = !isShown;
    this.#more.setAttribute("aria-expanded", String(isShown));
  }

  /** A long text is looked through once somebody rests. */
  #countSoon(): void {
    this.#matches = null;
    clearTimeout(this.#counting);
    this.#counting = setTimeout(() => {
      this.#matches = matchesIn(this.#view.state, this.#query);
      this.#tellCount();
    }, REST_MS);
  }

  #tellCount(): void {
    const { from, to } = this.#view.state.selection.main;
    const isWrong = this.#query.search !== "" && !this.#query.valid;
    this.#words.setAttribute("aria-invalid", String(isWrong));
    if (isWrong) this.#count.textContent = "No regular expression";
    else if (this.#matches !== null) this.#count.textContent = countWords(this.#matches, from, to);
  }

  #obey(event: KeyboardEvent): void {
    // It chooses a candidate of an input method.
    if (event.isComposing || event.keyCode === 229) return;
    const isEnter = event.key === "Enter";
    if (runScopeHandlers(this.#view, event, "search-panel")) event.preventDefault();
    else if (isEnter && event.target === this.#words) (event.shiftKey ? findPrevious : findNext)(this.#view);
    else if (isEnter && event.target === this.#instead) replaceNext(this.#view);
    else return;
    event.preventDefault();
  }
}

type Toggle = "caseSensitive" | "wholeWord" | "regexp";

function field(label: string, onInput: () => void): HTMLInputElement {
  const made = document.createElement("input");
  Object.assign(made, { type: "text", placeholder: label, autocomplete: "off", spellcheck: false });
  made.setAttribute("aria-label", label);
  made.setAttribute("autocapitalize", "none");
  made.addEventListener("input", onInput);
  return made;
}

function button(label: string, content: string | Element, onClick: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "icon-button small";
  made.title = label;
  if (content !== label) made.setAttribute("aria-label", label);
  made.append(content);
  made.addEventListener("click", onClick);
  return made;
}

function row(className: string, ...children: readonly Element[]): HTMLElement {
  const made = document.createElement("div");
  made.className = className;
  made.append(...children);
  return made;
}

/** The same drawings as elsewhere on the page. */
function drawn(name: IconName): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { width: 16, height: 16, viewBox: "0 0 20 20", fill: "none", stroke: "currentColor", "stroke-width": 1.7, "aria-hidden": true };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, String(value));
  for (const shape of SHAPES[name].split("|")) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", shape);
    svg.append(path);
  }
  return svg;
}

const SVG = "http://www.w3.org/2000/svg";
const SHOW_REPLACE = "causeway-show-replace";
/** Longer than between two keys of somebody who types. */
const REST_MS = 120;
/** Whoever replaced last will most likely replace next; until the page is closed. */
let wantsReplace = false;
