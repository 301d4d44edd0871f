import { useSyncExternalStore, type ReactElement } from "react";
import { HomePage } from "./pages/home.tsx";
import { RoomPage } from "./pages/room.tsx";
import { Trouble } from "./pages/trouble.tsx";
import { go, onRouteChange, routeNow } from "./shell/route.ts";

/** The page for the address in the bar. */
export function App(): ReactElement {
  const route = useSyncExternalStore(onRouteChange, routeNow);
  switch (route.page) {
    case "home":
      return <HomePage />;
    case "room":
      return <RoomPage key={route.room} name={route.room} />;
    case "no-room":
      return (
        <Trouble title="This link leads to no room" action={{ label: "To the start page", run: () => go("/") }}>
          “{route.text}” cannot be the name of a room: a name has 1 to 64 characters, which are letters, digits, “-” and
          “_”. Perhaps the link was cut off when it was copied.
        </Trouble>
      );
    case "nowhere":
      return (
        <Trouble title="There is nothing here" action={{ label: "To the start page", run: () => go("/") }}>
          This address belongs to no page. A link to a room looks like {location.origin}/r/name-of-the-room.
        </Trouble>
      );
  }
}
