import { Fragment, useId, type KeyboardEvent, type ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { Menu, type MenuItem } from "../parts/menu.tsx";
import { Question } from "../parts/question.tsx";
import { usePlaces, type Face } from "../people/places.ts";
import { useTreeDrag } from "./drag.ts";
import { MoveDialog } from "./move-dialog.tsx";
import { NameField } from "./name-field.tsx";
import { useIsLinkDown } from "../room/connection.tsx";
import { unseenWords } from "../room/notice-words.ts";
import type { Transfers } from "../transfer/transfers.ts";
import { Upload } from "../transfer/upload.tsx";
import { useRemovedFiles } from "./removed-files.ts";
import { RemovedList } from "./removed-list.tsx";
import type { RoomFiles } from "./room-files.ts";
import type { ShownFile } from "./shown-files.ts";
import { isIn, type TreeRow } from "./tree.ts";
import { treeCommand } from "./tree-keys.ts";
import { TreeLine, indent } from "./tree-row.tsx";
import { useTreeWork, type TreeNews, type TreeWork } from "./tree-work.ts";

export interface FileTreeProps extends TreeNews {
  readonly files: RoomFiles;
  readonly transfers: Transfers;
}

/** The room's files in their folders. */
export function FileTree({ files, transfers, onChosen, onRemoved }: FileTreeProps): ReactElement {
  const work = useTreeWork(files, { onChosen, onRemoved });
  const removed = useRemovedFiles();
  const heading = useId();
  const listed = (files.list ?? []).filter((file) => file.listed);
  // An offered first document stands for nothing that is known.
  const isUnseen = useIsLinkDown() && files.list?.length !== 0 && (files.list ?? []).every((file) => !file.listed);
  const isBare = files.list?.length === 0 && work.naming === null && work.folds.made.length === 0;
  return (
    <nav className="files" aria-labelledby={heading}>
      <div className="section-head">
        <h2 id={heading}>Files</h2>
        <HeadButton label="New file" icon="new-file" onPress={() => work.make("file", "")} />
        <HeadButton label="New folder" icon="new-folder" onPress={() => work.make("folder", "")} />
        <Upload transfers={transfers} />
        <HeadButton
          label="Download all as .zip"
          icon="download"
          isOff={listed.length === 0}
          onPress={() => void transfers.takeAll(listed)}
        />
      </div>
      {isUnseen && <p className="quiet">{unseenWords("files")}</p>}
      {files.list === null && !isUnseen && <p className="quiet">Asking what is in this room…</p>}
      {isBare && <p className="quiet">There are no files here yet.</p>}
      <Fresh work={work} folder="" depth={0} />
      <Lines work={work} current={files.current} />
      <RemovedList removed={removed} files={files} />
      {work.menu !== null && (
        <Menu
          label={work.menu.row.path}
          at={work.menu.at}
          items={itemsFor(work.menu.row, work, transfers)}
          onClose={work.done}
        />
      )}
      {work.moving !== null && <WhereTo work={work} row={work.moving} />}
      {work.removing !== null && <BeforeRemoving work={work} {...work.removing} />}
    </nav>
  );
}

interface HeadButtonProps {
  readonly label: string;
  readonly icon: "new-file" | "new-folder" | "download";
  readonly isOff?: boolean;
  onPress(): void;
}

function HeadButton({ label, icon, isOff = false, onPress }: HeadButtonProps): ReactElement {
  return (
    <button type="button" className="icon-button small" aria-label={label} title={label} disabled={isOff} onClick={onPress}>
      <Icon name={icon} size={17} />
    </button>
  );
}

function Lines({ work, current }: { readonly work: TreeWork; readonly current: ShownFile | null }): ReactElement {
  const { rows, list, naming, focus } = work;
  const places = usePlaces();
  const drag = useTreeDrag(list, work.move, work.folds.unfold);
  return (
    <div
      ref={focus.tree}
      className={drag.over === "" ? "tree drop" : "tree"}
      role="tree"
      aria-label="Files"
      onKeyDown={(event) => obey(event, work)}
      {...drag.tree}
    >
      {rows.map((row) => (
        <Fragment key={row.kind === "file" ? row.file.id : `${row.path}/`}>
          {naming?.what === "rename" && naming.row.path === row.path ? (
            <Field work={work} depth={row.depth} icon={row.kind} initial={row.name} label={`New name for ${row.path}`} />
          ) : (
            <TreeLine
              row={row}
              isCurrent={row.kind === "file" && row.file.id === current?.id}
              isReached={row.path === focus.path}
              isDropTarget={row.kind === "folder" && drag.over === row.path}
              faces={facesAt(row, list, places)}
              onPress={() => work.choose(row)}
              onFocus={() => focus.note(row.path)}
              onMenu={(at) => work.openMenu(row, at)}
              onDragStart={(event) => drag.start(row.path, event)}
              onDragEnd={drag.end}
            />
          )}
          {row.kind === "folder" && <Fresh work={work} folder={row.path} depth={row.depth + 1} />}
        </Fragment>
      ))}
    </div>
  );
}

function obey(event: KeyboardEvent, work: TreeWork): void {
  const hasModifier = event.ctrlKey || event.altKey || event.metaKey;
  const key = { name: event.key, shift: event.shiftKey, hasModifier };
  const command = treeCommand(key, work.rows, work.focus.path);
  if (command === null) return;
  event.preventDefault();
  switch (command.do) {
    case "focus":
      return work.focus.now(command.path);
    case "open":
    case "fold":
    case "unfold":
      return work.choose(command.row);
    case "rename":
      return work.rename(command.row);
    case "move":
      return work.askWhereTo(command.row);
    case "remove":
      return work.remove(command.row);
    case "menu": {
      const { left, bottom } = (event.target as Element).getBoundingClientRect();
      return work.openMenu(command.row, { x: left + 32, y: bottom });
    }
  }
}

function itemsFor(row: TreeRow, work: TreeWork, transfers: Transfers): readonly MenuItem[] {
  const items: MenuItem[] = [];
  if (row.kind === "folder") {
    items.push({ label: "New file here", icon: "new-file", run: () => work.make("file", row.path) });
    items.push({ label: "New folder here", icon: "new-folder", run: () => work.make("folder", row.path) });
  }
  items.push({ label: "Rename", icon: "rename", keys: "F2", run: () => work.rename(row) });
  items.push({ label: "Move to…", icon: "move-to", keys: "F6", run: () => work.askWhereTo(row) });
  const inside = row.kind === "folder" ? work.list.filter((file) => file.listed && isIn(row.path, file.path)) : [];
  if (row.kind === "file") items.push({ label: "Download", icon: "download", run: () => void transfers.takeFile(row.file) });
  else if (inside.length > 0) {
    items.push({ label: "Download as .zip", icon: "download", run: () => void transfers.takeAll(inside, row.name) });
  }
  if (row.kind === "folder" || row.file.listed) {
    items.push({ label: "Remove", icon: "remove", keys: "Del", isGrave: true, run: () => work.remove(row) });
  }
  return items;
}

function WhereTo({ work, row }: { readonly work: TreeWork; readonly row: TreeRow }): ReactElement {
  return (
    <MoveDialog
      path={row.path}
      files={work.list}
      folders={work.folds.all}
      onMove={(folder) => work.move(row.path, folder)}
      onClose={work.done}
    />
  );
}

function BeforeRemoving({ work, row, files }: NonNullable<TreeWork["removing"]> & { work: TreeWork }): ReactElement {
  const what = files.length === 1 ? "1 file" : `${files.length} files`;
  return (
    <Question title={`Remove ${row.name}?`} yes={`Remove ${what}`} onYes={work.removeAsked} onClose={work.done}>
      {what} in this folder will be off the room’s list for everybody. Below the files, under “Removed”, they can be put
      back.
    </Question>
  );
}

/** The field for a new file or folder, where it will stand. */
function Fresh({ work, folder, depth }: { work: TreeWork; folder: string; depth: number }): ReactElement | null {
  const { naming } = work;
  if (naming === null || naming.what === "rename" || naming.folder !== folder) return null;
  return <Field work={work} depth={depth} icon={naming.what} initial="" label={`Name of the new ${naming.what}`} />;
}

interface FieldProps {
  readonly work: TreeWork;
  readonly depth: number;
  readonly icon: "file" | "folder";
  readonly initial: string;
  readonly label: string;
}

function Field({ work, depth, icon, initial, label }: FieldProps): ReactElement {
  return (
    <div role="none" className="tree-line naming" style={indent(depth)}>
      <span className="tree-fold" />
      <span className="glyph">
        <Icon name={icon} size={16} />
      </span>
      <NameField label={label} initial={initial} complaint={work.complaint} onName={work.named} onDone={work.done} />
    </div>
  );
}

function facesAt(
  row: TreeRow,
  list: readonly ShownFile[],
  places: ReadonlyMap<string, readonly Face[]>,
): readonly Face[] {
  if (row.kind === "file") return places.get(row.file.id) ?? [];
  if (row.isOpen) return [];
  return list.filter((file) => isIn(row.path, file.path)).flatMap((file) => places.get(file.id) ?? []);
}
