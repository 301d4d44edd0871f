import type { ReactElement } from "react";
import { useEditor, useTextHandle, useUndo } from "@causeway/web/react";
import { Icon } from "../parts/icon.tsx";
import { EditorPane } from "./editor.tsx";
import type { Files } from "./files.ts";
import { languageOf } from "./languages.ts";
import { parted, type ShownFile } from "./shown-files.ts";

/** The file in the middle, or why there is none. */
export function Stage({ files }: { readonly files: Files }): ReactElement {
  const file = files.current;
  if (file === null && files.list !== null) return <NoFile />;
  if (file === null) return <Waiting>Asking what is in this room…</Waiting>;
  return <OpenFile key={file.id} file={file} files={files} />;
}

function OpenFile({ file, files }: { readonly file: ShownFile; readonly files: Files }): ReactElement {
  const { text, isOpen } = useTextHandle(file.id);
  const opened = isOpen ? text : null;
  const editor = useEditor(opened);
  const { canUndo, canRedo, undo, redo } = useUndo(editor);
  const { folder, name } = parted(file.path);
  const isLeft = !file.listed && (files.list ?? []).every((other) => other.id !== file.id);
  return (
    <>
      <div className="file-head">
        <h2>
          {folder !== "" && <span className="folder">{folder}</span>}
          {name}
        </h2>
        <span className="language">{languageOf(file.path)?.name ?? "Plain text"}</span>
        <button
          type="button"
          className="icon-button"
          aria-label="Undo"
          title="Undo what you wrote"
          disabled={!canUndo}
          onClick={undo}
        >
          <Icon name="undo" />
        </button>
        <button type="button" className="icon-button" aria-label="Redo" title="Redo" disabled={!canRedo} onClick={redo}>
          <Icon name="redo" />
        </button>
      </div>
      {isLeft && (
        <div className="notice wait">
          <Icon name="info" />
          <div className="notice-words">
            This file is not on the room’s list any more. Its text is kept.
            <button type="button" className="button" onClick={() => void files.putBack(file)}>
              Put back
            </button>
          </div>
        </div>
      )}
      {opened === null || editor === null ? (
        <Waiting>{`Opening ${name}…`}</Waiting>
      ) : (
        <EditorPane text={opened} editor={editor} path={file.path} />
      )}
    </>
  );
}

function NoFile(): ReactElement {
  return (
    <div className="empty">
      <Icon name="file" size={40} />
      <h2>No file is open</h2>
      <p>Everything has been taken off this room’s list. Add a file with the plus beside “Files”.</p>
    </div>
  );
}

function Waiting({ children }: { readonly children: string }): ReactElement {
  return (
    <div className="empty appears-late" role="status">
      <p>{children}</p>
    </div>
  );
}
