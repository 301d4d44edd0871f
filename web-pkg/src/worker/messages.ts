/**
 * What the page and its worker tell each other. The page asks, the worker carries out; only the page decides.
 * Types only: both sides are compiled against them.
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** An atomic change of the store. `expect` is checked first; then deletions; then `put`. */
export interface Commit {
  readonly expect: readonly (readonly [key: Bytes, value: Bytes | null])[];
  readonly delete: readonly Bytes[];
  readonly deletePrefix: readonly Bytes[];
  readonly put: readonly (readonly [key: Bytes, value: Bytes])[];
  /** Answered only when it would survive a power cut. */
  readonly strict: boolean;
}

/** A range to read, `end` exclusive. A page holds at least one row however large it is. */
export interface Scan {
  readonly start: Bytes;
  readonly end: Bytes;
  readonly maxBytes: number;
  readonly maxRows: number;
}

/** A store could not do what was asked. */
export interface Failure {
  readonly failed: "full" | "damaged" | "closed" | "busy" | "too-large" | "io";
  readonly sentence: string;
}

export type Stored = "ok" | { readonly conflict: Bytes } | Failure;

export type Row = [key: Bytes, value: Bytes];

export type Scanned = { readonly rows: Row[]; readonly more: Bytes | null } | Failure;

/** Where the rows are. */
export type Backend =
  | { readonly backend: "indexeddb" }
  | { readonly backend: "memory"; readonly reason: string };

/** `link` numbers sockets, so that news of an old one are known as such. */
export type ToWorker =
  /** `existed`: this page has had the database open before, by a worker that is gone. */
  | {
      readonly type: "open";
      readonly room: string;
      readonly url: string;
      readonly storage: "auto" | "memory";
      readonly existed?: boolean;
    }
  | { readonly type: "connect"; readonly link: number }
  | { readonly type: "send"; readonly bytes: Bytes }
  | { readonly type: "close" }
  /** Opens a link to the page that leads, instead of one to the relay. */
  | { readonly type: "join"; readonly link: number }
  /** What another page of this browser is sent, or that it is sent away. */
  | { readonly type: "toSibling"; readonly sibling: number; readonly bytes: Bytes }
  | { readonly type: "dismiss"; readonly sibling: number }
  /** The disk has shown that another page leads. */
  | { readonly type: "yield" }
  | ({ readonly type: "commit"; readonly op: number } & Commit)
  | ({ readonly type: "scan"; readonly op: number } & Scan)
  /** Replaces the wake-up asked for before; `null`: none. */
  | { readonly type: "wake"; readonly after: number | null }
  /** Whether it is there: the answer is `here`. */
  | { readonly type: "ask" }
  /** What the browser says of the network. It tells pages; workers it tells not everywhere. */
  | { readonly type: "network"; readonly is: "online" | "offline" }
  /** The page may be gone in a moment: another one is to lead. What it has asked for is carried out. */
  | { readonly type: "leaving" }
  /** It is not gone. */
  | { readonly type: "back" }
  /** Nothing more will be asked for. */
  | { readonly type: "end" };

export type FromWorker =
  | { readonly type: "backend"; readonly backend: Backend }
  | { readonly type: "opened"; readonly link: number }
  | { readonly type: "received"; readonly link: number; readonly bytes: Bytes }
  | { readonly type: "closed"; readonly link: number; readonly code: number | undefined }
  | { readonly type: "stored"; readonly op: number; readonly outcome: Stored }
  | { readonly type: "scanned"; readonly op: number; readonly outcome: Scanned }
  | { readonly type: "woken" }
  | { readonly type: "here" }
  /** The port says this, not the worker: the browser has ended that, and another begins. What was on its way is not answered. */
  | { readonly type: "replaced" }
  /** Nothing more is carried out: the worker did not start, has met a bug, or does not find the page's rows again. */
  | { readonly type: "failed"; readonly sentence: string }
  /** The network is back, or there is a page to follow. */
  | { readonly type: "reconnect" }
  /** This page is to lead, or to make sure that it does. */
  | { readonly type: "lead" }
  /** Another page leads. */
  | { readonly type: "follow" }
  | { readonly type: "siblingOpened"; readonly sibling: number }
  | { readonly type: "siblingReceived"; readonly sibling: number; readonly bytes: Bytes }
  | { readonly type: "siblingClosed"; readonly sibling: number };
