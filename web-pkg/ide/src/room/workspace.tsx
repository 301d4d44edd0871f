import { useCallback, useEffect, useState, type ReactElement } from "react";
import { useRoom } from "@causeway/web/react";
import { Drawer } from "../parts/drawer.tsx";
import { Icon } from "../parts/icon.tsx";
import { Logo } from "../parts/logo.tsx";
import { ThemeToggle } from "../parts/theme-toggle.tsx";
import { useIsNarrow } from "../shell/narrow.ts";
import { shortName } from "../shell/room-name.ts";
import { useAwayWhenHidden } from "./away.ts";
import { ConnectionMark } from "./connection.tsx";
import { CopyLink } from "./copy-link.tsx";
import { Faces } from "./faces.tsx";
import { FileList } from "./file-list.tsx";
import { useFiles, type Files } from "./files.ts";
import { Notices } from "./notices.tsx";
import { People } from "./people.tsx";
import { SaveStatusLine } from "./save-status.tsx";
import { parted, type ShownFile } from "./shown-files.ts";
import { Stage } from "./stage.tsx";
import { Toast } from "./toast.tsx";

/** The room's page: files and people at the side, the text in the middle, below it where the work is. */
export function Workspace(): ReactElement {
  const room = useRoom();
  const files = useFiles();
  const isNarrow = useIsNarrow();
  const [isDrawerOpen, setDrawerOpen] = useState(false);
  const [removed, setRemoved] = useState<ShownFile | null>(null);
  const closeDrawer = useCallback(() => setDrawerOpen(false), []);
  const forgetRemoved = useCallback(() => setRemoved(null), []);
  const title = files.current === null ? "" : `${parted(files.current.path).name} · `;
  useEffect(() => {
    document.title = `${title}${shortName(room.name)} · Causeway`;
  }, [title, room]);
  useAwayWhenHidden();

  const side = <Side files={files} onChosen={closeDrawer} onRemoved={setRemoved} />;
  return (
    <div className="workspace">
      <Bar isNarrow={isNarrow} isDrawerOpen={isDrawerOpen} onDrawer={() => setDrawerOpen(true)} />
      {isNarrow ? (
        <Drawer isOpen={isDrawerOpen} onClose={closeDrawer}>
          {side}
        </Drawer>
      ) : (
        <aside className="side" aria-label="Files and people">
          {side}
        </aside>
      )}
      <main className="stage">
        <Notices id={files.current?.id ?? null} />
        <Stage files={files} />
      </main>
      <footer className="foot">
        {files.current !== null && <SaveStatusLine id={files.current.id} />}
        <ConnectionMark />
      </footer>
      {removed !== null && <Removed file={removed} files={files} onGone={forgetRemoved} />}
      <p id="editor-keys" className="unseen">
        Tab indents. To leave the text with the keyboard, press Escape, then Tab.
      </p>
    </div>
  );
}

interface SideProps {
  readonly files: Files;
  onChosen(): void;
  onRemoved(file: ShownFile): void;
}

function Side({ files, onChosen, onRemoved }: SideProps): ReactElement {
  return (
    <>
      <FileList files={files} onChosen={onChosen} onRemoved={onRemoved} />
      <People />
    </>
  );
}

interface BarProps {
  readonly isNarrow: boolean;
  readonly isDrawerOpen: boolean;
  onDrawer(): void;
}

function Bar({ isNarrow, isDrawerOpen, onDrawer }: BarProps): ReactElement {
  const room = useRoom();
  return (
    <header className="bar">
      {isNarrow && (
        <button
          type="button"
          className="icon-button"
          aria-label="Files and people"
          aria-expanded={isDrawerOpen}
          onClick={onDrawer}
        >
          <Icon name="menu" size={20} />
        </button>
      )}
      <a className="wordmark" href="/" title="To the start page">
        <Logo size={26} />
        <span className="unseen">Causeway, to the start page</span>
      </a>
      <h1 className="room-name" title={room.name}>
        {shortName(room.name)}
      </h1>
      <Faces />
      <CopyLink room={room.name} />
      <ThemeToggle />
    </header>
  );
}

interface RemovedProps {
  readonly file: ShownFile;
  readonly files: Files;
  onGone(): void;
}

function Removed({ file, files, onGone }: RemovedProps): ReactElement {
  return (
    <Toast onGone={onGone}>
      {parted(file.path).name} is off the list. Its text is kept.
      <button type="button" className="button" onClick={() => void files.putBack(file).then(onGone)}>
        Put back
      </button>
    </Toast>
  );
}
