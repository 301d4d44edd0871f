import { useSyncExternalStore, type ReactElement } from "react";
import { chooseTheme, onThemeChange, themeNow } from "../shell/theme.ts";
import { Icon } from "./icon.tsx";

export function ThemeToggle(): ReactElement {
  const theme = useSyncExternalStore(onThemeChange, themeNow);
  const other = theme === "dark" ? "light" : "dark";
  const label = `Use ${other} colours`;
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} onClick={() => chooseTheme(other)}>
      <Icon name={theme === "dark" ? "sun" : "moon"} />
    </button>
  );
}
