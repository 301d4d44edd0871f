import { parted } from "../files/shown-files.ts";

/** Where work goes whose own file is gone: beside it, under a name nobody has. */
export function keptPath(path: string | undefined, taken: readonly string[]): string {
  if (path === undefined) return keptPath("work.md", taken);
  const { folder, name } = parted(path);
  const dot = name.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  for (let nth = 1; ; nth += 1) {
    const kept = `${folder}${stem} (kept${nth === 1 ? "" : ` ${nth}`})${ending}`;
    if (!taken.includes(kept)) return kept;
  }
}
