import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Plugin } from "vite";

/** Writes `sw.js` into the build with the list of its files, under a cache name that changes with their content. */
export function shellCache(): Plugin {
  let folder = "";
  return {
    name: "causeway-shell-cache",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      const template = await readFile(new URL("./sw.js", import.meta.url), "utf8");
      const paths = (await filesBelow(folder)).filter((path) => path !== "sw.js" && !path.endsWith(".txt")).sort();
      const hash = createHash("sha256").update(template);
      for (const path of paths) hash.update(path).update(await readFile(join(folder, path)));
      const list = paths.map((path) => (path === "index.html" ? "/" : `/${path}`));
      const written = template
        .replace('"@version"', JSON.stringify(hash.digest("hex").slice(0, 16)))
        .replace('["@files"]', JSON.stringify(list));
      await writeFile(join(folder, "sw.js"), written);
    },
  };
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
}
