import { useEffect, useRef, useState, type ReactElement } from "react";
import { useOthers } from "@causeway/web/react";
import { comings } from "./coming-words.ts";

/** Tells screen readers who comes and goes. Those who were here first, and who is back within moments, are no news. */
export function Comings(): ReactElement {
  const names = useOthers().map((person) => person.name || "Somebody");
  const signature = JSON.stringify(names.sort());
  const told = useRef<readonly string[] | null>(null);
  const [words, setWords] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => {
      const now = JSON.parse(signature) as readonly string[];
      if (told.current !== null) setWords(comings(told.current, now));
      told.current = now;
    }, CALM_MS);
    return () => clearTimeout(timer);
  }, [signature]);
  return (
    <p className="unseen" role="status" aria-live="polite" data-testid="comings">
      {words}
    </p>
  );
}

/** A reload or a lift between two masts is over by then. */
const CALM_MS = 3_000;
