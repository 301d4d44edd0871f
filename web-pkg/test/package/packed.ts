/** The package as npm would publish it, unpacked where an app would have it, beside the peers an app brings. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));

export interface App {
  /** A folder whose `node_modules` holds the package and its peers. */
  readonly folder: string;
  /** The unpacked package. */
  readonly installed: string;
  readonly tarball: string;
  remove(): void;
}

export function packed(): App {
  const folder = mkdtempSync(join(tmpdir(), "causeway-package-"));
  const npm = (...args: string[]): string => execFileSync("npm", args, { cwd: PACKAGE, encoding: "utf8", stdio: "pipe" });
  const [report] = JSON.parse(npm("pack", "--json", "--pack-destination", folder)) as [{ filename: string }];
  const tarball = join(folder, report.filename);
  const installed = join(folder, "node_modules/@causeway/web");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
  for (const peer of PEERS) {
    const link = join(folder, "node_modules", peer);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(PACKAGE, "node_modules", peer), link);
  }
  return { folder, installed, tarball, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** What the doors and the examples stand on. */
const PEERS = ["react", "react-dom", "@types/react", "@types/react-dom", "@codemirror/state", "@codemirror/view"];
