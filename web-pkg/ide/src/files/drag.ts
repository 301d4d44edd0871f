import { useRef, useState, type DragEvent } from "react";
import type { ShownFile } from "./shown-files.ts";
import { complaintAboutMove, folderOf } from "./tree.ts";

/** Moving by drag: where it would fall, and what the tree must listen to. */
export interface TreeDrag {
  /** The folder it would fall into; "" is the room itself. */
  readonly over: string | null;
  readonly tree: {
    onDragOver(event: DragEvent): void;
    onDragLeave(event: DragEvent): void;
    onDrop(event: DragEvent): void;
  };
  start(path: string, event: DragEvent): void;
  end(): void;
}

export function useTreeDrag(
  files: readonly ShownFile[],
  onMove: (path: string, folder: string) => void,
  unfold: (folder: string) => void,
): TreeDrag {
  const dragged = useRef<string | null>(null);
  const resting = useRef<{ readonly folder: string; readonly timer: ReturnType<typeof setTimeout> } | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const rest = (folder: string | null) => {
    if (resting.current?.folder === folder) return;
    clearTimeout(resting.current?.timer);
    resting.current =
      folder === null ? null : { folder, timer: setTimeout(() => unfold(folder), UNFOLDS_AFTER_MS) };
  };
  const end = () => {
    dragged.current = null;
    rest(null);
    setOver(null);
  };
  return {
    over,
    start(path, event) {
      dragged.current = path;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", path);
    },
    end,
    tree: {
      onDragOver(event) {
        const path = dragged.current;
        const folder = folderUnder(event.target as Element);
        const fits = path !== null && complaintAboutMove(files, path, folder) === null;
        setOver(fits ? folder : null);
        rest(folder === "" ? null : folder);
        if (!fits) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "move";
      },
      onDragLeave(event) {
        if (event.currentTarget.contains(event.relatedTarget as Node | null)) return;
        rest(null);
        setOver(null);
      },
      onDrop(event) {
        const path = dragged.current;
        const folder = folderUnder(event.target as Element);
        event.preventDefault();
        end();
        if (path !== null && complaintAboutMove(files, path, folder) === null) onMove(path, folder);
      },
    },
  };
}

/** The folder whose line, or a line of which, is under the pointer; "" is the room itself. */
export function folderUnder(target: Element): string {
  const line = target.closest<HTMLElement>("[data-path]");
  const path = line?.dataset["path"];
  if (line === null || path === undefined) return "";
  return line.classList.contains("folder") ? path : folderOf(path);
}

/** Long enough that passing over a folder does not open it. */
const UNFOLDS_AFTER_MS = 600;
