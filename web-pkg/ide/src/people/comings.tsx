import { useEffect, useRef, useState, type ReactElement } from "react";
import { useConnection, useOthers } from "@causeway/web/react";
import { comings } from "./coming-words.ts";

/** Tells screen readers who comes and goes. Those who were here first, and who is back within moments, are no news. */
export function Comings(): ReactElement {
  const names = useOthers().map((person) => person.name || "Somebody");
  const signature = JSON.stringify(names.sort());
  const isOnline = useConnection().state === "online";
  const told = useRef<readonly string[] | null>(null);
  const [words, setWords] = useState("");
  useEffect(() => {
    if (!isOnline) {
      // Without a link it is not known who is there: nobody has left, and who is there afterwards has not come.
      told.current = null;
      return setWords("");
    }
    const timer = setTimeout(() => {
      const now = JSON.parse(signature) as readonly string[];
      if (told.current !== null) setWords(comings(told.current, now));
      told.current = now;
    }, CALM_MS);
    return () => clearTimeout(timer);
  }, [signature, isOnline]);
  return (
    <p className="unseen" role="status" aria-live="polite" data-testid="comings">
      {words}
    </p>
  );
}

/** A reload or a lift between two masts is over by then. */
const CALM_MS = 3_000;
