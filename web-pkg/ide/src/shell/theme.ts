export type Theme = "light" | "dark";

/** The theme the page shows: what the person chose, otherwise what the system prefers. */
export function themeNow(): Theme {
  return document.documentElement.dataset["theme"] === "dark" ? "dark" : "light";
}

export function chooseTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // The choice holds until the page is closed.
  }
  show(theme);
}

export function onThemeChange(changed: () => void): () => void {
  watchers.add(changed);
  return () => watchers.delete(changed);
}

/** A change of the system's preference shows at once, unless the person has chosen. `start.js` has set the first one. */
export function followSystemTheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", () => {
    if (!hasChosen()) show(dark.matches ? "dark" : "light");
  });
  show(themeNow());
}

function show(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  const ground = getComputedStyle(document.documentElement).getPropertyValue("--shore").trim();
  document.querySelector('meta[name="theme-color"]')?.setAttribute("content", ground);
  for (const changed of [...watchers]) changed();
}

function hasChosen(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

/** Read by `public/start.js` as well, as plain text. */
const KEY = "causeway/theme";
const watchers = new Set<() => void>();
