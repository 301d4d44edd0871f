import type { ReactElement } from "react";

/** A text with the letters that answered a query set off. */
export function Marked({ text, hits }: { readonly text: string; readonly hits: readonly number[] }): ReactElement {
  const marked = new Set(hits);
  return (
    <span className="marked">
      {Array.from({ length: text.length }, (_, at) => at)
        .reduce<{ isHit: boolean; letters: string }[]>((runs, at) => {
          const isHit = marked.has(at);
          const last = runs.at(-1);
          if (last?.isHit === isHit) last.letters += text[at] ?? "";
          else runs.push({ isHit, letters: text[at] ?? "" });
          return runs;
        }, [])
        .map(({ isHit, letters }, place) => (isHit ? <b key={place}>{letters}</b> : letters))}
    </span>
  );
}
