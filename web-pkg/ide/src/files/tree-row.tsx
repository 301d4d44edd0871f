import type { CSSProperties, DragEvent, MouseEvent, ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import type { MenuPlace } from "../parts/menu.tsx";
import { Dots } from "../people/dots.tsx";
import type { Face } from "../people/places.ts";
import { Glyph } from "./glyph.tsx";
import type { TreeRow } from "./tree.ts";

export interface TreeLineProps {
  readonly row: TreeRow;
  readonly isCurrent: boolean;
  /** The one line that the Tab key reaches. */
  readonly isReached: boolean;
  readonly isDropTarget: boolean;
  /** Who is in this file, or somewhere in this folder while it is folded. */
  readonly faces: readonly Face[];
  onPress(): void;
  onFocus(): void;
  onMenu(at: MenuPlace): void;
  onDragStart(event: DragEvent): void;
  onDragEnd(): void;
}

export function TreeLine(props: TreeLineProps): ReactElement {
  const { row, isCurrent, isReached, isDropTarget, faces, onPress, onFocus, onMenu, onDragStart, onDragEnd } = props;
  const classes = ["tree-line", row.kind];
  if (isCurrent) classes.push("current");
  if (isDropTarget) classes.push("drop");
  const here = faces.map((face) => face.name).join(", ");
  const onMore = (event: MouseEvent) => {
    event.stopPropagation();
    const { left, bottom } = event.currentTarget.getBoundingClientRect();
    onMenu({ x: left, y: bottom + 2 });
  };
  return (
    <div
      role="treeitem"
      className={classes.join(" ")}
      style={indent(row.depth)}
      data-path={row.path}
      aria-label={here === "" ? row.name : `${row.name}, here: ${here}`}
      aria-level={row.depth + 1}
      aria-posinset={row.place}
      aria-setsize={row.among}
      aria-expanded={row.kind === "folder" ? row.isOpen : undefined}
      aria-selected={isCurrent}
      tabIndex={isReached ? 0 : -1}
      title={row.path}
      draggable
      onClick={onPress}
      onFocus={onFocus}
      onContextMenu={(event) => {
        event.preventDefault();
        onMenu({ x: event.clientX, y: event.clientY });
      }}
      onDragStart={onDragStart}
      onDragEnd={onDragEnd}
    >
      <span className="tree-fold">{row.kind === "folder" && <Icon name="chevron" size={12} />}</span>
      {row.kind === "folder" ? (
        <span className="glyph">
          <Icon name="folder" size={16} />
        </span>
      ) : (
        <Glyph path={row.path} />
      )}
      <span className="tree-name">{row.name}</span>
      <Dots faces={faces} />
      <button
        type="button"
        className="tree-more"
        tabIndex={-1}
        aria-label={`More about ${row.path}`}
        title="More"
        onClick={onMore}
        onKeyDown={(event) => event.stopPropagation()}
      >
        <Icon name="more" size={16} />
      </button>
    </div>
  );
}

/** How far a line is set in. */
export function indent(depth: number): CSSProperties {
  return { "--depth": depth } as CSSProperties;
}
