import { expect, test } from "vitest";
import { EngineError, guarded } from "../../src/client/engine.js";
import { Profile, loadEngine } from "./joined.js";

test("an error of an argument is passed on, and the engine lives", () => {
  const refused = Object.assign(new Error("a path has …"), { code: "path" });
  expect(() => guarded(() => { throw refused; })).toThrow(refused);
  expect(guarded(() => 7)).toBe(7);
});

test("a page whose engine has met a bug can still be shown: its person, its channel and its first document need no engine", async () => {
  await loadEngine();
  const { room } = new Profile().open("trap");
  const shown = () => [room.presence.person, room.mainChannel, room.documents.firstDocument()];
  const before = shown();
  const text = room.text(room.documents.firstDocument());
  await text.ready;
  const onRelay = text.editor().applyDelta([{ insert: "words" }]).reached("relay");
  expect(before[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(() => guarded(() => { throw new WebAssembly.RuntimeError("unreachable"); })).toThrow(EngineError);
  expect(shown()).toEqual(before);
  room.reconnect();
  expect(room.connection.get().state).toBe("stopped");
  expect(text.writable.get()).toBe(false);
  await expect(onRelay).rejects.toMatchObject({ code: "engine-dead" });
  await room.close();
});

test("after a trap nothing calls the engine again", () => {
  expect(() => guarded(() => { throw new WebAssembly.RuntimeError("unreachable"); })).toThrow(EngineError);
  let isCalled = false;
  expect(() => guarded(() => (isCalled = true))).toThrow(/reload the page/);
  expect(isCalled).toBe(false);
});
