import start, { WasmRoom } from "../../wasm/causeway.js";
import { CausewayError } from "./errors.js";

/** Something called before `init` has finished, or after the engine or its worker has died. */
export class EngineError extends CausewayError {
  constructor(code: "not-initialised" | "engine-dead" | "worker-dead", sentence: string) {
    super(code, sentence);
    this.name = "EngineError";
  }
}

let starting: Promise<void> | undefined;
let isReady = false;
let death: EngineError | undefined;

/**
 * Loads the engine once per page; further calls wait for the same. Without `source` it is fetched from beside this
 * module. A failed load may be tried again.
 */
export function init(source?: URL | Response | BufferSource | WebAssembly.Module): Promise<void> {
  starting ??= load(source).catch((error: unknown) => {
    starting = undefined;
    throw error;
  });
  return starting;
}

async function load(source: URL | Response | BufferSource | WebAssembly.Module | undefined): Promise<void> {
  const from = source ?? new URL("../../wasm/causeway_bg.wasm", import.meta.url);
  await start({ module_or_path: from });
  isReady = true;
}

/** A room of the engine. */
export function newRoom(name: string, seed: Uint8Array, agent: string): WasmRoom {
  if (!isReady) throw new EngineError("not-initialised", "Causeway is not loaded yet: await init() before connect()");
  return guarded(() => new WasmRoom(name, seed, agent));
}

/** Calls the engine. A trap leaves its memory in an unknown state, so nothing calls it again on this page. */
export function guarded<T>(call: () => T): T {
  if (death !== undefined) throw death;
  try {
    return call();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    death = new EngineError(
      "engine-dead",
      "Causeway has met a bug and stopped. What was saved on this device is kept; reload the page to go on.",
    );
    throw death;
  }
}
