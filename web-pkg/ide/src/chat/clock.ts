/** The time of day, as this device's language writes it. */
export function timeOfDay(time: number): string {
  return HOURS.format(time);
}

/** Day and time in full, for whoever wants to know exactly. */
export function inFull(time: number): string {
  return FULL.format(time);
}

/** "Today", "Yesterday", or the day. */
export function dayWords(time: number, now: number): string {
  const days = Math.round((midnight(now) - midnight(time)) / DAY_MS);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return (new Date(time).getFullYear() === new Date(now).getFullYear() ? DAY : DAY_AND_YEAR).format(time);
}

function midnight(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}

const DAY_MS = 24 * 60 * 60 * 1000;
const HOURS = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const DAY_AND_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
