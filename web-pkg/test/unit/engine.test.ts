import { expect, test } from "vitest";
import { EngineError, guarded } from "../../src/client/engine.js";

test("an error of an argument is passed on, and the engine lives", () => {
  const refused = Object.assign(new Error("a path has …"), { code: "path" });
  expect(() => guarded(() => { throw refused; })).toThrow(refused);
  expect(guarded(() => 7)).toBe(7);
});

test("after a trap nothing calls the engine again", () => {
  expect(() => guarded(() => { throw new WebAssembly.RuntimeError("unreachable"); })).toThrow(EngineError);
  let isCalled = false;
  expect(() => guarded(() => (isCalled = true))).toThrow(/reload the page/);
  expect(isCalled).toBe(false);
});
