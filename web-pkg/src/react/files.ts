import { useMemo } from "react";
import { type RoomFile, type StreamId, filesOf, foldersOf, removeFiles, renameFiles } from "../client/index.js";
import { useRoom } from "./room.js";
import { useDocuments } from "./states.js";

/** The files of a room, and what can be done with them. */
export interface Files {
  /** Ordered by path. */
  readonly files: readonly RoomFile[];
  /** Paths of the folders in which something stands. */
  readonly folders: readonly string[];
  create(path: string): Promise<StreamId>;
  /** Moves a file, or a folder with all that stands in it. */
  rename(from: string, to: string): Promise<void>;
  /** Takes a file, or a folder with all that stands in it, off the list. Texts stay where they are. */
  remove(path: string): Promise<void>;
}

/** The room's documents as files in folders. */
export function useFiles(): Files {
  const { documents } = useRoom();
  const list = useDocuments();
  return useMemo(() => {
    const files = filesOf(list);
    return {
      files,
      folders: foldersOf(files),
      create: (path) => documents.create(path),
      rename: (from, to) => renameFiles(documents, from, to),
      remove: (path) => removeFiles(documents, path),
    };
  }, [documents, list]);
}
