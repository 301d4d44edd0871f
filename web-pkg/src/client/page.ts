import type { Unsubscribe } from "./observable.js";

/** What a page notices about itself. Without a document (in a worker, in tests) it notices nothing. */
export interface PageNews {
  /** It is looked at again, or back from the browser's cache: a dead link is worth a try. */
  seen(): void;
  /** It may be gone in a moment. */
  leaving(): void;
  /** What the browser says of the network. */
  network(is: "online" | "offline"): void;
}

export function watchPage(news: PageNews): Unsubscribe {
  if (typeof document === "undefined") return () => undefined;
  const visibility = (): void => {
    if (document.visibilityState === "visible") news.seen();
  };
  const leaving = (): void => news.leaving();
  const seen = (): void => news.seen();
  const online = (): void => news.network("online");
  const offline = (): void => news.network("offline");
  document.addEventListener("visibilitychange", visibility);
  window.addEventListener("pagehide", leaving);
  window.addEventListener("pageshow", seen);
  window.addEventListener("online", online);
  window.addEventListener("offline", offline);
  return () => {
    document.removeEventListener("visibilitychange", visibility);
    window.removeEventListener("pagehide", leaving);
    window.removeEventListener("pageshow", seen);
    window.removeEventListener("online", online);
    window.removeEventListener("offline", offline);
  };
}
