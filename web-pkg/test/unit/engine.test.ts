import { expect, test } from "vitest";
import { EngineError, guarded } from "../../src/client/engine.js";
import { Profile, loadEngine } from "./joined.js";

test("an error of an argument is passed on, and the engine lives", () => {
  const refused = Object.assign(new Error("a path has …"), { code: "path" });
  expect(() => guarded(() => { throw refused; })).toThrow(refused);
  expect(guarded(() => 7)).toBe(7);
});

test("a page whose engine has met a bug can still be shown: its person and the main channel need no engine", async () => {
  await loadEngine();
  const { room } = new Profile().open("trap");
  const shown = [room.presence.person, room.mainChannel];
  expect(shown[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(() => guarded(() => { throw new WebAssembly.RuntimeError("unreachable"); })).toThrow(EngineError);
  expect([room.presence.person, room.mainChannel]).toEqual(shown);
});

test("after a trap nothing calls the engine again", () => {
  expect(() => guarded(() => { throw new WebAssembly.RuntimeError("unreachable"); })).toThrow(EngineError);
  let isCalled = false;
  expect(() => guarded(() => (isCalled = true))).toThrow(/reload the page/);
  expect(isCalled).toBe(false);
});
