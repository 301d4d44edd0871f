import { useEffect, useRef, useState, type ReactElement } from "react";
import { copied } from "../parts/copied.ts";
import { Icon } from "../parts/icon.tsx";
import { linkTo } from "../shell/route.ts";

export function CopyLink({ room }: { readonly room: string }): ReactElement {
  const [state, setState] = useState<"ready" | "copied" | "by-hand">("ready");
  const field = useRef<HTMLInputElement>(null);
  const link = linkTo(room);
  useEffect(() => {
    if (state === "by-hand") field.current?.select();
    if (state !== "copied") return;
    const timer = setTimeout(() => setState("ready"), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const words = state === "copied" ? "Link copied" : "Copy link";
  return (
    <span className="copy-link">
      <button
        type="button"
        className="button"
        title={link}
        onClick={() => void copied(link).then((done) => setState(done ? "copied" : "by-hand"))}
      >
        <Icon name={state === "copied" ? "check" : "link"} />
        <span className="long">{words}</span>
      </button>
      <span className="unseen" role="status">
        {state === "copied" ? "The link to this room is on the clipboard." : ""}
      </span>
      {state === "by-hand" && (
        <input
          ref={field}
          className="field by-hand"
          aria-label="Link to this room, to copy by hand"
          readOnly
          value={link}
          onBlur={() => setState("ready")}
        />
      )}
    </span>
  );
}

const SHOWN_MS = 2_500;
