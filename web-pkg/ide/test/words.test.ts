import { expect, test } from "vitest";
import type { SaveStatus, StorageState } from "@causeway/web";
import { forkWords, offlineWords, stoppedWords, storageWords } from "../src/room/notice-words.ts";
import { inShort, onDevice, onRelay, savedByHand, seenBy, spoken } from "../src/room/saved-words.ts";
import { COLOURS, cleanName, initials, inkOn } from "../src/shell/person.ts";

const SAVED: SaveStatus = { device: "saved", relay: "saved", seenBy: 2, unsaved: 0, forks: 0 };

test("saved work is said to be saved, place by place", () => {
  expect(onDevice(SAVED).words).toBe("Saved on this device");
  expect(onRelay(SAVED, "online").words).toBe("Saved on the relay’s disk");
  expect(seenBy(SAVED, 2, "online").words).toBe("Seen by 2 others");
  expect(seenBy({ ...SAVED, seenBy: 1 }, 1, "online").words).toBe("Seen by 1 other");
});

test("work that waits is never called saved", () => {
  const waiting: SaveStatus = { ...SAVED, device: "saving", relay: "saving", unsaved: 3, seenBy: 0 };
  expect(onDevice(waiting)).toMatchObject({ mood: "wait", words: "Saving on this device…" });
  expect(onRelay(waiting, "online")).toMatchObject({ mood: "wait", words: "Sending to the relay…" });
  expect(onRelay(waiting, "offline")).toMatchObject({ mood: "wait", words: "3 edits wait for the relay" });
  expect(onRelay({ ...waiting, unsaved: 1 }, "stopped").words).toBe("An edit waits for the relay");
  expect(seenBy(waiting, 2, "online").words).toBe("Not seen by others yet");
  expect(seenBy(waiting, 0, "online").words).toBe("Nobody else here");
  for (const state of ["offline", "connecting", "stopped"] as const) {
    expect(seenBy(waiting, 0, state).words, "who is there is not known").toBe("Others cannot be seen now");
  }
  expect(onDevice({ ...SAVED, device: "memory" })).toMatchObject({ mood: "wait" });
});

test("W25 a phone says in words where the work is, and whoever saves by hand is told", () => {
  const waiting: SaveStatus = { ...SAVED, relay: "saving", unsaved: 3, seenBy: 0 };
  expect(inShort(SAVED, "online")).toEqual({ mood: "good", words: "Saved at the relay, seen by 2" });
  expect(inShort({ ...SAVED, seenBy: 0 }, "offline").words).toBe("Saved at the relay");
  expect(inShort(waiting, "online").words).toBe("Saved here, sending…");
  expect(inShort(waiting, "offline").words).toBe("Saved here, not sent yet");
  expect(inShort({ ...waiting, relay: "waiting" }, "online").words).toContain("asks to wait");
  expect(inShort({ ...waiting, device: "saving" }, "offline").words).not.toContain("Saved");
  expect(inShort({ ...waiting, device: "memory" }, "offline").words).toBe("Only in this tab, not sent yet");
  expect(savedByHand(SAVED, "online")).toBe("Saved on this device and on the relay’s disk.");
  expect(savedByHand(waiting, "offline")).toBe("Your work is saved on this device and waits for the relay.");
  expect(savedByHand({ ...SAVED, device: "memory" }, "online")).not.toContain("this device");
  expect(savedByHand(null, "online")).toBe("No file is open.");
});

test("W17 what is read aloud has no counts, so that typing on without a link is told once", () => {
  const waiting: SaveStatus = { ...SAVED, relay: "saving", unsaved: 3, seenBy: 0 };
  const once = spoken(waiting, "offline");
  expect(once).toBe("Your work is saved on this device and waits for the relay.");
  expect(spoken({ ...waiting, unsaved: 4 }, "offline")).toBe(once);
  expect(spoken({ ...waiting, device: "memory" }, "offline")).toContain("only in this tab");
  expect(spoken(waiting, "online")).toContain("being sent");
  expect(spoken(SAVED, "offline")).toBe("Everything is saved on the relay’s disk.");
});

test("W13 nothing is said to be kept on a device that keeps nothing or cannot write", () => {
  const sound: StorageState = { state: "working", backend: "indexeddb" };
  const memory: StorageState = { state: "working", backend: "memory", reason: "The browser refuses it." };
  const failing: StorageState = { state: "failing", full: false, sentence: "It is broken.", backend: "indexeddb" };
  const full: StorageState = { ...failing, full: true };
  const stopped = { state: "stopped", code: 4406, sentence: "" } as const;
  const all = (storage: StorageState) => [
    offlineWords(storage, true),
    offlineWords(storage, false),
    stoppedWords(stopped, storage),
    stoppedWords({ ...stopped, code: 4400, sentence: "Too old." }, storage),
    forkWords(1, storage),
    forkWords(3, storage),
  ];
  for (const words of all(sound)) expect(words).toContain("kept on this device");
  for (const storage of [memory, failing, full]) {
    for (const words of all(storage)) expect(words).not.toContain("kept on this device");
    expect(storageWords(storage)).not.toBeNull();
  }
  expect(offlineWords(memory, false)).toContain("Leave the tab open");
  expect(offlineWords(full, false)).toBe("You are offline.");
  expect(offlineWords(full, true)).toBe("The relay cannot be reached.");
  expect(storageWords(sound)).toBeNull();
});

test("a name fits what the relay takes, without half a character", () => {
  expect(cleanName("  Ada \n Lovelace ")).toBe("Ada Lovelace");
  const cut = cleanName("😀".repeat(40));
  expect(cut).toBe("😀".repeat(16));
  expect(initials("Ada Lovelace King")).toBe("AL");
  expect(initials("👩‍🚀 x")).not.toContain("\uFFFD");
  expect(initials("")).toBe("?");
});

test("a name is readable on every colour a person can choose, in white on a cursor too", () => {
  const luminance = (colour: number) => {
    const [red, green, blue] = [colour >> 16, (colour >> 8) & 255, colour & 255].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  for (const { name, value } of COLOURS) {
    for (const ink of [0xffffff, Number(`0x${inkOn(value).slice(1)}`)]) {
      const [light, dark] = [luminance(value), luminance(ink)].sort((a, b) => b - a) as [number, number];
      expect((light + 0.05) / (dark + 0.05), name).toBeGreaterThanOrEqual(4.5);
    }
  }
});
