import type { ReactElement } from "react";
import { css } from "../shell/person.ts";

/** A line of a text with somebody's caret in it, as the others see it. */
export function NamedCaret({ name, colour }: { readonly name: string; readonly colour: number }): ReactElement {
  return (
    <div className="named-caret" aria-hidden="true">
      <span className="named-caret-line">
        We cross at low tide
        <span className="named-caret-caret" style={{ backgroundColor: css(colour) }}>
          <span className="named-caret-flag" style={{ backgroundColor: css(colour) }}>
            {name}
          </span>
        </span>
      </span>
    </div>
  );
}
