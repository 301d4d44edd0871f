/** Small things this browser remembers between visits. A browser that refuses storage forgets them, and that is all. */
export function recall<T>(key: string, check: (value: unknown) => value is T): T | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(PREFIX + key) ?? "null");
    return check(value) ? value : null;
  } catch {
    return null;
  }
}

export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // Refused or full: nothing of a person's work is kept here.
  }
}

const PREFIX = "causeway/";
