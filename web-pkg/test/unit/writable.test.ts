// @vitest-environment happy-dom
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { expect, test } from "vitest";
import { Cell } from "../../src/client/cell.js";
import { writable } from "../../src/codemirror/writable.js";

async function shown(view: EditorView): Promise<boolean> {
  await Promise.resolve();
  return view.state.readOnly;
}

test("D7 a state that is made before the disk is full and shown afterwards is locked at once", async () => {
  const canWrite = new Cell(true);
  const state = EditorState.create({ doc: "words", extensions: writable({ writable: canWrite }) });
  canWrite.set(false);
  const view = new EditorView({ state, parent: document.body });
  expect(await shown(view)).toBe(true);
  canWrite.set(true);
  expect(await shown(view)).toBe(false);
  canWrite.set(false);
  expect(await shown(view)).toBe(true);
  // The state of before is shown again, and another beside it.
  view.setState(state);
  const beside = new EditorView({ state, parent: document.body });
  expect(await shown(view)).toBe(true);
  expect(await shown(beside)).toBe(true);
  canWrite.set(true);
  expect(await shown(view)).toBe(false);
  expect(await shown(beside)).toBe(false);
  view.destroy();
  beside.destroy();
});

test("D7 a state that is made while the disk is full and shown afterwards can be written", async () => {
  const canWrite = new Cell(false);
  const state = EditorState.create({ doc: "words", extensions: writable({ writable: canWrite }) });
  canWrite.set(true);
  const view = new EditorView({ state, parent: document.body });
  expect(await shown(view)).toBe(false);
  view.destroy();
});
