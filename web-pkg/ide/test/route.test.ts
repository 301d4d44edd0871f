import { expect, test } from "vitest";
import { damageOf, newRoomName, shortName } from "../src/shell/room-name.ts";
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
    // Sixteen digits of five bits, the eighty bits that are promised, and two to check them.
    expect(name, name).toMatch(/^[a-z]+-[a-z]+-[a-z]+-[0-9a-hjkmnp-tv-z]{8}-[0-9a-hjkmnp-tv-z]{10}$/);
    expect(shortName(name)).toBe(name.slice(0, -20));
    expect(damageOf(name), name).toBeNull();
  }
  for (const own of ["class-3b", "our-maths-class-20261122-schoolroom"]) expect(shortName(own)).toBe(own);
  expect(shortName("amber-otter-tide-0123456789abcdef")).toBe("amber-otter-tide");
});

test("W21 a link that was cut off behind its second word, or has a wrong character, is told from a whole one", () => {
  for (const name of Array.from({ length: 200 }, newRoomName)) {
    const second = name.indexOf("-", name.indexOf("-") + 1);
    for (let end = second + 1; end < name.length; end++) expect(damageOf(name.slice(0, end)), name.slice(0, end)).toBe("cut");
    for (let at = name.length - 19; at < name.length; at++) {
      if (name[at] === "-") continue;
      const other = name[at] === "7" ? "8" : "7";
      expect(damageOf(name.slice(0, at) + other + name.slice(at + 1)), name).toBe("changed");
    }
    expect(damageOf(`${name}0`)).toBe("changed");
  }
  // A letter of a word.
  expect(damageOf("anber-otter-tide-01234567-89abcdef4d")).toBe("changed");
  // The relay makes the same names.
  expect(damageOf("amber-otter-tide-01234567-89abcdef4d")).toBeNull();
  expect(damageOf("Amber-otter-tide-01234567-89abcdef4d")).toBe("changed");
  expect(damageOf("AMBER-OTTER-TIDE-01234567-89AB")).toBe("cut");
});

test("W21 names of before and names that people thought of are theirs", () => {
  for (const name of [
    ...["amber-otter-tide-0123456789abcdef", "class-3b_2026", "tide", "coral-reef", "river-otter", "willow"],
    ...["coral-reef-divers", "bay-city-river-group", "amber-otter-tide-tables", "a-b-c-0123", "CORAL-reef-bay"],
    "our-maths-class-20261122-schoolroom",
  ]) {
    expect(damageOf(name), name).toBeNull();
  }
});
