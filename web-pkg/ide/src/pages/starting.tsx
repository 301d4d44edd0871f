import type { ReactElement } from "react";

/** What the page waits for, in words, with three stones that light up in turn. */
export function Starting({ children }: { readonly children: string }): ReactElement {
  return (
    <div className="trouble appears-late" role="status">
      <svg
        className="stones-waiting mark"
        width="64"
        height="24"
        viewBox="0 0 64 24"
        fill="currentColor"
        aria-hidden="true"
      >
        <circle cx="12" cy="12" r="6" />
        <circle cx="32" cy="12" r="6" />
        <circle cx="52" cy="12" r="6" />
      </svg>
      <p>{children}</p>
    </div>
  );
}
