import type { Extension } from "@codemirror/state";

/** A language the editor knows. */
export interface Language {
  readonly name: string;
  /** Two or three characters that stand for it where there is no room for its name. */
  readonly sign: string;
  /** Fetches its grammar, which is in a file of its own. */
  load(): Promise<Extension>;
}

/** The language of a file by the ending of its name. */
export function languageOf(path: string): Language | null {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const dot = name.lastIndexOf(".");
  return dot < 0 ? null : (ENDINGS.get(name.slice(dot + 1)) ?? null);
}

const LANGUAGES: readonly (Language & { readonly endings: readonly string[] })[] = [
  {
    name: "JavaScript",
    sign: "JS",
    endings: ["js", "mjs", "cjs", "jsx"],
    load: async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true }),
  },
  {
    name: "TypeScript",
    sign: "TS",
    endings: ["ts", "mts", "cts"],
    load: async () => (await import("@codemirror/lang-javascript")).javascript({ typescript: true }),
  },
  {
    name: "TypeScript",
    sign: "TS",
    endings: ["tsx"],
    load: async () => (await import("@codemirror/lang-javascript")).javascript({ typescript: true, jsx: true }),
  },
  { name: "Python",
    sign: "Py", endings: ["py", "pyw"], load: async () => (await import("@codemirror/lang-python")).python() },
  { name: "Rust",
    sign: "Rs", endings: ["rs"], load: async () => (await import("@codemirror/lang-rust")).rust() },
  { name: "HTML",
    sign: "<>", endings: ["html", "htm"], load: async () => (await import("@codemirror/lang-html")).html() },
  { name: "CSS",
    sign: "#", endings: ["css"], load: async () => (await import("@codemirror/lang-css")).css() },
  { name: "JSON",
    sign: "{}", endings: ["json", "webmanifest"], load: async () => (await import("@codemirror/lang-json")).json() },
  {
    name: "Markdown",
    sign: "M↓",
    endings: ["md", "markdown"],
    load: async () => (await import("@codemirror/lang-markdown")).markdown(),
  },
];

const ENDINGS = new Map(LANGUAGES.flatMap((language) => language.endings.map((ending) => [ending, language] as const)));
