// @vitest-environment happy-dom
import { readFile } from "node:fs/promises";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { beforeAll, expect, test, vi } from "vitest";
import { init } from "../../src/client/index.js";
import { causeway } from "../../src/codemirror/index.js";
import { Profile } from "./joined.js";

beforeAll(() => readFile("wasm/causeway_bg.wasm").then((bytes) => init(bytes)));

test("what an app changes under a view's editor stands in the view, of the same length or not", async () => {
  const page = new Profile().open("beside", "memory");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  const editor = text.editor();
  editor.applyDelta([{ insert: "tide line" }]);
  await Promise.resolve();
  const state = EditorState.create({ doc: text.toString(), extensions: [causeway(text, { editor })] });
  const [view, beside] = [1, 2].map(() => new EditorView({ state, parent: document.body }));
  const shown = (): (string | undefined)[] => [view, beside].map((one) => one?.state.doc.toString());
  editor.applyDelta([{ insert: "T" }, { delete: 1 }]);
  await vi.waitFor(() => expect(shown()).toEqual(["Tide line", "Tide line"]));
  editor.applyDelta([{ retain: 9 }, { insert: "s" }]);
  await vi.waitFor(() => expect(shown()).toEqual(["Tide lines", "Tide lines"]));
  // In one go with a key of the view.
  editor.applyDelta([{ insert: "t" }, { delete: 1 }]);
  view?.dispatch({ changes: { from: 10, insert: "!" } });
  await vi.waitFor(() => expect(shown()).toEqual(["tide lines!", "tide lines!"]));
  expect(text.toString()).toBe("tide lines!");
  editor.undo();
  await vi.waitFor(() => expect(shown()).toEqual([text.toString(), text.toString()]));
  for (const one of [view, beside]) one?.destroy();
  page.die();
});

test("typing does not read the text anew", async () => {
  const page = new Profile().open("typing", "memory");
  const text = page.room.text(page.room.documents.firstDocument());
  await text.ready;
  const view = new EditorView({ state: EditorState.create({ extensions: [causeway(text)] }), parent: document.body });
  await Promise.resolve();
  const read = vi.spyOn(text, "toString");
  for (const [at, key] of [..."stones"].entries()) {
    view.dispatch({ changes: { from: at, insert: key } });
    await Promise.resolve();
    await Promise.resolve();
  }
  expect(read).not.toHaveBeenCalled();
  read.mockRestore();
  expect(text.toString()).toBe("stones");
  view.destroy();
  page.die();
});
