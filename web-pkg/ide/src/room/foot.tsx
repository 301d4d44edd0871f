import type { ReactElement } from "react";
import { CaretPlaceLine, type Caret } from "../editor/caret-place.tsx";
import { languageOf } from "../files/languages.ts";
import type { ShownFile } from "../files/shown-files.ts";
import { ConnectionMark } from "./connection.tsx";
import { SaveStatusLine } from "./save-status.tsx";

/** Where the work is, where the caret is, and whether there is a way to the others. */
export function Foot({ file, caret }: { readonly file: ShownFile | null; readonly caret: Caret }): ReactElement {
  return (
    <footer className="foot">
      {file !== null && <SaveStatusLine id={file.id} />}
      <div className="foot-end">
        {file !== null && (
          <span className="foot-item leaving-hint" aria-hidden="true">
            <kbd>Esc</kbd> then <kbd>Tab</kbd> leaves the text
          </span>
        )}
        {file !== null && <CaretPlaceLine caret={caret} />}
        {file !== null && <span className="foot-item language">{languageOf(file.path)?.name ?? "Plain text"}</span>}
        <ConnectionMark />
      </div>
    </footer>
  );
}
