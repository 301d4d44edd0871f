import { useEffect, useState, type RefObject } from "react";

/**
 * What lies over the page for a moment gives the focus back as it goes, unless it is elsewhere by then. One that was opened
 * from another gives it to whoever opened that.
 */
export function useGivesFocusBack(box: RefObject<HTMLElement | null>): void {
  // As it is drawn for the first time: what is drawn may take the focus at once.
  const [before] = useState(() => openerOf(document.activeElement));
  useEffect(() => {
    if (box.current !== null && before !== null) openers.set(box.current, before);
    return () => {
      const isFree = document.activeElement === document.body || document.activeElement === null;
      if (isFree) before?.focus();
    };
  }, [box, before]);
}

function openerOf(focused: Element | null): HTMLElement | null {
  for (let around = focused; around !== null; around = around.parentElement) {
    const opener = openers.get(around);
    if (opener !== undefined) return opener;
  }
  return focused instanceof HTMLElement ? focused : null;
}

/** Of each box what had the focus before it. */
const openers = new WeakMap<Element, HTMLElement>();
