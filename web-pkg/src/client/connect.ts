import { newRoom } from "./engine.js";
import { CausewayError } from "./errors.js";
import { personKey } from "./person-key.js";
import { type Port, workerPort } from "./port.js";
import { Room } from "./room.js";

export interface ConnectOptions {
  /** 1 to 64 characters of `A–Z a–z 0–9 - _`. */
  readonly room: string;
  /** WebSocket address of the room. Default: `/sync/<room>` of the server that the page came from. */
  readonly url?: string;
  /** What the others see; at most 64 bytes of UTF-8. */
  readonly name?: string;
  /** The same with a colour, `0xRRGGBB`, and the person's key, which the client makes and keeps where none is given. */
  readonly person?: { readonly name: string; readonly colour?: number; readonly key?: Uint8Array };
  /** 32 random bytes never used before; default: from the browser. */
  readonly seed?: Uint8Array;
  /** `memory` keeps nothing on this device. Default: `auto`. */
  readonly storage?: "auto" | "memory";
  /** Who carries out what the room wants done; default: a worker of this package. */
  readonly port?: Port;
}

/**
 * Enters a room. It can be read and written at once, with or without a link. `init` must have finished. Throws for a name, an
 * address or a key that is none; nothing is left running then.
 */
export function connect(options: ConnectOptions): Room {
  const seed = options.seed ?? crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  const wasm = newRoom(options.room, seed, AGENT);
  const url = options.url === undefined ? defaultUrl(options.room) : socketUrl(options.url);
  const port = options.port ?? workerPort();
  port.post({ type: "open", room: options.room, url, storage: options.storage ?? "auto" });
  const { name = options.name ?? "", colour, key = personKey() } = options.person ?? {};
  try {
    return new Room(wasm, port, options.room, { name, colour, key });
  } catch (error) {
    // A worker without a room would lead the other pages nowhere.
    port.post({ type: "end" });
    port.close();
    throw error;
  }
}

/** What no browser can dial would look like a relay that is away, for ever. */
function socketUrl(url: string): string {
  try {
    if (["ws:", "wss:"].includes(new URL(url).protocol)) return url;
  } catch {
    // It is no address at all.
  }
  throw new CausewayError("address", `The address of a room begins with ws:// or wss://: ${url}`);
}

function defaultUrl(room: string): string {
  const url = new URL(`/sync/${room}`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

const SEED_BYTES = 32;
/** Program and version, for the relay's logs. */
const AGENT = "causeway-web/0.1.0";
