import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";

/** A point of the window, in pixels. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/**
 * Puts a box at a point, or as near as it fits, and closes it when somebody presses beside it. An on-screen keyboard changes
 * the height of the window: the box makes room then; a window of another width is another page.
 */
export function usePlaced(box: RefObject<HTMLElement | null>, at: Place, onClose: () => void): void {
  const width = useRef(innerWidth);
  useLayoutEffect(() => put(box.current, at), [box, at]);
  useEffect(() => {
    const outside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) onClose();
    };
    const resized = () => (innerWidth === width.current ? put(box.current, at) : onClose());
    addEventListener("pointerdown", outside, true);
    addEventListener("resize", resized);
    return () => {
      removeEventListener("pointerdown", outside, true);
      removeEventListener("resize", resized);
    };
  }, [box, at, onClose]);
}

function put(box: HTMLElement | null, at: Place): void {
  if (box === null) return;
  const { width, height } = box.getBoundingClientRect();
  box.style.left = `${Math.max(EDGE, Math.min(at.x, innerWidth - width - EDGE))}px`;
  box.style.top = `${Math.max(EDGE, Math.min(at.y, innerHeight - height - EDGE))}px`;
}

/** Air between a box and the window's edge. */
const EDGE = 8;
