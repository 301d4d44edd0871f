import type { ReactElement, RefObject } from "react";
import type { Person } from "@causeway/web";
import { useConnection, useOthers } from "@causeway/web/react";
import { ChatPanel } from "../chat/chat-panel.tsx";
import { UnreadBadge } from "../chat/unread.tsx";
import { People } from "../people/people.tsx";

/** What stands in the right column, or fills a phone. */
export type Talk = "chat" | "people";

export interface RightColumnProps {
  readonly shown: Talk;
  /** Whether the column itself is in sight. */
  readonly isVisible: boolean;
  /** On a phone the bar below leads from one to the other. */
  readonly hasHead: boolean;
  readonly field: RefObject<HTMLTextAreaElement | null>;
  onShow(talk: Talk): void;
  onChangeMe(): void;
  onVisit(id: Person["id"]): void;
}

/** Chat and people, one in front of the other. */
export function RightColumn(props: RightColumnProps): ReactElement {
  const { shown, isVisible, hasHead, field, onShow, onChangeMe, onVisit } = props;
  return (
    <>
      {hasHead && <Head shown={shown} onShow={onShow} />}
      <div className="right-part" hidden={shown !== "chat"}>
        <ChatPanel isShown={isVisible && shown === "chat"} field={field} />
      </div>
      <div className="right-part" hidden={shown !== "people"}>
        <People onChangeMe={onChangeMe} onVisit={onVisit} />
      </div>
    </>
  );
}

function Head({ shown, onShow }: Pick<RightColumnProps, "shown" | "onShow">): ReactElement {
  const people = useOthers().length + 1;
  const isOnline = useConnection().state === "online";
  return (
    <nav className="right-head" aria-label="Chat and people">
      <button type="button" aria-current={shown === "chat" ? "page" : undefined} onClick={() => onShow("chat")}>
        Chat
        {shown !== "chat" && <UnreadBadge />}
      </button>
      <button type="button" aria-current={shown === "people" ? "page" : undefined} onClick={() => onShow("people")}>
        People {isOnline && <span className="count">{people}</span>}
      </button>
    </nav>
  );
}
