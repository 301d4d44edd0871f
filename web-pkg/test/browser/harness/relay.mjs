/** The real relay as a process of its own. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

export function binary() {
  const built = ["target/debug/causeway-relay", "target/release/causeway-relay"].map((path) => join(ROOT, path));
  const candidates = [process.env.CAUSEWAY_RELAY_BIN, process.env.CAUSEWAY_RELAY, ...built];
  const found = candidates.find((path) => path !== undefined && existsSync(path));
  if (found === undefined) throw new Error("there is no relay: run `cargo build -p causeway-relay`");
  return found;
}

export class Relay {
  #process;
  #ended;

  /** Starts a relay on a free port with an empty data folder. */
  static async start() {
    const relay = new Relay();
    relay.data = await mkdtemp(join(tmpdir(), "causeway-browser-"));
    relay.port = 0;
    await relay.run();
    return relay;
  }

  /** Runs on the port and the data it had before. */
  async run() {
    const args = ["serve", "--listen", `127.0.0.1:${this.port}`, "--data", this.data];
    const env = { ...process.env, CAUSEWAY_LOG_FILTER: process.env.CAUSEWAY_LOG_FILTER ?? "warn" };
    this.#process = spawn(binary(), args, { env, stdio: ["ignore", "pipe", "inherit"] });
    this.#ended = new Promise((resolve) => this.#process.once("exit", resolve));
    const url = await Promise.race([this.#printedUrl(), this.#ended.then(() => null)]);
    if (url === null) throw new Error("the relay ended before it served");
    this.port = Number(new URL(url).port);
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** SIGKILL: no goodbye, no flush. */
  async kill() {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  /** Stops it from answering without closing anything: its sockets stay open. */
  freeze() {
    this.#process.kill("SIGSTOP");
  }

  thaw() {
    this.#process.kill("SIGCONT");
  }

  async end() {
    this.thaw();
    await this.kill();
    await rm(this.data, { recursive: true, force: true });
  }

  async #printedUrl() {
    const lines = createInterface({ input: this.#process.stdout });
    for await (const line of lines) {
      const [name, value] = line.split(/\s+/, 2);
      if (name === "relay") return value;
    }
    return null;
  }
}
