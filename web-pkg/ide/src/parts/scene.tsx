import type { ReactElement } from "react";

/** A quiet strait at low tide: two islands with a house each, and the stones between them. Day and night by theme. */
export function Scene({ isGround = false }: { readonly isGround?: boolean }): ReactElement {
  return (
    <svg
      viewBox="0 0 520 400"
      // As a ground it fills its place and loses its edges.
      preserveAspectRatio={isGround ? "xMidYMid slice" : undefined}
      role="img"
      aria-label="Two islands joined by a row of stepping stones"
    >
      <defs>
        <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="var(--sky-high)" />
          <stop offset="1" stopColor="var(--sky-low)" />
        </linearGradient>
        <linearGradient id="sea" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="var(--water)" />
          <stop offset="1" stopColor="var(--water-deep)" />
        </linearGradient>
      </defs>
      <rect width="520" height="230" fill="url(#sky)" />
      <circle cx="300" cy="118" r="34" fill="var(--sun)" />
      <path
        d="M0 214c38-34 78-44 118-30 34 12 52-14 92-10 46 5 62 34 108 30 50-4 74-44 122-38 34 4 54 22 80 32v34H0z"
        fill="var(--far-hill)"
      />
      <rect y="212" width="520" height="188" fill="url(#sea)" />
      <g className="swell" stroke="var(--ripple)" strokeWidth="2.5" strokeLinecap="round" fill="none" opacity="0.75">
        <path d="M262 234h44M326 244h22M226 250h20" />
        <path d="M180 352h52M120 372h34M330 384h60" />
      </g>
      <g
        className="swell late"
        stroke="var(--ripple)"
        strokeWidth="2.5"
        strokeLinecap="round"
        fill="none"
        opacity="0.6"
      >
        <path d="M276 256h26M198 376h40M410 366h44" />
        <path d="M44 350h36M286 340h24" />
      </g>
      <Island />
      <FarIsland />
      <Stones />
    </svg>
  );
}

function Island(): ReactElement {
  return (
    <g>
      <path d="M-20 322c24-8 40-8 78-8s96-2 118 10c6 4-4 14-22 16-64 8-130 6-174 2z" fill="var(--earth)" />
      <path d="M-20 318c2-44 26-76 66-80 42-4 62 22 88 42 20 15 36 24 42 40-44-10-140-8-196-2z" fill="var(--grass)" />
      <path d="M-20 296c8-30 30-50 60-52 30-1 46 14 62 30-40-8-84 0-122 22z" fill="var(--grass-light)" />
      <path d="M44 246v-34h34v34z" fill="var(--house)" />
      <path d="M38 214l23-22 23 22z" fill="var(--roof)" />
      <path d="M55 246v-16h11v16z" fill="var(--roof)" opacity="0.8" />
      <path d="M101 262c-3-18 2-34 11-44 9 10 14 26 11 44z" fill="var(--grass-light)" />
      <path d="M112 268v-26" stroke="var(--earth)" strokeWidth="3" strokeLinecap="round" />
    </g>
  );
}

function FarIsland(): ReactElement {
  return (
    <g>
      <path d="M352 268c24-8 60-9 96-9s66 1 92 7v20c-60 6-140 4-182-6-12-3-14-9-6-12z" fill="var(--earth)" />
      <path
        d="M350 268c22-10 36-22 52-42 18-22 36-36 62-36 32 0 58 26 76 50v26c-60-8-140-6-190 2z"
        fill="var(--grass)"
      />
      <path d="M412 216c14-16 30-26 52-26 22 0 40 12 56 28-34-12-74-12-108-2z" fill="var(--grass-light)" />
      <path d="M444 206v-26h26v26z" fill="var(--house)" />
      <path d="M439 182l18-17 18 17z" fill="var(--roof)" />
      <path d="M492 226c-2-13 1-25 8-32 7 7 10 19 8 32z" fill="var(--grass-light)" />
      <path d="M500 230v-18" stroke="var(--earth)" strokeWidth="2.5" strokeLinecap="round" />
    </g>
  );
}

/** Large near the viewer, small in the distance. */
function Stones(): ReactElement {
  const stones = [
    [190, 326, 19, 8],
    [226, 315, 16.5, 7],
    [259, 304.5, 14.5, 6.2],
    [288, 295, 12.5, 5.4],
    [313, 286.5, 11, 4.7],
    [335, 279, 9.5, 4],
  ] as const;
  return (
    <g>
      {stones.map(([x, y, wide, high]) => (
        <g key={x}>
          <ellipse cx={x} cy={y + high * 0.75} rx={wide * 1.06} ry={high} fill="var(--water-deep)" opacity="0.7" />
          <ellipse cx={x} cy={y + high * 0.4} rx={wide} ry={high} fill="var(--stone-shade)" />
          <ellipse cx={x} cy={y} rx={wide} ry={high} fill="var(--stone)" />
        </g>
      ))}
    </g>
  );
}
