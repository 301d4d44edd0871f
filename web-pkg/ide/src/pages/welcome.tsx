import { useEffect, useState, type ReactElement } from "react";
import { init } from "@causeway/web";
import { Logo } from "../parts/logo.tsx";
import { Scene } from "../parts/scene.tsx";
import { PersonForm } from "../people/person-form.tsx";
import { suggestPerson, type Person } from "../shell/person.ts";
import { shortName } from "../shell/room-name.ts";

export interface WelcomeProps {
  readonly room: string;
  onDone(person: Person): void;
}

/** The first visit on this device: who comes in? Nobody in the room hears of it before the door is opened. */
export function Welcome({ room, onDone }: WelcomeProps): ReactElement {
  const [initial] = useState(suggestPerson);
  useEffect(() => {
    document.title = `${shortName(room)} · Causeway`;
    // Fetched while somebody thinks of a name. If it cannot be, the room says so.
    init().catch(() => undefined);
  }, [room]);
  return (
    <main className="welcome">
      <div className="welcome-scene" aria-hidden="true">
        <Scene isGround />
      </div>
      <div className="welcome-card">
        <p className="welcome-mark">
          <Logo size={30} /> Causeway
        </p>
        <h1>
          Come in to <span>{shortName(room)}</span>
        </h1>
        <p className="welcome-words">The others will know you by this name and colour. You can change both later.</p>
        <PersonForm initial={initial} done="Enter the room" onDone={onDone} />
      </div>
    </main>
  );
}
