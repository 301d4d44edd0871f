import type { ConnectionState, Listed, StorageState } from "../client/index.js";
import { useObservable } from "./observable.js";
import { useRoom } from "./room.js";

/** The link to the relay. */
export function useConnection(): ConnectionState {
  return useObservable(useRoom().connection);
}

/** Where this device keeps the room, and whether that works. */
export function useStorage(): StorageState {
  return useObservable(useRoom().storage);
}

/** The room's list of documents, ordered by path. */
export function useDocuments(): readonly Listed[] {
  return useObservable(useRoom().documents);
}
