/** The worker's entry: one room, driven by messages of its page. */
import type { ToWorker } from "./messages.js";
import { Shell } from "./shell.js";

const scope = self as unknown as DedicatedWorkerGlobalScope;

const shell = new Shell((news, transfer = []) => scope.postMessage(news, transfer));

scope.onmessage = (event: MessageEvent<ToWorker>) => shell.handle(event.data);
// Where a room is entered from a worker there is no page to tell; twice does no harm.
for (const is of ["online", "offline"] as const) scope.addEventListener(is, () => shell.handle({ type: "network", is }));
