/** The examples of a Markdown page. */
import { readFileSync } from "node:fs";

export interface Example {
  /** Line of its first line in the page. */
  readonly line: number;
  readonly language: "ts" | "tsx";
  readonly code: string;
}

/** The fenced blocks whose language is `ts` or `tsx`. */
export function examplesOf(page: string): Example[] {
  const examples: Example[] = [];
  let open: { line: number; language: string; lines: string[] } | undefined;
  for (const [at, line] of readFileSync(page, "utf8").split("\n").entries()) {
    if (!line.startsWith("```")) {
      open?.lines.push(line);
      continue;
    }
    if (open === undefined) {
      open = { line: at + 2, language: line.slice("```".length).trim(), lines: [] };
      continue;
    }
    const { language } = open;
    // Lines keep their numbers, so that a fault is found in the page.
    if (language === "ts" || language === "tsx") examples.push({ line: open.line, language, code: open.lines.join("\n") });
    open = undefined;
  }
  return examples;
}
