/** What a door costs an app, without the WebAssembly and the worker, which are files of their own. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { minifySync, parseSync } from "vite";

/** All files of the package that a module loads, itself included. */
function loadedBy(entry: string, found = new Set<string>()): Set<string> {
  if (found.has(entry)) return found;
  found.add(entry);
  const { module } = parseSync(entry, readFileSync(entry, "utf8"));
  const named = [...module.staticImports, ...module.staticExports.flatMap(({ entries }) => entries)].flatMap((one) =>
    one.moduleRequest ? [one.moduleRequest.value] : [],
  );
  for (const name of named.filter((name) => name.startsWith("."))) loadedBy(join(dirname(entry), name), found);
  return found;
}

/**
 * Bytes after minifying file by file and gzip over all, beside what `here` has brought already. A bundler that drops what is
 * not used gets below.
 */
export function gzipOf(entry: string, here?: string): number {
  const before = here === undefined ? new Set<string>() : loadedBy(here);
  const files = [...loadedBy(entry)].filter((file) => !before.has(file));
  const codes = files.map((file) => minifySync(file, readFileSync(file, "utf8")).code);
  return gzipSync(codes.join("\n"), { level: 9 }).length;
}
