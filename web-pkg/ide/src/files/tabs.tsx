import { useEffect, useRef, type MouseEvent, type ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { Dots } from "../people/dots.tsx";
import { usePlaces } from "../people/places.ts";
import { Glyph } from "./glyph.tsx";
import type { RoomFiles } from "./room-files.ts";
import { parted, type ShownFile } from "./shown-files.ts";
import { folderOf } from "./tree.ts";

/** The open files. Delete closes the one with the focus, as a middle click does the one under the pointer. */
export function Tabs({ files }: { readonly files: RoomFiles }): ReactElement {
  const places = usePlaces();
  const strip = useRef<HTMLUListElement>(null);
  const { tabs, current } = files;
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
            isLeft={(files.list ?? []).every((other) => other.id !== file.id)}
            hint={tabs.some((other) => other !== file && sameName(other, file)) ? folderOf(file.path) || "." : null}
            dots={<Dots faces={places.get(file.id) ?? []} />}
            onChoose={() => files.choose(file.id)}
            onClose={() => files.close(file.id)}
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
  readonly dots: ReactElement;
  onChoose(): void;
  onClose(): void;
}

function Tab({ file, isCurrent, isLeft, hint, dots, onChoose, onClose }: TabProps): ReactElement {
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
        {dots}
      </button>
      <button type="button" className="tab-close" aria-label={`Close ${name}`} title="Close" onClick={onClose}>
        <Icon name="close" size={14} />
      </button>
    </li>
  );
}

function sameName(a: ShownFile, b: ShownFile): boolean {
  return parted(a.path).name === parted(b.path).name;
}
