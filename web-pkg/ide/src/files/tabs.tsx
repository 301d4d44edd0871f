import { useEffect, useRef, type MouseEvent, type ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { Dots } from "../people/dots.tsx";
import { usePlaces, type Face } from "../people/places.ts";
import { Glyph } from "./glyph.tsx";
import type { RoomFiles } from "./room-files.ts";
import { parted, type ShownFile } from "./shown-files.ts";
import { folderOf } from "./tree.ts";

/** The open files. Delete closes the one with the focus, as a middle click does the one under the pointer. */
export function Tabs({ files }: { readonly files: RoomFiles }): ReactElement {
  const places = usePlaces();
  const strip = useRef<HTMLUListElement>(null);
  const { tabs, current } = files;
  const close = (file: ShownFile) => {
    const hadFocus = strip.current?.contains(document.activeElement) ?? false;
    files.close(file.id);
    // The one looked at takes the focus with its text; the tab of another leaves it to the one looked at.
    if (!hadFocus || file.id === current?.id) return;
    requestAnimationFrame(() => strip.current?.querySelector<HTMLElement>(".current .tab-name")?.focus());
  };
  useEffect(() => {
    strip.current?.querySelector(".current")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [current?.id]);
  return (
    <nav className="tabs" aria-label="Open files">
      <ul ref={strip}>
        {tabs.map((file) => (
          <Tab
            key={file.id}
            file={file}
            isCurrent={file.id === current?.id}
            isLeft={files.hasLeft(file)}
            hint={tabs.some((other) => other !== file && sameName(other, file)) ? folderOf(file.path) || "." : null}
            faces={places.get(file.id) ?? []}
            onChoose={() => files.choose(file.id)}
            onClose={() => close(file)}
          />
        ))}
      </ul>
    </nav>
  );
}

interface TabProps {
  readonly file: ShownFile;
  readonly isCurrent: boolean;
  /** Somebody has taken it off the room's list. */
  readonly isLeft: boolean;
  /** The folder, where two tabs have one name. */
  readonly hint: string | null;
  readonly faces: readonly Face[];
  onChoose(): void;
  onClose(): void;
}

function Tab({ file, isCurrent, isLeft, hint, faces, onChoose, onClose }: TabProps): ReactElement {
  const { name } = parted(file.path);
  const onAuxClick = (event: MouseEvent) => {
    if (event.button === 1) onClose();
  };
  return (
    <li className={isCurrent ? "tab current" : "tab"} onAuxClick={onAuxClick}>
      <button
        type="button"
        className="tab-name"
        aria-current={isCurrent ? "page" : undefined}
        title={file.path}
        onClick={onChoose}
        onKeyDown={(event) => {
          if (event.key === "Delete") onClose();
        }}
      >
        <Glyph path={file.path} />
        <span className={isLeft ? "left" : undefined}>{name}</span>
        {hint !== null && <span className="tab-hint">{hint}</span>}
        <Dots faces={faces} />
        <span className="unseen">{notesOn(isLeft, faces)}</span>
      </button>
      <button type="button" className="tab-close" aria-label={`Close ${name}`} title="Close" onClick={onClose}>
        <Icon name="close" size={14} />
      </button>
    </li>
  );
}

/** What lines and dots say to the eye. */
function notesOn(isLeft: boolean, faces: readonly Face[]): string {
  const here = faces.length === 0 ? "" : `, here: ${faces.map((face) => face.name).join(", ")}`;
  return `${isLeft ? ", off the list" : ""}${here}`;
}

function sameName(a: ShownFile, b: ShownFile): boolean {
  return parted(a.path).name === parted(b.path).name;
}
