import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { shellCache } from "./shell-cache/plugin.ts";

/** `vite` alone serves the page; a relay on its usual port answers the sockets. */
const RELAY = "http://127.0.0.1:8787";

export default defineConfig({
  plugins: [react(), engineAtOnce(), fontLicences(), shellCache()],
  build: {
    target: "es2022",
    // A font or an image inside a style sheet would be fetched by pages that do not show it.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: { chunkFileNames: ({ name, facadeModuleId }) => `assets/${grammar(facadeModuleId) ?? name}-[hash].js` },
    },
  },
  worker: { format: "es" },
  server: { proxy: { "/sync": { target: RELAY, ws: true, changeOrigin: true }, "/healthz": RELAY } },
});

/** The grammars' packages all call their file `dist/index.js`. */
function grammar(module: string | null): string | undefined {
  return /@codemirror\/(lang-[a-z]+)/.exec(module ?? "")?.[1];
}

/** Lets the browser fetch the engine beside the scripts instead of after them: it is the largest file of all. */
function engineAtOnce(): Plugin {
  return {
    name: "causeway-engine-at-once",
    transformIndexHtml: {
      order: "post",
      handler: (_html, { bundle }) =>
        Object.keys(bundle ?? {})
          .filter((path) => path.endsWith(".wasm"))
          .map((path) => ({
            tag: "link",
            attrs: {
              rel: "preload",
              as: "fetch",
              type: "application/wasm",
              href: `/${path}`,
              crossorigin: "anonymous",
            },
            injectTo: "head" as const,
          })),
    },
  };
}

/** The licence of the typefaces asks to travel with them. */
function fontLicences(): Plugin {
  const packages = ["atkinson-hyperlegible-next", "atkinson-hyperlegible-mono"];
  const { resolve } = createRequire(import.meta.url);
  return {
    name: "causeway-font-licences",
    async generateBundle() {
      const texts = packages.map((name) => readFile(resolve(`@fontsource-variable/${name}/LICENSE`), "utf8"));
      this.emitFile({ type: "asset", fileName: "font-licences.txt", source: (await Promise.all(texts)).join("\n\n") });
    },
  };
}
