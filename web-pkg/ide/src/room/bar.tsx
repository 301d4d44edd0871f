import type { ReactElement } from "react";
import type { Person } from "@causeway/web";
import { useMyPresence, useRoom } from "@causeway/web/react";
import { UnreadBadge } from "../chat/unread.tsx";
import { Icon } from "../parts/icon.tsx";
import { Logo } from "../parts/logo.tsx";
import { ThemeToggle } from "../parts/theme-toggle.tsx";
import { Avatar } from "../people/avatar.tsx";
import { Faces } from "../people/faces.tsx";
import { COMMAND } from "../shell/keys.ts";
import type { Layout, Side } from "../shell/layout.ts";
import { shortName } from "../shell/room-name.ts";
import type { Screen } from "../shell/screen.ts";
import { CopyLink } from "./copy-link.tsx";

export interface BarProps {
  readonly screen: Screen;
  readonly layout: Layout;
  onToggle(side: Side): void;
  onQuickOpen(): void;
  onPeople(): void;
  onVisit(id: Person["id"]): void;
  onChangeMe(): void;
  onShortcuts(): void;
}

/** The room's name, the way to any file, who is here, and how the page is laid out. */
export function Bar(props: BarProps): ReactElement {
  const { screen, layout, onToggle, onQuickOpen, onPeople, onVisit, onChangeMe, onShortcuts } = props;
  const room = useRoom();
  const [{ name, colour }] = useMyPresence();
  return (
    <header className="bar">
      <div className="bar-part">
        <a className="wordmark" href="/" title="To the start page">
          <Logo size={26} />
          <span className="unseen">Causeway, to the start page</span>
        </a>
        <h1 className="room-name" title={room.name}>
          {shortName(room.name)}
        </h1>
      </div>
      {screen !== "phone" && (
        <button type="button" className="go-to-file" onClick={onQuickOpen}>
          <Icon name="search" size={15} />
          <span>Go to a file</span>
          <kbd>{COMMAND}P</kbd>
        </button>
      )}
      <div className="bar-part end">
        <Faces onVisit={onVisit} onMore={onPeople} />
        <CopyLink room={room.name} />
        {screen !== "phone" && (
          <>
            <PanelToggle side="left" words="files" layout={layout} onToggle={onToggle} />
            <PanelToggle side="right" words="chat and people" layout={layout} onToggle={onToggle} />
            <button
              type="button"
              className="icon-button"
              aria-label="Keyboard shortcuts"
              title="Keyboard shortcuts (F1)"
              onClick={onShortcuts}
            >
              <Icon name="keyboard" />
            </button>
          </>
        )}
        <ThemeToggle />
        <button
          type="button"
          className="face me"
          aria-label={`You are ${name}: change name and colour`}
          title="You: change name and colour"
          onClick={onChangeMe}
        >
          <Avatar name={name} colour={colour} />
        </button>
      </div>
    </header>
  );
}

interface PanelToggleProps {
  readonly side: Side;
  readonly words: string;
  readonly layout: Layout;
  onToggle(side: Side): void;
}

function PanelToggle({ side, words, layout, onToggle }: PanelToggleProps): ReactElement {
  const { isOpen } = layout[side];
  const label = `${isOpen ? "Hide" : "Show"} ${words}`;
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      aria-expanded={isOpen}
      title={side === "left" ? `${label} (${COMMAND}B)` : label}
      onClick={() => onToggle(side)}
    >
      <Icon name={side === "left" ? "panel-left" : "panel-right"} />
      {side === "right" && !isOpen && <UnreadBadge />}
    </button>
  );
}
