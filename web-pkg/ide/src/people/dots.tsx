import type { ReactElement } from "react";
import { css } from "../shell/person.ts";
import type { Face } from "./places.ts";

/** Small dots in people's colours. Their names stand elsewhere: in the label of what the dots are beside. */
export function Dots({ faces }: { readonly faces: readonly Face[] }): ReactElement | null {
  if (faces.length === 0) return null;
  return (
    <span className="dots" title={faces.map((face) => face.name).join(", ")} aria-hidden="true">
      {faces.slice(0, MOST).map(({ key, colour }) => (
        <span key={key} style={{ backgroundColor: css(colour) }} />
      ))}
    </span>
  );
}

/** More would push the name of a file away. */
const MOST = 4;
