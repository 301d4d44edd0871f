/** Where the address bar points. */
export type Route =
  | { readonly page: "home" }
  | { readonly page: "room"; readonly room: string }
  | { readonly page: "no-room"; readonly text: string }
  | { readonly page: "nowhere" };

export function parseRoute(path: string): Route {
  if (path === "/") return { page: "home" };
  const match = /^\/r\/([^/]*)\/?$/.exec(path);
  if (match === null) return { page: "nowhere" };
  const room = decoded(match[1] ?? "");
  return isRoomName(room) ? { page: "room", room } : { page: "no-room", text: room };
}

/** What the relay accepts as a name of a room. */
export function isRoomName(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** The room that a pasted link or name means, or `null`. */
export function roomOf(pasted: string): string | null {
  const text = pasted.trim();
  if (isRoomName(text)) return text;
  const match = /\/r\/([A-Za-z0-9_-]{1,64})\/?(?:[?#].*)?$/.exec(text);
  return match?.[1] ?? null;
}

export function linkTo(room: string): string {
  return `${location.origin}/r/${room}`;
}

/** The same object until the address changes. */
export function routeNow(): Route {
  if (location.pathname !== path) {
    path = location.pathname;
    route = parseRoute(path);
  }
  return route;
}

export function onRouteChange(changed: () => void): () => void {
  addEventListener("popstate", changed);
  return () => removeEventListener("popstate", changed);
}

export function go(to: string): void {
  history.pushState(null, "", to);
  scrollTo(0, 0);
  dispatchEvent(new PopStateEvent("popstate"));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

let path = "";
let route: Route = { page: "nowhere" };
