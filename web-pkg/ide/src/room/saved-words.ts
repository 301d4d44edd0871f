import type { ConnectionState, SaveStatus } from "@causeway/web";

/** One place where work can be, in words: `long` for a wide line, `short` for a phone. */
export interface Saved {
  readonly mood: "good" | "wait" | "none";
  readonly long: string;
  readonly short: string;
}

export function onDevice({ device }: SaveStatus): Saved {
  switch (device) {
    case "saved":
      return { mood: "good", long: "Saved on this device", short: "Device" };
    case "saving":
      return { mood: "wait", long: "Saving on this device…", short: "Saving…" };
    case "memory":
      return { mood: "wait", long: "Only in this tab’s memory", short: "Memory" };
  }
}

export function onRelay({ relay, unsaved }: SaveStatus, connection: ConnectionState["state"]): Saved {
  switch (relay) {
    case "saved":
      return { mood: "good", long: "Saved on the relay’s disk", short: "Relay" };
    case "saving":
      return connection === "online"
        ? { mood: "wait", long: "Sending to the relay…", short: "Sending…" }
        : { mood: "wait", long: `${edits(unsaved)} for the relay`, short: "Waiting" };
    case "waiting":
      return { mood: "wait", long: "The relay asks to wait", short: "Waiting" };
  }
}

export function seenBy({ seenBy }: SaveStatus, others: number, connection: ConnectionState["state"]): Saved {
  if (seenBy > 0)
    return { mood: "good", long: `Seen by ${seenBy} ${seenBy === 1 ? "other" : "others"}`, short: `${seenBy}` };
  // Without a link it is not known who is there.
  if (connection !== "online") return { mood: "none", long: "Others cannot be seen now", short: "–" };
  return others === 0
    ? { mood: "none", long: "Nobody else here", short: "0" }
    : { mood: "none", long: "Not seen by others yet", short: "0" };
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
