//! What goes over the border, as TypeScript reads it.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
export type WasmDeltaOp = { retain: number } | { insert: string } | { delete: number };
export type WasmOutput =
  | { type: "connect" }
  | { type: "send"; bytes: Uint8Array<ArrayBuffer> }
  | { type: "close" }
  | { type: "join" }
  | { type: "toSibling"; sibling: number; bytes: Uint8Array<ArrayBuffer> }
  | { type: "dismiss"; sibling: number }
  | { type: "yield" }
  | {
      type: "commit";
      op: number;
      expect: [key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer> | null][];
      delete: Uint8Array<ArrayBuffer>[];
      deletePrefix: Uint8Array<ArrayBuffer>[];
      put: [key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>][];
      strict: boolean;
    }
  | {
      type: "scan";
      op: number;
      start: Uint8Array<ArrayBuffer>;
      end: Uint8Array<ArrayBuffer>;
      maxBytes: number;
      maxRows: number;
    };
export type WasmEvent =
  | { type: "text"; stream: string; delta?: WasmDeltaOp[]; editor?: number }
  | { type: "directory" }
  | { type: "channel"; stream: string }
  | { type: "connection" }
  | { type: "saveStatus"; stream: string }
  | { type: "others" }
  | { type: "storage" }
  | { type: "forks" }
  | { type: "fork"; stream: string; code: string; sentence: string }
  | { type: "damaged"; stream: string; code: string }
  | { type: "gone"; stream: string };
export type WasmFailure = {
  failed: "full" | "damaged" | "closed" | "busy" | "too-large" | "io";
  sentence: string;
};
export type WasmStored = "ok" | { conflict: Uint8Array } | WasmFailure;
export type WasmScanned =
  | { rows: [key: Uint8Array, value: Uint8Array][]; more: Uint8Array | null }
  | WasmFailure;
export type WasmConnection =
  | { state: "offline" }
  | { state: "connecting" }
  | { state: "online" }
  | { state: "stopped"; code: number; sentence: string };
export type WasmStorage =
  | { state: "opening" }
  | { state: "working" }
  | { state: "failing"; full: boolean; sentence: string };
export type WasmSaveStatus = {
  unsavedOnDevice: number;
  unsavedOnRelay: number;
  seenBy: number;
  relayWaits: boolean;
  forks: number;
};
export type WasmReceiptState = { device: boolean; relay: boolean; seenBy: number; refused: boolean };
export type WasmListed = { id: string; path: string };
export type WasmSide = "before" | "after";
export type WasmAnchor = { side: WasmSide; item?: [author: number, clock: number] };
export type WasmCursor = { stream: string; anchor: WasmAnchor; head: WasmAnchor };
export type WasmStatus = "editing" | "idle" | "running" | "away";
export type WasmPerson = {
  id: number;
  name: string;
  colour: number;
  status: WasmStatus;
  cursor: WasmCursor | null;
  typing: string | null;
  person: string | null;
};
export type WasmAuthor = { person: string; name: string; colour: number };
export type WasmReaction = { emoji: string; people: WasmAuthor[]; mine: boolean };
export type WasmPost = {
  id: string;
  author: WasmAuthor;
  mine: boolean;
  time: number;
  text: string;
  edited: boolean;
  deleted: boolean;
  replyTo: string | null;
  reactions: WasmReaction[];
  unread: boolean;
  saved: "no" | "device" | "relay";
};
export type WasmTimeline =
  | { type: "reset"; posts: WasmPost[]; older: WasmOlder }
  | { type: "splice"; at: number; remove: number; posts: WasmPost[]; older: WasmOlder };
export type WasmOlder = "nothing" | "more" | "out-of-reach";
export type WasmUnread = { count: number; first: string | null };
export type WasmFork = {
  id: string;
  stream: string;
  isWhole: boolean;
  code: string;
  sentence: string;
  time: number;
  bytes: number;
};
export type WasmForkText = { text: string; delta: WasmDeltaOp[]; isComplete: boolean };
export type WasmDraft = { key: string; text: string; code: string; sentence: string };
"#;
