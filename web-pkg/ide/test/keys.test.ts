import { expect, test } from "vitest";
import { keyOf } from "../src/shell/key-of.ts";

test("W25 a shortcut is the key where its letter stands, on layouts without Latin letters too", () => {
  expect(keyOf({ key: "S", code: "KeyS" })).toBe("s");
  expect(keyOf({ key: "ы", code: "KeyS" })).toBe("s");
  expect(keyOf({ key: "σ", code: "KeyS" })).toBe("s");
  // Whoever writes Dvorak has an s elsewhere.
  expect(keyOf({ key: "s", code: "Semicolon" })).toBe("s");
  expect(keyOf({ key: "o", code: "KeyS" })).toBe("o");
  expect(keyOf({ key: "PageDown", code: "PageDown" })).toBe("pagedown");
  expect(keyOf({ key: "F1", code: "F1" })).toBe("f1");
});
