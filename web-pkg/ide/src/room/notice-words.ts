import { keptWhere, type ConnectionState, type StorageState } from "@causeway/web";

/** What is said while there is no link: where there is a network, whoever reads it need not look at their own. */
export function offlineWords(storage: StorageState, hasNetwork: boolean): string {
  const what = hasNetwork ? "The relay cannot be reached." : "You are offline.";
  if (storage.state === "failing" && storage.full) return what;
  const leave = keptWhere(storage) === "in this tab only" ? " Leave the tab open." : "";
  const back = hasNetwork ? "it answers" : "you are back";
  return `${what} What you write is kept ${keptWhere(storage)} and sent when ${back}.${leave}`;
}

/** What is said in place of files or messages of which this device has none, while nobody can be asked. */
export function unseenWords(what: "files" | "messages"): string {
  return `No ${what} of this room are on this device yet. If there are any, they come when the relay is reached.`;
}

/** What is said where the relay will not have the page. */
export function stoppedWords(connection: ConnectionState & { state: "stopped" }, storage: StorageState): string {
  const kept = `Your work is kept ${keptWhere(storage)}.`;
  if (connection.code === VERSION) return `This page is older than the relay: reload to update. ${kept}`;
  return `The relay does not take this page: ${connection.sentence} ${kept}`;
}

/** What is said of work that the room did not take. */
export function forkWords(count: number, storage: StorageState): string {
  const kept = keptWhere(storage);
  return count === 1
    ? `A piece of your work was not taken by the room. Nothing is lost: it is kept ${kept}.`
    : `${count} pieces of your work were not taken by the room. Nothing is lost: they are kept ${kept}.`;
}

/** What is said of a disk that fails or is none; `null`: nothing. */
export function storageWords(storage: StorageState): { readonly mood: "wait" | "bad"; readonly words: string } | null {
  if (storage.state === "failing") {
    const words = storage.full
      ? "The storage of this device is full, so nothing can be written here now. What you wrote last is in this tab only: leave it open and free some space. It goes on by itself."
      : `This device cannot save: ${storage.sentence} What you write is kept in this tab until it can; leave it open.`;
    return { mood: "bad", words };
  }
  if (storage.backend === "memory" && storage.state !== "opening") {
    return { mood: "wait", words: `Nothing is kept on this device after this tab is closed: ${storage.reason}` };
  }
  return null;
}

/** The close code with which a relay refuses another version of the protocol. */
export const VERSION = 4406;
