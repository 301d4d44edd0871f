/**
 * CodeMirror 6 on a text of Causeway.
 *
 * - `causeway.ts`: the extension.
 * - `deltas.ts`: changes of CodeMirror as deltas and back; pure.
 * - `sync.ts`: the view and the text, kept equal.
 * - `undo.ts`: keys and menus for the editor's own undo.
 * - `cursors.ts`: where the others are; `names.ts`: when their names are shown.
 */
export { causeway, type CausewayOptions } from "./causeway.js";
export { changesOf, deltaOf } from "./deltas.js";
