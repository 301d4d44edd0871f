import type { WasmSaveStatus } from "../../wasm/causeway.js";

/** The link to the relay, as people see it. */
export type ConnectionState =
  | { readonly state: "offline" }
  | { readonly state: "connecting" }
  | { readonly state: "online" }
  /** The relay will not have this app until something changes. Work goes on offline. */
  | { readonly state: "stopped"; readonly code: number; readonly sentence: string };

/** Where this device keeps the room: the browser's database, or memory with the reason why. */
export type Backend =
  | { readonly backend: "indexeddb" }
  | { readonly backend: "memory"; readonly reason: string };

/** The disk of this device, as people see it. */
export type StorageState = (
  | { readonly state: "opening" }
  | { readonly state: "working" }
  /** The disk takes nothing; work is kept in memory and written when it does again. */
  | { readonly state: "failing"; readonly full: boolean; readonly sentence: string }
) &
  Backend;

/** Whether what is written now can be kept: a disk that is full takes nothing until there is room again. */
export function canWrite(storage: StorageState): boolean {
  return storage.state !== "failing" || !storage.full;
}

/** Where what is written now is kept until the relay has it: to be said behind "kept". */
export function keptWhere(storage: StorageState): "on this device" | "in this tab only" {
  return storage.backend === "memory" || storage.state === "failing" ? "in this tab only" : "on this device";
}

/** Where the work on a document is. */
export interface SaveStatus {
  /** `memory`: this device keeps nothing after a reload (see the storage state). */
  readonly device: "saved" | "saving" | "memory";
  /** `waiting`: the relay has asked to wait, because its disk is full or it has too much to do. */
  readonly relay: "saved" | "saving" | "waiting";
  /** How many other devices that are connected now have the newest edit made here. */
  readonly seenBy: number;
  /** Edits made here that the relay has not called saved yet. */
  readonly unsaved: number;
  /** Pieces of work the relay refused; kept on this device. */
  readonly forks: number;
}

/** The status as people see it. */
export function saveStatus(status: WasmSaveStatus, storage: StorageState): SaveStatus {
  const device = storage.backend === "memory" ? "memory" : status.unsavedOnDevice > 0 ? "saving" : "saved";
  const relay = status.unsavedOnRelay === 0 ? "saved" : status.relayWaits ? "waiting" : "saving";
  return { device, relay, seenBy: status.seenBy, unsaved: status.unsavedOnRelay, forks: status.forks };
}
