import type { ReactElement } from "react";
import { UnreadBadge } from "../chat/unread.tsx";
import { Icon } from "../parts/icon.tsx";
import { PANES, type Pane } from "./panes.ts";

export interface BottomBarProps {
  readonly pane: Pane;
  onPane(pane: Pane): void;
}

/** The way between the panes of a phone, where a thumb reaches it. */
export function BottomBar({ pane: shown, onPane }: BottomBarProps): ReactElement {
  return (
    <nav className="bottom-bar" aria-label="Parts of the room">
      {PANES.map(({ pane, words, icon }) => (
        <button
          key={pane}
          type="button"
          className="bottom-button"
          aria-current={pane === shown ? "page" : undefined}
          onClick={() => onPane(pane)}
        >
          <Icon name={icon} size={22} />
          {words}
          {pane === "chat" && shown !== "chat" && <UnreadBadge />}
        </button>
      ))}
    </nav>
  );
}
