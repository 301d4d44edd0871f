import type { ReactElement } from "react";

/** Two islands joined by stones, above a line of water. */
export function Logo({ size = 28 }: { readonly size?: number }): ReactElement {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <g fill="currentColor">
        <path d="M1.5 21c.5-5.2 2.7-8.2 5.2-8.2S11.4 15.8 12 21z" />
        <path d="M18.5 21c.7-7.4 3.1-11.5 6-11.5S29.9 13.6 30.5 21z" />
        <circle cx="14" cy="20" r="1.15" />
        <circle cx="17" cy="20" r="1.15" />
      </g>
      <path
        d="M2 25.5c2.3 0 2.3-1.2 4.7-1.2s2.3 1.2 4.6 1.2 2.4-1.2 4.7-1.2 2.3 1.2 4.7 1.2 2.3-1.2 4.6-1.2 2.4 1.2 4.7 1.2"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
        strokeLinecap="round"
        opacity="0.55"
      />
    </svg>
  );
}
