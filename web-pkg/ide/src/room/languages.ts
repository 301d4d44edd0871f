import type { Extension } from "@codemirror/state";

/** A language the editor knows. */
export interface Language {
  readonly name: string;
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
    endings: ["js", "mjs", "cjs", "jsx"],
    load: async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true }),
  },
  {
    name: "TypeScript",
    endings: ["ts", "mts", "cts"],
    load: async () => (await import("@codemirror/lang-javascript")).javascript({ typescript: true }),
  },
  {
    name: "TypeScript",
    endings: ["tsx"],
    load: async () => (await import("@codemirror/lang-javascript")).javascript({ typescript: true, jsx: true }),
  },
  { name: "Python", endings: ["py", "pyw"], load: async () => (await import("@codemirror/lang-python")).python() },
  { name: "Rust", endings: ["rs"], load: async () => (await import("@codemirror/lang-rust")).rust() },
  { name: "HTML", endings: ["html", "htm"], load: async () => (await import("@codemirror/lang-html")).html() },
  { name: "CSS", endings: ["css"], load: async () => (await import("@codemirror/lang-css")).css() },
  { name: "JSON", endings: ["json", "webmanifest"], load: async () => (await import("@codemirror/lang-json")).json() },
  {
    name: "Markdown",
    endings: ["md", "markdown"],
    load: async () => (await import("@codemirror/lang-markdown")).markdown(),
  },
];

const ENDINGS = new Map(LANGUAGES.flatMap((language) => language.endings.map((ending) => [ending, language] as const)));
