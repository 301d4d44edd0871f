import type { ConnectionState, SaveStatus } from "@causeway/web";

/** One place where work can be, in words. */
export interface Saved {
  readonly mood: "good" | "wait" | "none";
  readonly words: string;
}

export function onDevice({ device }: SaveStatus): Saved {
  switch (device) {
    case "saved":
      return { mood: "good", words: "Saved on this device" };
    case "saving":
      return { mood: "wait", words: "Saving on this device…" };
    case "memory":
      return { mood: "wait", words: "Only in this tab’s memory" };
  }
}

export function onRelay({ relay, unsaved }: SaveStatus, connection: ConnectionState["state"]): Saved {
  switch (relay) {
    case "saved":
      return { mood: "good", words: "Saved on the relay’s disk" };
    case "saving":
      return connection === "online"
        ? { mood: "wait", words: "Sending to the relay…" }
        : { mood: "wait", words: `${edits(unsaved)} for the relay` };
    case "waiting":
      return { mood: "wait", words: "The relay asks to wait" };
  }
}

export function seenBy({ seenBy }: SaveStatus, others: number, connection: ConnectionState["state"]): Saved {
  if (seenBy > 0)
    return { mood: "good", words: `Seen by ${seenBy} ${seenBy === 1 ? "other" : "others"}` };
  // Without a link it is not known who is there.
  if (connection !== "online") return { mood: "none", words: "Others cannot be seen now" };
  return others === 0
    ? { mood: "none", words: "Nobody else here" }
    : { mood: "none", words: "Not seen by others yet" };
}

/** All of it in as few words as a phone has room for. What waits is said first, and is told by its words, not by a colour. */
export function inShort(status: SaveStatus, connection: ConnectionState["state"]): Saved {
  const { device, relay, seenBy } = status;
  if (relay === "saved") return { mood: "good", words: seenBy > 0 ? `Saved at the relay, seen by ${seenBy}` : "Saved at the relay" };
  if (device === "saving") return { mood: "wait", words: "Saving on this device…" };
  const here = device === "saved" ? "Saved here" : "Only in this tab";
  if (relay === "waiting") return { mood: "wait", words: `${here}, the relay asks to wait` };
  return { mood: "wait", words: connection === "online" ? `${here}, sending…` : `${here}, not sent yet` };
}

/** The answer to whoever wants to save by hand. */
export function savedByHand(status: SaveStatus | null, connection: ConnectionState["state"]): string {
  if (status === null) return "No file is open.";
  if (status.device === "saved" && status.relay === "saved") return "Saved on this device and on the relay’s disk.";
  return spoken(status, connection);
}

/** The same in a sentence for screen readers. Without counts: it is read aloud whenever it changes. */
export function spoken({ device, relay }: SaveStatus, connection: ConnectionState["state"]): string {
  if (relay === "saved") return "Everything is saved on the relay’s disk.";
  const waits = connection === "online" && relay === "saving" ? "is being sent to the relay" : "waits for the relay";
  switch (device) {
    case "saved":
      return `Your work is saved on this device and ${waits}.`;
    case "saving":
      return `Your work is being saved on this device and ${waits}.`;
    case "memory":
      return `Your work is only in this tab and ${waits}.`;
  }
}

/** Whether everything that can be saved is. */
export function isSettled({ device, relay }: SaveStatus): boolean {
  return device !== "saving" && relay === "saved";
}

function edits(count: number): string {
  return count <= 1 ? "An edit waits" : `${count} edits wait`;
}
