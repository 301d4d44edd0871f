import type { ReactElement } from "react";
import { go } from "../shell/route.ts";
import { shortName, type Damage } from "../shell/room-name.ts";
import { Trouble } from "./trouble.tsx";

export interface DamagedLinkProps {
  readonly room: string;
  readonly damage: Damage;
  /** Somebody wants the room of this name, and no other. */
  onOpen(): void;
}

/** Said before a room is opened that is most likely not the one that was meant: it would be empty, and look like theirs. */
export function DamagedLink({ room, damage, onOpen }: DamagedLinkProps): ReactElement {
  return (
    <Trouble
      title={damage === "cut" ? "The end of this link is missing" : "This link has changed on its way"}
      action={{ label: "To the start page", run: () => go("/") }}
      other={{ label: "Open it all the same", run: onOpen }}
    >
      It begins like a link to {nameIn(room)}, but{" "}
      {damage === "cut" ? "it was cut off when it was copied or sent" : "a character in it is another or is too much"}. Ask
      whoever gave it to you for the whole link: “Copy link” at the top of their page copies it. Nothing of the room is
      lost. Opened as it is, this link would lead to an empty room of your own.
    </Trouble>
  );
}

/** The words of a damaged name, as far as they came through. */
function nameIn(room: string): string {
  const words = shortName(room).split("-").slice(0, 3).join("-");
  return `“${words}”`;
}
