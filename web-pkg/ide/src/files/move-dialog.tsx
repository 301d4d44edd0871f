import type { ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { Picker, type Choice } from "../parts/picker.tsx";
import { bestMatches } from "./match.ts";
import { Marked } from "./marked.tsx";
import { complaintAbout, parted, type ShownFile } from "./shown-files.ts";
import { complaintAboutMove } from "./tree.ts";

export interface MoveDialogProps {
  /** Of a file or a folder. */
  readonly path: string;
  readonly files: readonly ShownFile[];
  readonly folders: readonly string[];
  onMove(folder: string): void;
  onClose(): void;
}

/** Moving without a mouse: pick the folder, or name a new one. */
export function MoveDialog({ path, files, folders, onMove, onClose }: MoveDialogProps): ReactElement {
  const { name } = parted(path);
  const fitting = ["", ...folders].filter((folder) => complaintAboutMove(files, path, folder) === null);
  const choices = (query: string): readonly Choice[] => {
    const known = bestMatches(query, fitting, (folder) => folder || TOP).map(({ candidate, match }) => ({
      key: `${candidate}/`,
      label: candidate || TOP,
      content: (
        <>
          <Icon name="folder" size={16} />
          <Marked text={candidate || TOP} hits={match.hits} />
        </>
      ),
      run: () => onMove(candidate),
    }));
    const wanted = query.trim().replace(/^\/+|\/+$/g, "");
    if (folders.includes(wanted) || complaintAbout(wanted, []) !== null) return known;
    const label = `New folder ${wanted}`;
    const content = (
      <>
        <Icon name="new-folder" size={16} />
        <span>{label}</span>
      </>
    );
    return [...known, { key: "new", label, content, run: () => onMove(wanted) }];
  };
  return (
    <Picker
      label={`Move ${name} to a folder`}
      placeholder={`Move ${name} to…`}
      nothing="It fits into no folder of this name."
      choices={choices}
      onClose={onClose}
    />
  );
}

/** Where files stand that are in no folder. */
const TOP = "top of the room";
