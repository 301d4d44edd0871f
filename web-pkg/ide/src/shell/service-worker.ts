/** Asks the browser to keep the page itself, so that a reload without a network works. On plain http there is no such thing. */
export function keepShellForOffline(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register("/sw.js").catch((refused: unknown) => {
    console.info("The page cannot be reloaded offline in this browser:", refused);
  });
}
