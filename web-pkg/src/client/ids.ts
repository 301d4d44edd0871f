/** Name of a document or a channel: `ydoc:` or `chat:` and 32 hex digits. */
export type StreamId = `${"ydoc" | "chat"}:${string}`;

/** A line of the room's list of documents. */
export interface Listed {
  readonly id: StreamId;
  /** Names of folders and the document, parted by `/`. */
  readonly path: string;
}
