import type { ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { Picker, type Choice } from "../parts/picker.tsx";
import { attempt } from "../shell/attempt.ts";
import { Glyph } from "./glyph.tsx";
import { bestMatches } from "./match.ts";
import { Marked } from "./marked.tsx";
import type { RoomFiles } from "./room-files.ts";
import { complaintAbout, type ShownFile } from "./shown-files.ts";

export interface QuickOpenProps {
  readonly files: RoomFiles;
  onChosen(): void;
  onClose(): void;
}

/** Any file in a few letters. Files in tabs come first, the one looked at last of them. */
export function QuickOpen({ files, onChosen, onClose }: QuickOpenProps): ReactElement {
  const list = inOrder(files);
  const choices = (query: string): readonly Choice[] => {
    const known = bestMatches(query, list, (file) => file.path).map(({ candidate, match }) => ({
      key: candidate.id,
      label: candidate.path,
      content: (
        <>
          <Glyph path={candidate.path} />
          <Marked text={candidate.path} hits={match.hits} />
        </>
      ),
      run: () => {
        files.choose(candidate.id);
        onChosen();
      },
    }));
    const wanted = query.trim();
    const taken = list.map((file) => file.path);
    if (wanted === "" || complaintAbout(wanted, taken) !== null) return known;
    const label = `New file ${wanted}`;
    const content = (
      <>
        <Icon name="new-file" size={16} />
        <span>{label}</span>
      </>
    );
    return [...known, { key: "new", label, content, run: () => void attempt(() => files.create(wanted).then(onChosen)) }];
  };
  return (
    <Picker
      label="Go to a file"
      placeholder="Go to a file, or name a new one"
      nothing="There are no files here yet: type the name of the first."
      choices={choices}
      onClose={onClose}
    />
  );
}

function inOrder({ list, tabs, current }: RoomFiles): readonly ShownFile[] {
  const inTabs = tabs.filter((file) => file.listed && file.id !== current?.id);
  const known = new Set(inTabs.map((file) => file.id));
  const rest = (list ?? []).filter((file) => !known.has(file.id) && file.id !== current?.id);
  return [...inTabs, ...(current === null ? [] : [current]), ...rest];
}
