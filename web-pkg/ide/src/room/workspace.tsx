import { useCallback, useEffect, useRef, useState, type CSSProperties, type ReactElement } from "react";
import type { Person } from "@causeway/web";
import { useRoom } from "@causeway/web/react";
import { News, useUnread } from "../chat/unread.tsx";
import { Caret } from "../editor/caret-place.tsx";
import type { Reveal } from "../editor/reveal.ts";
import { Stage } from "../editor/stage.tsx";
import { FileTree } from "../files/file-tree.tsx";
import { QuickOpen } from "../files/quick-open.tsx";
import { useRoomFiles, type RoomFiles } from "../files/room-files.ts";
import { parted, type ShownFile } from "../files/shown-files.ts";
import { ForksDialog } from "../forks/forks-dialog.tsx";
import { Resizer } from "../parts/resizer.tsx";
import { useAwayWhenHidden } from "../people/away.ts";
import { Comings } from "../people/comings.tsx";
import { MyCard } from "../people/my-card.tsx";
import { useColourOfOnesOwn } from "../people/own-colour.ts";
import { placeOf } from "../people/places.ts";
import { usePageKeys } from "../shell/keys.ts";
import { DropZone } from "../transfer/drop-zone.tsx";
import { TransferLine } from "../transfer/transfer-line.tsx";
import { useTransfers } from "../transfer/transfers.ts";
import { WIDTHS, useLayout, type Side } from "../shell/layout.ts";
import { shortName } from "../shell/room-name.ts";
import { useScreen } from "../shell/screen.ts";
import { Bar } from "./bar.tsx";
import { BottomBar } from "./bottom-bar.tsx";
import { Foot } from "./foot.tsx";
import { Notices } from "./notices.tsx";
import type { Pane } from "./panes.ts";
import { Removed } from "./removed.tsx";
import { SavedByHand } from "./saved-by-hand.tsx";
import { ShortcutsDialog } from "./shortcuts-dialog.tsx";
import { RightColumn, type Talk } from "./right-column.tsx";

/** The room's page: files on the left, the text in the middle, chat and people on the right; on a phone one at a time. */
export function Workspace(): ReactElement {
  const room = useRoom();
  const files = useRoomFiles();
  const screen = useScreen();
  const [layout, changeColumn] = useLayout();
  const [pane, setPane] = useState<Pane>("edit");
  const [talk, setTalk] = useState<Talk>("chat");
  const field = useRef<HTMLTextAreaElement>(null);
  const [open, setOpen] = useState<"quick-open" | "my-card" | "forks" | "shortcuts" | null>(null);
  const [saves, setSaves] = useState(0);
  const endSave = useCallback(() => setSaves(0), []);
  const [removed, setRemoved] = useState<readonly ShownFile[]>([]);
  const [caret] = useState(() => new Caret());
  const forgetRemoved = useCallback(
    (files: readonly ShownFile[]) => setRemoved((removed) => removed.filter((file) => !files.includes(file))),
    [],
  );
  const closeDialog = () => setOpen(null);
  const [wish, setWish] = useState(0);
  const toEditor = () => setPane("edit");
  const toWriting = () => {
    toEditor();
    setWish((wish) => wish + 1);
  };
  const toggle = (side: Side) => changeColumn(side, { isOpen: !layout[side].isOpen });
  const { reveal, visit } = useVisit(files, toEditor);
  const transfers = useTransfers((id) => {
    files.choose(id);
    toEditor();
  });
  useAwayWhenHidden();
  useColourOfOnesOwn();
  const isPhone = screen === "phone";
  const show = (talk: Talk) => {
    setTalk(talk);
    if (isPhone) setPane(talk);
    else changeColumn("right", { isOpen: true });
  };
  const toChat = () => {
    show("chat");
    // Once it is in sight.
    requestAnimationFrame(() => field.current?.focus());
  };
  usePageKeys({
    "mod+j": toChat,
    "mod+p": () => setOpen("quick-open"),
    "mod+b": () => toggle("left"),
    "mod+s": () => setSaves((saves) => saves + 1),
    f1: () => setOpen("shortcuts"),
    "alt+pagedown": () => files.turn(1),
    "alt+pageup": () => files.turn(-1),
  });

  const isLeftShown = isPhone ? pane === "files" : layout.left.isOpen;
  const isRightShown = isPhone ? pane === "chat" || pane === "people" : layout.right.isOpen;
  const widths = { "--left": `${layout.left.width}px`, "--right": `${layout.right.width}px` } as CSSProperties;
  return (
    <div className="workspace" data-pane={pane} style={widths}>
      <Bar
        screen={screen}
        layout={layout}
        onToggle={toggle}
        onQuickOpen={() => setOpen("quick-open")}
        onPeople={() => show("people")}
        onVisit={visit}
        onChangeMe={() => setOpen("my-card")}
        onShortcuts={() => setOpen("shortcuts")}
      />
      <aside className="side left" aria-label="Files of the room" hidden={!isLeftShown}>
        <FileTree
          files={files}
          transfers={transfers}
          onChosen={toEditor}
          onRemoved={(gone) => setRemoved((removed) => [...removed, ...gone])}
        />
        {!isPhone && <ColumnEdge side="left" width={layout.left.width} onWidth={changeColumn} />}
      </aside>
      <Notices onForks={() => setOpen("forks")} />
      <main className="stage" hidden={isPhone && pane !== "edit"}>
        <Stage files={files} caret={caret} reveal={reveal} wish={wish} onQuickOpen={() => setOpen("quick-open")} />
      </main>
      <aside className="side right" aria-label="Chat and people" hidden={!isRightShown}>
        {!isPhone && <ColumnEdge side="right" width={layout.right.width} onWidth={changeColumn} />}
        <RightColumn
          shown={talk}
          isVisible={isRightShown}
          hasHead={!isPhone}
          field={field}
          onShow={show}
          onChangeMe={() => setOpen("my-card")}
          onVisit={visit}
        />
      </aside>
      <Foot file={files.current} caret={caret} />
      {isPhone && <BottomBar pane={pane} onPane={(pane) => (pane === "chat" || pane === "people" ? show(pane) : setPane(pane))} />}
      <div className="toasts">
        {removed.length > 0 && <Removed removed={removed} files={files} onGone={forgetRemoved} />}
        {saves > 0 && <SavedByHand id={files.current?.id ?? null} asked={saves} onGone={endSave} />}
        <TransferLine transfers={transfers} />
      </div>
      <DropZone transfers={transfers} />
      {open === "shortcuts" && <ShortcutsDialog onClose={closeDialog} />}
      {open === "quick-open" && <QuickOpen files={files} onChosen={toWriting} onClose={closeDialog} />}
      {open === "forks" && <ForksDialog files={files} onClose={closeDialog} />}
      {open === "my-card" && <MyCard onClose={closeDialog} />}
      <Comings />
      <News />
      <Title file={files.current} room={room.name} />
      <p id="editor-keys" className="unseen">
        Tab indents. To leave the text with the keyboard, press Escape, then Tab. F1 lists the shortcuts.
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

/** The words on the browser's tab: what is unread first, since that is what one looks for there. */
function Title({ file, room }: { readonly file: ShownFile | null; readonly room: string }): null {
  const unread = useUnread();
  const count = unread === 0 ? "" : `(${unread}) `;
  const name = file === null ? "" : `${parted(file.path).name} · `;
  useEffect(() => {
    document.title = `${count}${name}${shortName(room)} · Causeway`;
  }, [count, name, room]);
  return null;
}
