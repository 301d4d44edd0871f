import { useEffect, useState, type ReactElement, type ReactNode } from "react";

export interface ToastProps {
  readonly children: ReactNode;
  /** What it speaks of: something else begins its time anew. */
  readonly about: unknown;
  onGone(): void;
}

/** A sentence that leaves by itself, unless somebody is looking at it with pointer or keyboard. */
export function Toast({ children, about, onGone }: ToastProps): ReactElement {
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (isHeld) return;
    const timer = setTimeout(onGone, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isHeld, about, onGone]);
  return (
    <div
      className="toast"
      role="status"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      {children}
    </div>
  );
}

/** Time to read a line and reach its button. */
const SHOWN_MS = 9_000;
