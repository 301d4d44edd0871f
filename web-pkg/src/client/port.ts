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
    },
    close: () => worker.terminate(),
  };
}
