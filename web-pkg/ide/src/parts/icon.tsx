import type { ReactElement } from "react";

/** Line drawings on a grid of 20, in the colour of the text around them. They say nothing to screen readers. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }): ReactElement {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {SHAPES[name].split("|").map((shape) => (
        <path key={shape} d={shape} />
      ))}
    </svg>
  );
}

export type IconName = keyof typeof SHAPES;

const SHAPES = {
  add: "M10 4.5v11|M4.5 10h11",
  close: "M5 5l10 10|M15 5 5 15",
  menu: "M3.5 6h13|M3.5 10h13|M3.5 14h13",
  link: "M8.3 11.7a3 3 0 0 0 4.3 0l3-3a3 3 0 0 0-4.3-4.3l-.9.9|M11.7 8.3a3 3 0 0 0-4.3 0l-3 3a3 3 0 0 0 4.3 4.3l.9-.9",
  check: "M4.5 10.5l3.5 3.5 7.5-8",
  rename: "M11.8 4.9 15.1 8.2|M4 16l.8-3.6 8.6-8.6a1.3 1.3 0 0 1 1.8 0l1 1a1.3 1.3 0 0 1 0 1.8L7.6 15.2 4 16z",
  remove: "M4 6h12|M8 6V4.3h4V6|M5.5 6l.7 10h7.6l.7-10|M8.5 9v4|M11.5 9v4",
  sun: "M10 6.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4z|M10 2.2v1.3|M10 16.5v1.3|M2.2 10h1.3|M16.5 10h1.3|M4.5 4.5l.9.9|M14.6 14.6l.9.9|M4.5 15.5l.9-.9|M14.6 5.4l.9-.9",
  moon: "M16.3 11.8A6.7 6.7 0 0 1 8.2 3.7a6.7 6.7 0 1 0 8.1 8.1z",
  device: "M4.2 4.5h11.6a.7.7 0 0 1 .7.7v7.3a.7.7 0 0 1-.7.7H4.2a.7.7 0 0 1-.7-.7V5.2a.7.7 0 0 1 .7-.7z|M2 16h16",
  relay:
    "M4 3.8h12a.8.8 0 0 1 .8.8v3.6a.8.8 0 0 1-.8.8H4a.8.8 0 0 1-.8-.8V4.6a.8.8 0 0 1 .8-.8z|M4 11h12a.8.8 0 0 1 .8.8v3.6a.8.8 0 0 1-.8.8H4a.8.8 0 0 1-.8-.8v-3.6A.8.8 0 0 1 4 11z|M6 6.4h.01|M6 13.6h.01",
  seen: "M2 10s2.9-5 8-5 8 5 8 5-2.9 5-8 5-8-5-8-5z|M10 7.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4z",
  undo: "M7.5 4.5 4 8l3.5 3.5|M4 8h7.5a4 4 0 0 1 0 8H8.5",
  redo: "M12.5 4.5 16 8l-3.5 3.5|M16 8H8.5a4 4 0 0 0 0 8h3",
  file: "M5.5 2.8h6l3.5 3.5v10.9h-9.5z|M11.5 2.8v3.5H15",
  people:
    "M7.5 9.5a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4z|M2.5 16c.3-2.8 2.3-4.3 5-4.3s4.7 1.5 5 4.3|M13 4.3a2.6 2.6 0 0 1 0 5|M14.6 12c1.7.6 2.7 2 2.9 4",
  offline:
    "M3 3l14 14|M5.4 12.2a6.6 6.6 0 0 1 2.4-1.6|M2.7 9.2a10.5 10.5 0 0 1 3-2|M9 6.3a10.4 10.4 0 0 1 8.3 2.9|M12.8 11a6.6 6.6 0 0 1 1.8 1.2|M10 15.6h.01",
  alert: "M10 3.2 18 16.5H2z|M10 8.2v3.8|M10 14.3h.01",
  info: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4z|M10 9.3v4.2|M10 6.5h.01",
  forward: "M4 10h12|M11 5l5 5-5 5",
  more: "M5 10h.01|M10 10h.01|M15 10h.01",
  folder: "M2.8 5.6a1 1 0 0 1 1-1h3.7l1.8 2h6.9a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H3.8a1 1 0 0 1-1-1z",
  "new-folder":
    "M2.8 5.6a1 1 0 0 1 1-1h3.7l1.8 2h6.9a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H3.8a1 1 0 0 1-1-1z|M10 9v4.4|M7.8 11.2h4.4",
  "new-file": "M11 2.8H5.5v14.4H9|M11 2.8l4 4v2.4|M11 2.8v4h4|M14 11.6v5|M11.5 14.1h5",
  chevron: "M7.5 5l5 5-5 5",
  "move-to": "M2.8 9V5.6a1 1 0 0 1 1-1h3.7l1.8 2h6.9a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H9|M2 13h6.5|M6 10.3 8.7 13 6 15.7",
  search: "M8.8 3.5a5.3 5.3 0 1 0 0 10.6 5.3 5.3 0 0 0 0-10.6z|M12.7 12.7l4 4",
  "panel-left": "M4 3.8h12a1.2 1.2 0 0 1 1.2 1.2v10a1.2 1.2 0 0 1-1.2 1.2H4A1.2 1.2 0 0 1 2.8 15V5A1.2 1.2 0 0 1 4 3.8z|M7.8 3.8v12.4",
  "panel-right": "M4 3.8h12a1.2 1.2 0 0 1 1.2 1.2v10a1.2 1.2 0 0 1-1.2 1.2H4A1.2 1.2 0 0 1 2.8 15V5A1.2 1.2 0 0 1 4 3.8z|M12.2 3.8v12.4",
  code: "M7 6l-4 4 4 4|M13 6l4 4-4 4",
  chat: "M4.6 3.8h10.8a1.6 1.6 0 0 1 1.6 1.6v6.4a1.6 1.6 0 0 1-1.6 1.6H9.4L5.8 16.6v-3.2H4.6A1.6 1.6 0 0 1 3 11.8V5.4a1.6 1.6 0 0 1 1.6-1.6z",
  "go-to": "M10 2.8v3|M10 14.2v3|M2.8 10h3|M14.2 10h3|M10 6.6a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8z",
} as const;
