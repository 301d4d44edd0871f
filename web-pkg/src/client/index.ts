/**
 * Causeway in browsers. `await init()` once, `connect({ room })`, then `room.text(id)` and friends.
 *
 * - `connect.ts`, `engine.ts`: the start.
 * - `room.ts`, `documents.ts`, `text.ts`, `editor.ts`, `channel.ts`, `forks.ts`, `presence-lane.ts`: what an app holds in
 *   its hands.
 * - `pump.ts`: drives the engine; `port.ts`: the way to the worker, which owns socket, database and timers.
 */
export { Channel } from "./channel.js";
export type { Author, Draft, Post, PostId, Reaction, Timeline, TimelineEvent, Unread } from "./chat.js";
export { type ConnectOptions, connect } from "./connect.js";
export { EngineError, init } from "./engine.js";
export { CausewayError, type ErrorCode } from "./errors.js";
export type { Delta, DeltaOp } from "./delta.js";
export { Documents } from "./documents.js";
export { Editor } from "./editor.js";
export { type RoomFile, filesOf, foldersOf, removeFiles, renameFiles } from "./files.js";
export { type Fork, type ForkId, type ForkText, Forks } from "./forks.js";
export type { Listed, StreamId } from "./ids.js";
export type { Observable, Unsubscribe } from "./observable.js";
export type { Activity, Anchor, Cursor, Person, Presence, Side } from "./people.js";
export type { Port } from "./port.js";
export { PresenceLane } from "./presence-lane.js";
export type { Receipt, ReceiptState } from "./receipt.js";
export { Room, type RoomNotice } from "./room.js";
export { type Backend, type ConnectionState, type SaveStatus, type StorageState, canWrite, keptWhere } from "./states.js";
export { Text, type TextEvent } from "./text.js";
