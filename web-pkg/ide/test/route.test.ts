import { expect, test } from "vitest";
import { newRoomName, shortName } from "../src/shell/room-name.ts";
import { isRoomName, parseRoute, roomOf } from "../src/shell/route.ts";

test("an address leads to the start page, a room, or a sentence about what is wrong with it", () => {
  expect(parseRoute("/")).toEqual({ page: "home" });
  expect(parseRoute("/r/class-3b_2026")).toEqual({ page: "room", room: "class-3b_2026" });
  expect(parseRoute("/r/tide/")).toEqual({ page: "room", room: "tide" });
  expect(parseRoute("/r/a%20b")).toEqual({ page: "no-room", text: "a b" });
  expect(parseRoute(`/r/${"x".repeat(65)}`)).toMatchObject({ page: "no-room" });
  expect(parseRoute("/r/%E0%A4%A")).toEqual({ page: "no-room", text: "%E0%A4%A" });
  expect(parseRoute("/elsewhere")).toEqual({ page: "nowhere" });
});

test("a pasted link or bare name opens its room", () => {
  expect(roomOf(" https://relay.example/r/tide ")).toBe("tide");
  expect(roomOf("127.0.0.1:8787/r/tide#here")).toBe("tide");
  expect(roomOf("tide")).toBe("tide");
  for (const bad of ["", "https://relay.example/", "https://relay.example/r/", "/r/a b"])
    expect(roomOf(bad), bad).toBeNull();
});

test("a new room has a readable name that nobody can guess", () => {
  const names = new Set(Array.from({ length: 500 }, newRoomName));
  expect(names.size).toBe(500);
  for (const name of names) {
    expect(isRoomName(name), name).toBe(true);
    // Sixteen digits of five bits: the eighty bits that are promised.
    expect(name, name).toMatch(/^[a-z]+-[a-z]+-[a-z]+-[0-9a-hjkmnp-tv-z]{16}$/);
    expect(shortName(name)).toBe(name.slice(0, -17));
  }
  expect(shortName("class-3b")).toBe("class-3b");
});
