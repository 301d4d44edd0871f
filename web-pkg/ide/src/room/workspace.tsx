import { useCallback, useEffect, useState, type CSSProperties, type ReactElement } from "react";
import type { Person } from "@causeway/web";
import { useRoom } from "@causeway/web/react";
import { Caret } from "../editor/caret-place.tsx";
import type { Reveal } from "../editor/reveal.ts";
import { Stage } from "../editor/stage.tsx";
import { FileTree } from "../files/file-tree.tsx";
import { QuickOpen } from "../files/quick-open.tsx";
import { useRoomFiles, type RoomFiles } from "../files/room-files.ts";
import { parted, type ShownFile } from "../files/shown-files.ts";
import { Resizer } from "../parts/resizer.tsx";
import { useAwayWhenHidden } from "../people/away.ts";
import { Comings } from "../people/comings.tsx";
import { MyCard } from "../people/my-card.tsx";
import { People } from "../people/people.tsx";
import { placeOf } from "../people/places.ts";
import { usePageKeys } from "../shell/keys.ts";
import { WIDTHS, useLayout, type Side } from "../shell/layout.ts";
import { shortName } from "../shell/room-name.ts";
import { useScreen } from "../shell/screen.ts";
import { Bar } from "./bar.tsx";
import { BottomBar } from "./bottom-bar.tsx";
import { Foot } from "./foot.tsx";
import { Notices } from "./notices.tsx";
import type { Pane } from "./panes.ts";
import { Removed } from "./removed.tsx";

/** The room's page: files on the left, the text in the middle, people on the right; on a phone one of them at a time. */
export function Workspace(): ReactElement {
  const room = useRoom();
  const files = useRoomFiles();
  const screen = useScreen();
  const [layout, changeColumn] = useLayout();
  const [pane, setPane] = useState<Pane>("edit");
  const [open, setOpen] = useState<"quick-open" | "my-card" | null>(null);
  const [removed, setRemoved] = useState<readonly ShownFile[]>([]);
  const [caret] = useState(() => new Caret());
  const forgetRemoved = useCallback(() => setRemoved([]), []);
  const closeDialog = () => setOpen(null);
  const toEditor = () => setPane("edit");
  const toggle = (side: Side) => changeColumn(side, { isOpen: !layout[side].isOpen });
  const { reveal, visit } = useVisit(files, toEditor);
  useTitle(files.current, room.name);
  useAwayWhenHidden();
  usePageKeys({
    "mod+p": () => setOpen("quick-open"),
    "mod+b": () => toggle("left"),
    "alt+pagedown": () => files.turn(1),
    "alt+pageup": () => files.turn(-1),
  });

  const isPhone = screen === "phone";
  const shows = (side: Side, own: Pane) => (isPhone ? pane === own : layout[side].isOpen);
  const widths = { "--left": `${layout.left.width}px`, "--right": `${layout.right.width}px` } as CSSProperties;
  return (
    <div className="workspace" data-pane={pane} style={widths}>
      <Bar
        screen={screen}
        layout={layout}
        onToggle={toggle}
        onQuickOpen={() => setOpen("quick-open")}
        onPeople={() => (isPhone ? setPane("people") : changeColumn("right", { isOpen: true }))}
        onVisit={visit}
        onChangeMe={() => setOpen("my-card")}
      />
      <aside className="side left" aria-label="Files of the room" hidden={!shows("left", "files")}>
        <FileTree files={files} onChosen={toEditor} onRemoved={setRemoved} />
        {!isPhone && <ColumnEdge side="left" width={layout.left.width} onWidth={changeColumn} />}
      </aside>
      <main className="stage" hidden={isPhone && pane !== "edit"}>
        <Notices id={files.current?.id ?? null} />
        <Stage files={files} caret={caret} reveal={reveal} onQuickOpen={() => setOpen("quick-open")} />
      </main>
      <aside className="side right" aria-label="People in the room" hidden={!shows("right", "people")}>
        {!isPhone && <ColumnEdge side="right" width={layout.right.width} onWidth={changeColumn} />}
        <People onChangeMe={() => setOpen("my-card")} onVisit={visit} />
      </aside>
      <Foot file={files.current} caret={caret} />
      {isPhone && <BottomBar pane={pane} onPane={setPane} />}
      {removed.length > 0 && <Removed removed={removed} files={files} onGone={forgetRemoved} />}
      {open === "quick-open" && <QuickOpen files={files} onChosen={toEditor} onClose={closeDialog} />}
      {open === "my-card" && <MyCard onClose={closeDialog} />}
      <Comings />
      <p id="editor-keys" className="unseen">
        Tab indents. To leave the text with the keyboard, press Escape, then Tab.
      </p>
    </div>
  );
}

interface ColumnEdgeProps {
  readonly side: Side;
  readonly width: number;
  onWidth(side: Side, change: { readonly width: number }): void;
}

function ColumnEdge({ side, width, onWidth }: ColumnEdgeProps): ReactElement {
  return (
    <Resizer
      label={side === "left" ? "Width of the files" : "Width of the right column"}
      width={width}
      {...WIDTHS[side]}
      growsRight={side === "left"}
      onWidth={(width) => onWidth(side, { width })}
    />
  );
}

/** Going to where somebody is: their file, and in it their caret. */
function useVisit(files: RoomFiles, onGone: () => void) {
  const { presence } = useRoom();
  const [reveal, setReveal] = useState<Reveal | null>(null);
  const visit = (id: Person["id"]) => {
    const person = presence.others.get().find((other) => other.id === id);
    const stream = person === undefined ? null : placeOf(person);
    const file = files.list?.find((other) => other.id === stream);
    if (person === undefined || file === undefined) return;
    files.choose(file.id);
    if (person.cursor?.stream === file.id) setReveal({ stream: file.id, anchor: person.cursor.head });
    onGone();
  };
  return { reveal, visit };
}

function useTitle(file: ShownFile | null, room: string): void {
  const title = file === null ? "" : `${parted(file.path).name} · `;
  useEffect(() => {
    document.title = `${title}${shortName(room)} · Causeway`;
  }, [title, room]);
}
