import { useEffect, useState, type FormEvent, type ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { Logo } from "../parts/logo.tsx";
import { Question } from "../parts/question.tsx";
import { Scene } from "../parts/scene.tsx";
import { ThemeToggle } from "../parts/theme-toggle.tsx";
import { useKeptRooms } from "../shell/kept-rooms.ts";
import { forgetRoom, recentRooms } from "../shell/recent-rooms.ts";
import { newRoomName, shortName } from "../shell/room-name.ts";
import { go, roomOf } from "../shell/route.ts";
import { prepareWorkspace } from "./workspace.ts";

export function HomePage(): ReactElement {
  useEffect(() => {
    document.title = "Causeway: write together";
    // Whoever is here goes into a room next.
    const timer = setTimeout(prepareWorkspace, CALM_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="home">
      <header className="home-bar">
        <a className="wordmark" href="/">
          <Logo /> Causeway
        </a>
        <ThemeToggle />
      </header>
      <main className="home-main">
        <div>
          <h1>Write together, even when the line is gone.</h1>
          <p className="lead">
            A room holds your files and the people you give its link to. What you write is kept on your device first and
            joins the others’ whenever there is a way across.
          </p>
          <div className="start">
            <KeptRooms />
            <button type="button" className="button main large" onClick={() => go(`/r/${newRoomName()}`)}>
              New room <Icon name="forward" />
            </button>
            <OpenByLink />
            <RecentRooms />
          </div>
        </div>
        <div className="scene">
          <Scene />
        </div>
        <ul className="promises">
          <Promised icon="device" title="Kept on this device">
            Every word goes to your own disk first, with or without a network. A reload takes nothing.
          </Promised>
          <Promised icon="relay" title="Saved on the relay’s disk">
            “Saved” means written and flushed, not merely sent. Offline work goes out by itself.
          </Promised>
          <Promised icon="seen" title="Seen by the others">
            You see who is here, where they write, and how many have your latest words.
          </Promised>
        </ul>
      </main>
    </div>
  );
}

function OpenByLink(): ReactElement {
  const [text, setText] = useState("");
  const [complaint, setComplaint] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const room = roomOf(text);
    if (room !== null) return go(`/r/${room}`);
    const sentence = text.trim() === "" ? "Paste the link you were given." : "This is no link to a room.";
    setComplaint(`${sentence} It ends with /r/ and the name of the room.`);
  };
  return (
    <form className="by-link" onSubmit={submit} noValidate>
      <label htmlFor="link">Or open a room by its link</label>
      <div className="row">
        <input
          id="link"
          className="field large"
          value={text}
          placeholder={`${location.host}/r/…`}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-invalid={complaint !== ""}
          aria-describedby="link-complaint"
          onChange={(event) => {
            setText(event.target.value);
            setComplaint("");
          }}
        />
        <button type="submit" className="button large">
          Open
        </button>
      </div>
      <p id="link-complaint" className="complaint" role="alert" hidden={complaint === ""}>
        {complaint}
      </p>
    </form>
  );
}

/** Rooms that this tab may not be closed for yet. */
function KeptRooms(): ReactElement | null {
  const rooms = useKeptRooms();
  if (rooms.length === 0) return null;
  return (
    <section className="recent kept" aria-labelledby="kept">
      <h2 id="kept">In this tab only</h2>
      <ul>
        {rooms.map(({ room, hasStopped }) => (
          <li key={room}>
            <RoomLink room={room} />
            <p>
              {hasStopped
                ? "It has stopped. Go back and see what can be saved as a file before you close the tab."
                : "Something written there is nowhere else yet. Leave the tab open, or go back and see to it."}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function RecentRooms(): ReactElement | null {
  const [rooms, setRooms] = useState(recentRooms);
  const [forgetting, setForgetting] = useState<string | null>(null);
  if (rooms.length === 0) return null;
  return (
    <>
      <section className="recent" aria-labelledby="recent">
        <h2 id="recent">Lately on this device</h2>
        <ul>
          {rooms.map(({ room, at }) => (
            <li key={room}>
              <RoomLink room={room} />
              <time dateTime={new Date(at).toISOString()}>{DAY.format(at)}</time>
              <button
                type="button"
                className="icon-button small"
                aria-label={`Forget ${shortName(room)} here`}
                title="Take it off this list…"
                onClick={() => setForgetting(room)}
              >
                <Icon name="close" size={14} />
              </button>
            </li>
          ))}
        </ul>
      </section>
      {forgetting !== null && (
        <Question
          title={`Forget ${shortName(forgetting)} here?`}
          yes="Forget it"
          onYes={() => {
            forgetRoom(forgetting);
            setRooms(recentRooms());
          }}
          onClose={() => setForgetting(null)}
        >
          The room stays, and what this device keeps of it. But its link is the only way back to it: keep it, or ask somebody
          who has it.
        </Question>
      )}
    </>
  );
}

/** Without a modifier it leads there in this page. */
function RoomLink({ room }: { readonly room: string }): ReactElement {
  return (
    <a
      href={`/r/${room}`}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        go(`/r/${room}`);
      }}
    >
      {shortName(room)}
    </a>
  );
}

interface PromisedProps {
  readonly icon: "device" | "relay" | "seen";
  readonly title: string;
  readonly children: string;
}

function Promised({ icon, title, children }: PromisedProps): ReactElement {
  return (
    <li>
      <Icon name={icon} size={22} />
      <h2>{title}</h2>
      <p>{children}</p>
    </li>
  );
}

/** After the page stands, and before anybody has chosen a room. */
const CALM_MS = 1_000;
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
