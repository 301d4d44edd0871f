import { useState, useSyncExternalStore, type ReactElement } from "react";
import { DamagedLink } from "./pages/damaged-link.tsx";
import { HomePage } from "./pages/home.tsx";
import { RoomPage } from "./pages/room.tsx";
import { Trouble } from "./pages/trouble.tsx";
import { wasHereBefore } from "./shell/recent-rooms.ts";
import { damageOf } from "./shell/room-name.ts";
import { go, onRouteChange, routeNow } from "./shell/route.ts";

/** The page for the address in the bar. */
export function App(): ReactElement {
  const route = useSyncExternalStore(onRouteChange, routeNow);
  switch (route.page) {
    case "home":
      return <HomePage />;
    case "room":
      return <RoomByLink key={route.room} name={route.room} />;
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

/** A link that was cut off would open an empty room in silence. Where this device has been it leads wherever it led. */
function RoomByLink({ name }: { readonly name: string }): ReactElement {
  const [damage, setDamage] = useState(() => (wasHereBefore(name) ? null : damageOf(name)));
  if (damage === null) return <RoomPage name={name} />;
  return <DamagedLink room={name} damage={damage} onOpen={() => setDamage(null)} />;
}
