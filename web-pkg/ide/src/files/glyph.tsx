import type { ReactElement } from "react";
import { Icon } from "../parts/icon.tsx";
import { languageOf } from "./languages.ts";

/** A small sign of a file's language in its colour; a sheet of paper where the language is unknown. */
export function Glyph({ path }: { readonly path: string }): ReactElement {
  const language = languageOf(path);
  if (language === null) {
    return (
      <span className="glyph">
        <Icon name="file" size={15} />
      </span>
    );
  }
  return (
    <span className={`glyph ${language.name.toLowerCase()}`} data-sign={language.sign} aria-hidden="true" />
  );
}
