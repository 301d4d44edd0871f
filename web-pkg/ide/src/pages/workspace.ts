import { lazy } from "react";

/** The editor and all around it are a script of their own: the start page and the door do without. */
export const Workspace = lazy(async () => ({ default: (await fetched()).Workspace }));

/** Begins to fetch it, so that it is there when it is wanted. A failure is told by whoever wants it then. */
export function prepareWorkspace(): void {
  fetched().catch(() => undefined);
}

function fetched() {
  return import("../room/workspace.tsx");
}
