import type { EditorView } from "@codemirror/view";
import { useCallback, useMemo, useRef, type ReactElement } from "react";
import { useTextHandle, useUndo } from "@causeway/web/react";
import type { RoomFiles } from "../files/room-files.ts";
import { parted, type ShownFile } from "../files/shown-files.ts";
import { Tabs } from "../files/tabs.tsx";
import { Icon } from "../parts/icon.tsx";
import { useIsLinkDown } from "../room/connection.tsx";
import { unseenWords } from "../room/notice-words.ts";
import { attempt } from "../shell/attempt.ts";
import { COMMAND } from "../shell/keys.ts";
import type { Caret } from "./caret-place.tsx";
import { EditorPane } from "./editor.tsx";
import { find } from "./find-panel.ts";
import { useOpenEditor, useOpenEditors, type OpenEditors } from "./open-editors.ts";
import type { Reveal } from "./reveal.ts";

export interface StageProps {
  readonly files: RoomFiles;
  readonly caret: Caret;
  readonly reveal: Reveal | null;
  /** Rises when somebody wants to write, wherever the focus is. */
  readonly wish: number;
  onQuickOpen(): void;
}

/** The file in the middle, or why there is none. */
export function Stage(props: StageProps): ReactElement {
  const { files } = props;
  const file = files.current;
  const ids = useMemo(() => files.tabs.map(({ id }) => id), [files.tabs]);
  const editors = useOpenEditors(ids);
  const isLinkDown = useIsLinkDown();
  if (file !== null) return <OpenFile key={file.id} file={file} editors={editors} {...props} />;
  if (files.list === null) return <Waiting>{isLinkDown ? unseenWords("files") : "Asking what is in this room…"}</Waiting>;
  return <NoFile isEmpty={files.list.length === 0} onQuickOpen={props.onQuickOpen} />;
}

interface OpenFileProps extends StageProps {
  readonly file: ShownFile;
  readonly editors: OpenEditors;
}

function OpenFile({ file, editors, files, caret, reveal, wish }: OpenFileProps): ReactElement {
  const { text, isOpen } = useTextHandle(file.id);
  const opened = isOpen ? text : null;
  const editor = useOpenEditor(editors, opened);
  const { canUndo, canRedo, undo, redo } = useUndo(editor);
  const { name } = parted(file.path);
  const view = useRef<EditorView | null>(null);
  const onView = useCallback((now: EditorView | null) => void (view.current = now), []);
  return (
    <>
      <div className="stage-head">
        <h2 className="unseen">{file.path}</h2>
        <Tabs files={files} />
        <button
          type="button"
          className="icon-button"
          aria-label="Find in this text"
          title={`Find in this text (${COMMAND}F)`}
          onClick={() => view.current !== null && find(view.current)}
        >
          <Icon name="search" />
        </button>
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
      {files.hasLeft(file) && (
        <div className="notice wait">
          <Icon name="info" />
          <div className="notice-words">
            This file is not on the room’s list any more. Its text is kept.
            <button type="button" className="button" onClick={() => void attempt(() => files.putBack([file]))}>
              Put back
            </button>
          </div>
        </div>
      )}
      {opened === null || editor === null ? (
        <Waiting>{`Opening ${name}…`}</Waiting>
      ) : (
        <EditorPane
          text={opened}
          editor={editor}
          editors={editors}
          path={file.path}
          caret={caret}
          reveal={reveal}
          wish={wish}
          onView={onView}
        />
      )}
    </>
  );
}

function NoFile({ isEmpty, onQuickOpen }: { readonly isEmpty: boolean; onQuickOpen(): void }): ReactElement {
  return (
    <div className="empty">
      <Icon name="file" size={40} />
      <h2>No file is open</h2>
      <p>{isEmpty ? "There are no files in this room. Make the first." : "Pick one on the left, or find it by name."}</p>
      <button type="button" className="button" onClick={onQuickOpen}>
        {isEmpty ? "New file" : "Go to a file"} <kbd>{COMMAND}P</kbd>
      </button>
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
