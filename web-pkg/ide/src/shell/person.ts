import { recall, remember } from "./remembered.ts";

/** Who sits at this device, as they want to be seen. */
export interface Person {
  readonly name: string;
  /** `0xRRGGBB`. */
  readonly colour: number;
  /** Whether they chose the colour themselves: one that was suggested gives way to others'. */
  readonly isChosen?: boolean;
}

/** The person of the last visit; `null` on the first. */
export function whoIsHere(): Person | null {
  return recall("person", isPerson) ?? unremembered;
}

/** A name and a colour to begin with, for somebody who has not chosen any. */
export function suggestPerson(): Person {
  return { name: `${pick(CALM)} ${pick(ANIMALS)}`, colour: pick(COLOURS).value };
}

export function rememberPerson(person: Person): void {
  unremembered = person;
  remember("person", person);
}

/** A browser without storage knows its person until the page is closed. */
let unremembered: Person | null = null;

/** A name as it may travel: trimmed and cut to what the relay takes. */
export function cleanName(text: string): string {
  let name = text.replace(/\s+/gu, " ").trim();
  while (new TextEncoder().encode(name).length > NAME_BYTES) name = [...name].slice(0, -1).join("");
  return name;
}

/** One or two letters for a small round place. */
export function initials(name: string): string {
  const words = name.split(" ").filter((word) => word !== "");
  return (
    words
      .slice(0, 2)
      .map((word) => [...word][0]?.toUpperCase() ?? "")
      .join("") || "?"
  );
}

export function css(colour: number): string {
  return `#${colour.toString(16).padStart(6, "0")}`;
}

/** White or near-black, whichever reads better on the colour (relative luminance of WCAG 2). */
export function inkOn(colour: number): string {
  const [red, green, blue] = [colour >> 16, (colour >> 8) & 255, colour & 255].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.185 ? "#060b0d" : "#ffffff";
}

/** Told apart by most people, and dark enough for the white letters of a cursor's name. */
export const COLOURS = [
  { name: "Tide", value: 0x0f7a84 },
  { name: "Coral", value: 0xc24a29 },
  { name: "Moss", value: 0x3f7a30 },
  { name: "Iris", value: 0x6f63c4 },
  { name: "Amber", value: 0x946100 },
  { name: "Heather", value: 0xa8498f },
  { name: "Slate", value: 0x4a6f92 },
  { name: "Brick", value: 0xa8453f },
] as const;

function isPerson(value: unknown): value is Person {
  if (typeof value !== "object" || value === null) return false;
  const { name, colour, isChosen } = value as Record<string, unknown>;
  return (
    (isChosen === undefined || typeof isChosen === "boolean") &&
    typeof name === "string" &&
    name !== "" &&
    Number.isInteger(colour) &&
    (colour as number) >= 0 &&
    (colour as number) <= 0xffffff
  );
}

function pick<T>(from: readonly T[]): T {
  const at = (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % from.length;
  return from[at] as T;
}

/** The relay refuses longer ones. */
const NAME_BYTES = 64;
const CALM = ["Calm", "Bright", "Quiet", "Swift", "Kind", "Bold", "Merry", "Gentle"];
const ANIMALS = ["Otter", "Heron", "Seal", "Puffin", "Crab", "Gull", "Whale", "Tern", "Turtle", "Curlew"];
