import { useEffect, useRef, type KeyboardEvent, type ReactElement } from "react";
import { createPortal } from "react-dom";
import { useGivesFocusBack } from "./focus-back.ts";
import { Icon, type IconName } from "./icon.tsx";
import { usePlaced, type Place } from "./placed.ts";

export interface MenuItem {
  readonly label: string;
  readonly icon: IconName;
  /** The key that does the same without the menu. */
  readonly keys?: string;
  readonly isGrave?: boolean;
  run(): void;
}

/** Where a menu opens. */
export type MenuPlace = Place;

export interface MenuProps {
  readonly label: string;
  readonly at: MenuPlace;
  readonly items: readonly MenuItem[];
  onClose(): void;
}

/** A menu over the page. It takes the focus and gives it back. */
export function Menu({ label, at, items, onClose }: MenuProps): ReactElement {
  const menu = useRef<HTMLDivElement>(null);
  usePlaced(menu, at, onClose);
  useGivesFocusBack(menu);
  useEffect(() => menu.current?.querySelector("button")?.focus(), []);
  const onKeyDown = (event: KeyboardEvent) => {
    // The keys of what lies below are not for it while its menu is open.
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      return onClose();
    }
    const buttons = [...(menu.current?.querySelectorAll("button") ?? [])];
    const now = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const next = NEXT[event.key]?.(now, buttons.length);
    if (next === undefined) return;
    event.preventDefault();
    buttons[next]?.focus();
  };
  return createPortal(
    <div ref={menu} className="menu" role="menu" aria-label={label} onKeyDown={onKeyDown}>
      {items.map(({ label: words, icon, keys, isGrave = false, run }) => (
        <button
          key={words}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className={isGrave ? "menu-item grave" : "menu-item"}
          onClick={() => {
            onClose();
            run();
          }}
        >
          <Icon name={icon} size={16} />
          <span>{words}</span>
          {keys !== undefined && <kbd aria-hidden="true">{keys}</kbd>}
        </button>
      ))}
    </div>,
    document.body,
  );
}

const NEXT: Readonly<Record<string, (now: number, count: number) => number>> = {
  ArrowDown: (now, count) => (now + 1) % count,
  ArrowUp: (now, count) => (now - 1 + count) % count,
  Home: () => 0,
  End: (_now, count) => count - 1,
};
