import { Suspense, useEffect, useState, useSyncExternalStore, type ReactElement } from "react";
import type { Room } from "@causeway/web";
import { RoomProvider } from "@causeway/web/react";
import { download } from "../transfer/download.ts";
import { Boundary } from "../parts/boundary.tsx";
import { rememberPerson, whoIsHere } from "../shell/person.ts";
import { noteRoom } from "../shell/recent-rooms.ts";
import { rescuedFrom, type Rescued } from "../shell/rescue.ts";
import { SessionHolder } from "../shell/session.ts";
import { Starting } from "./starting.tsx";
import { Trouble } from "./trouble.tsx";
import { Welcome } from "./welcome.tsx";
import { Workspace, prepareWorkspace } from "./workspace.ts";

/** One room, behind a door at the first visit; the caller gives it the name as key: another room is another page. */
export function RoomPage({ name }: { readonly name: string }): ReactElement {
  const [isKnown, setKnown] = useState(() => whoIsHere() !== null);
  useEffect(prepareWorkspace, []);
  if (isKnown) return <Entered name={name} />;
  return (
    <Welcome
      room={name}
      onDone={(person) => {
        rememberPerson(person);
        setKnown(true);
      }}
    />
  );
}

function Entered({ name }: { readonly name: string }): ReactElement {
  const [holder] = useState(() => SessionHolder.of(name));
  const session = useSyncExternalStore(holder.subscribe, holder.get);
  useEffect(() => noteRoom(name), [name]);
  switch (session.state) {
    case "starting":
      return <Starting>Starting the engine…</Starting>;
    case "failed":
      return (
        <Trouble title="The page cannot start" action={{ label: "Try again", run: () => location.reload() }}>
          The engine that keeps your work could not be loaded, so nothing is shown that could not be kept. Nothing that
          was saved before is touched. {session.sentence}
        </Trouble>
      );
    case "died":
      return <Stopped sentence={session.sentence} rescued={session.rescued} isLost={session.isLost} onTaken={holder.noteTaken} />;
    case "open":
      return (
        <Boundary fallback={(failure) => <Broken failure={failure} room={session.room} />}>
          <RoomProvider room={session.room}>
            <Suspense fallback={<Starting>Fetching the editor…</Starting>}>
              <Workspace />
            </Suspense>
          </RoomProvider>
        </Boundary>
      );
  }
}

/** The page broke while it was drawn; the room lives. */
function Broken({ failure, room }: { readonly failure: Error; readonly room: Room }): ReactElement {
  const [rescued] = useState(() => rescuedFrom(room));
  return <Stopped sentence={failure.message} rescued={rescued} />;
}

interface StoppedProps {
  readonly sentence: string;
  readonly rescued: readonly Rescued[];
  readonly isLost?: boolean;
  onTaken?(rescued: Rescued): void;
}

function Stopped({ sentence, rescued, isLost = false, onTaken }: StoppedProps): ReactElement {
  const take = (one: Rescued) => {
    download(one.path, one.text);
    onTaken?.(one);
  };
  return (
    <Trouble title="The page has stopped" action={{ label: "Reload", run: () => location.reload() }}>
      What was saved on this device or on the relay is safe. {sentence}
      {isLost && " What you wrote in a text here last and the relay has not got cannot be read any more."}
      {rescued.length > 0 && (
        <span className="rescue">
          The relay has not got everything that was written here. Before you reload you can keep a copy:
          {rescued.map((one, at) => (
            <button key={at} type="button" className="button" onClick={() => take(one)}>
              Save {one.what} as a file
            </button>
          ))}
        </span>
      )}
    </Trouble>
  );
}
