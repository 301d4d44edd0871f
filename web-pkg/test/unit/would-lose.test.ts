/** Whether closing a page would lose something, asked in the worst of moments. */
import { expect, test, vi } from "vitest";
import { WasmRoom } from "../../wasm/causeway.js";
import { Profile, loadEngine } from "./joined.js";

test("W13 an engine that dies of the question whether something would be lost counts as the only copy, and the page is told", async () => {
  await loadEngine();
  const page = new Profile().open("asked-to-death", "memory");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  text.editor().applyDelta([{ insert: "nowhere else" }]);
  const told: string[] = [];
  page.room.notices(({ kind }) => told.push(kind));
  const trap = vi.spyOn(WasmRoom.prototype, "saveStatus").mockImplementation(() => {
    throw new WebAssembly.RuntimeError("unreachable");
  });
  expect(page.room.wouldLose()).toBe(true);
  expect(told).toEqual(["engine-dead"]);
  expect(page.room.wouldLose()).toBe(true);
  expect(trap).toHaveBeenCalledTimes(1);
  trap.mockRestore();
  page.die();
});
