import { useId, useState, type FormEvent, type KeyboardEvent, type ReactElement } from "react";
import type { StreamId } from "@causeway/web";
import { Icon } from "../parts/icon.tsx";
import type { Files } from "./files.ts";
import { complaintAbout, parted, type ShownFile } from "./shown-files.ts";

export interface FileListProps {
  readonly files: Files;
  /** After a choice; on a phone the drawer closes. */
  onChosen(): void;
  onRemoved(file: ShownFile): void;
}

export function FileList({ files, onChosen, onRemoved }: FileListProps): ReactElement {
  const [naming, setNaming] = useState<"new" | StreamId | null>(null);
  const heading = useId();
  const list = files.list ?? [];
  return (
    <nav className="files" aria-labelledby={heading}>
      <div className="section-head">
        <h2 id={heading}>Files</h2>
        <button
          type="button"
          className="icon-button small"
          aria-label="New file"
          title="New file"
          onClick={() => setNaming("new")}
        >
          <Icon name="add" />
        </button>
      </div>
      {naming === "new" && (
        <NameForm
          label="Name of the new file"
          initial=""
          taken={list.map((file) => file.path)}
          onDone={() => setNaming(null)}
          onName={async (path) => {
            await files.create(path);
            onChosen();
          }}
        />
      )}
      {files.list === null && <p className="quiet">Asking what is in this room…</p>}
      {files.list?.length === 0 && naming === null && <p className="quiet">No files on the list.</p>}
      <ul>
        {list.map((file) =>
          naming === file.id ? (
            <li key={file.id}>
              <NameForm
                label={`New name for ${file.path}`}
                initial={file.path}
                taken={list.filter((other) => other.id !== file.id).map((other) => other.path)}
                onDone={() => setNaming(null)}
                onName={(path) => files.rename(file.id, path)}
              />
            </li>
          ) : (
            <FileLine
              key={file.id}
              file={file}
              isCurrent={file.id === files.current?.id}
              onChoose={() => {
                files.choose(file.id);
                onChosen();
              }}
              onRename={() => setNaming(file.id)}
              onRemove={() => void files.remove(file).then(() => onRemoved(file))}
            />
          ),
        )}
      </ul>
    </nav>
  );
}

interface FileLineProps {
  readonly file: ShownFile;
  readonly isCurrent: boolean;
  onChoose(): void;
  onRename(): void;
  onRemove(): void;
}

function FileLine({ file, isCurrent, onChoose, onRename, onRemove }: FileLineProps): ReactElement {
  const { folder, name } = parted(file.path);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "F2") onRename();
  };
  return (
    <li className={isCurrent ? "file current" : "file"}>
      <button
        type="button"
        className="file-name"
        aria-current={isCurrent ? "true" : undefined}
        title={file.path}
        onClick={onChoose}
        onDoubleClick={onRename}
        onKeyDown={onKeyDown}
      >
        <Icon name="file" size={16} />
        <span className="path">
          {folder !== "" && <span className="folder">{folder}</span>}
          {name}
        </span>
      </button>
      <span className="file-actions">
        <button
          type="button"
          className="icon-button small"
          aria-label={`Rename ${file.path}`}
          title="Rename (F2)"
          onClick={onRename}
        >
          <Icon name="rename" size={15} />
        </button>
        {file.listed && (
          <button
            type="button"
            className="icon-button small"
            aria-label={`Take ${file.path} off the list`}
            title="Take off the list"
            onClick={onRemove}
          >
            <Icon name="remove" size={15} />
          </button>
        )}
      </span>
    </li>
  );
}

interface NameFormProps {
  readonly label: string;
  readonly initial: string;
  readonly taken: readonly string[];
  onName(path: string): Promise<void>;
  onDone(): void;
}

function NameForm({ label, initial, taken, onName, onDone }: NameFormProps): ReactElement {
  const [path, setPath] = useState(initial);
  const [complaint, setComplaint] = useState<string | null>(null);
  const complaintId = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wanted = path.trim();
    if (wanted === initial) return onDone();
    const wrong = complaintAbout(wanted, taken);
    if (wrong !== null) return setComplaint(wrong);
    onName(wanted).then(onDone, (refused: Error) => setComplaint(refused.message));
  };
  return (
    <form className="name-form" onSubmit={submit} noValidate>
      <input
        className="field"
        aria-label={label}
        aria-invalid={complaint !== null}
        aria-describedby={complaintId}
        placeholder="notes.md"
        value={path}
        autoFocus
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        onFocus={(event) => event.target.setSelectionRange(parted(path).folder.length, stemEnd(path))}
        onChange={(event) => {
          setPath(event.target.value);
          setComplaint(null);
        }}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          // Escape leaves this form, not the drawer around it.
          event.stopPropagation();
          event.preventDefault();
          onDone();
        }}
      />
      <button type="submit" className="icon-button small" aria-label="Keep this name" title="Keep this name (Enter)">
        <Icon name="check" size={16} />
      </button>
      <button type="button" className="icon-button small" aria-label="Cancel" title="Cancel (Escape)" onClick={onDone}>
        <Icon name="close" size={16} />
      </button>
      <p id={complaintId} className="complaint" role="alert" hidden={complaint === null}>
        {complaint}
      </p>
    </form>
  );
}

/** Where the name ends and its ending begins: a rename usually keeps the ending. */
function stemEnd(path: string): number {
  const dot = path.lastIndexOf(".");
  return dot > path.lastIndexOf("/") + 1 ? dot : path.length;
}
