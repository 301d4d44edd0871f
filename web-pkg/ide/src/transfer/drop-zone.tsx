import { useEffect, useRef, useState, type ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { folderUnder } from "../files/drag.ts";
import { offerOfDrop } from "./offered.ts";
import type { Transfers } from "./transfers.ts";

/**
 * Files of the system that are dragged over the page, wherever: a browser would leave the room to show the file, and the
 * editor would put its words into the text. Over a folder of the tree they fall into it.
 */
export function DropZone({ transfers }: { readonly transfers: Transfers }): ReactElement | null {
  const [folder, setFolder] = useState<string | null>(null);
  const bring = useRef(transfers.bring);
  useEffect(() => {
    bring.current = transfers.bring;
  });
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      const isFree = document.querySelector("dialog[open]") === null;
      if (event.dataTransfer !== null) event.dataTransfer.dropEffect = isFree ? "copy" : "none";
      setFolder(isFree ? folderAt(event) : null);
    };
    const leave = (event: DragEvent) => {
      // Out of the window; between two parts of the page there is another target.
      if (event.relatedTarget === null) setFolder(null);
    };
    const drop = (event: DragEvent) => {
      setFolder(null);
      if (!hasFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.dataTransfer === null || document.querySelector("dialog[open]") !== null) return;
      void bring.current(offerOfDrop(event.dataTransfer), folderAt(event));
    };
    const listeners = { dragenter: over, dragover: over, dragleave: leave, drop } as const;
    for (const [name, listener] of Object.entries(listeners)) addEventListener(name, listener as EventListener, true);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) removeEventListener(name, listener as EventListener, true);
    };
  }, []);
  if (folder === null) return null;
  return (
    <div className="drop-zone" aria-hidden="true">
      <p>
        <Icon name="upload" size={22} />
        {folder === "" ? "Drop to bring into the room" : `Drop to bring into ${folder}`}
      </p>
    </div>
  );
}

/** The folder of the tree under the pointer; anywhere else the room itself. */
function folderAt({ target }: DragEvent): string {
  return target instanceof Element && target.closest(".tree") !== null ? folderUnder(target) : "";
}

function hasFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes("Files") ?? false;
}
