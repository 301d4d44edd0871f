import type { FromWorker, ToWorker } from "../worker/messages.js";

/** The way to whoever carries out what a room wants done. */
export interface Port {
  post(message: ToWorker, transfer?: Transferable[]): void;
  listen(callback: (message: FromWorker) => void): void;
  close(): void;
}

/** A worker of this package. */
export function workerPort(): Port {
  const worker = new Worker(new URL("../worker/worker.js", import.meta.url), { type: "module", name: "causeway" });
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    listen: (callback) => {
      worker.onmessage = (event: MessageEvent<FromWorker>) => callback(event.data);
      worker.onerror = (event) => callback({ type: "failed", sentence: whyItFailed(event) });
      worker.onmessageerror = () => callback({ type: "failed", sentence: "It said something that cannot be read." });
    },
    // What was asked for last is carried out first: it says goodbye to the other tabs.
    close: () => setTimeout(() => worker.terminate(), GOODBYE_MS),
  };
}

/** A script that cannot be loaded is told by an event without a message; a bug comes with its own. */
function whyItFailed(event: ErrorEvent): string {
  return event.message ? `It has met a bug: ${event.message}` : "Its script could not be loaded.";
}

/** A worker that has not said goodbye by then has nothing more to say. */
const GOODBYE_MS = 500;
