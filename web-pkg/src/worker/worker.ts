/** The worker's entry: one room, driven by messages of its page. */
import type { ToWorker } from "./messages.js";
import { Shell } from "./shell.js";

const scope = self as unknown as DedicatedWorkerGlobalScope;

const shell = new Shell((news, transfer = []) => scope.postMessage(news, transfer));

scope.onmessage = (event: MessageEvent<ToWorker>) => shell.handle(event.data);
scope.addEventListener("online", () => scope.postMessage({ type: "reconnect" }));
