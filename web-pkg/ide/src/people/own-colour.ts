import { useEffect, useRef, useState } from "react";
import { useConnection, useMyPresence, useOthers, useRoom } from "@causeway/web/react";
import { whoIsHere } from "../shell/person.ts";
import { rememberColourHere } from "../shell/room-colour.ts";
import { freeColour, waitBeforeGivingWay, type Coloured } from "./free-colour.ts";

/**
 * Two people in a room have one colour only while all are taken, or both have chosen it. Whoever was given theirs by chance
 * takes another in this room, on this device; whoever chose it keeps it.
 */
export function useColourOfOnesOwn(): void {
  const { name: room, presence } = useRoom();
  const [{ colour }, setMine] = useMyPresence();
  const colours = useOthers().map((other): Coloured => ({ person: other.person ?? "", colour: other.colour }));
  const signature = JSON.stringify(colours.sort((a, b) => (a.person < b.person ? -1 : 1)));
  const elders = useElders(signature);
  const hasGivenWay = useRef(false);
  useEffect(() => {
    if (elders === null || whoIsHere()?.isChosen === true) return;
    const others = JSON.parse(signature) as readonly Coloured[];
    const mine = { person: presence.person, colour };
    const free = freeColour(mine, others);
    if (free === null) return;
    const isNew = !hasGivenWay.current && others.some((other) => other.colour === colour && elders.has(other.person));
    const timer = setTimeout(() => {
      hasGivenWay.current = true;
      rememberColourHere(room, { instead: colour, colour: free });
      setMine({ colour: free });
    }, waitBeforeGivingWay(mine, others, isNew));
    return () => clearTimeout(timer);
  }, [room, presence, colour, setMine, signature, elders]);
}

/** Who was here before this page; `null` until that is known. */
function useElders(signature: string): ReadonlySet<string> | null {
  const isOnline = useConnection().state === "online";
  const [elders, setElders] = useState<ReadonlySet<string> | null>(null);
  const latest = useRef(signature);
  useEffect(() => {
    latest.current = signature;
  });
  useEffect(() => {
    if (!isOnline || elders !== null) return;
    const look = () => {
      const others = JSON.parse(latest.current) as readonly Coloured[];
      setElders(new Set(others.map(({ person }) => person)));
    };
    const timer = setTimeout(look, ALL_TOLD_MS);
    return () => clearTimeout(timer);
  }, [isOnline, elders]);
  return elders;
}

/** By then the relay has told who is in the room. */
const ALL_TOLD_MS = 1_000;
