/**
 * React hooks over a room.
 *
 * Every hook reads through `useSyncExternalStore`: what it returns is the same object until the value has changed, so it
 * can stand in dependency lists. Texts are opened when a component that shows them is mounted and closed a moment after
 * the last one is gone, so StrictMode's double mounting and a change of tabs cost nothing.
 *
 * ```tsx
 * <RoomProvider room={room}>
 *   <Notes />
 * </RoomProvider>
 *
 * function Notes() {
 *   const { value, isOpen } = useText(useRoom().documents.firstDocument());
 *   return isOpen ? <pre>{value}</pre> : <p>Opening…</p>;
 * }
 * ```
 */
export { RoomProvider, useRoom } from "./room.js";
export type { RoomProviderProps } from "./room.js";
export { useObservable } from "./observable.js";
export { useConnection, useDocuments, useStorage } from "./states.js";
export { useFiles } from "./files.js";
export type { Files } from "./files.js";
export { useMyOtherPages, useOthers } from "./people.js";
export { useForks } from "./forks.js";
export type { ForksValue } from "./forks.js";
export { useChat } from "./chat.js";
export type { Chat } from "./chat.js";
export { useMyPresence } from "./presence.js";
export type { MyPresence } from "./presence.js";
export { useSyncStatus, useText, useTextHandle } from "./text.js";
export type { OpenText, TextValue } from "./text.js";
export { useEditor, useUndo } from "./editor.js";
export type { Undo } from "./editor.js";
