import { createContext, createElement, useContext, type ReactElement, type ReactNode } from "react";
import type { Room } from "../client/index.js";

export interface RoomProviderProps {
  /** The room, from `connect`. Whoever connected closes it: a provider only passes it on. */
  readonly room: Room;
  readonly children?: ReactNode;
}

/** Gives a room to the hooks of all components inside. */
export function RoomProvider({ room, children }: RoomProviderProps): ReactElement {
  return createElement(RoomContext.Provider, { value: room }, children);
}

/** The room of the nearest provider. Throws where there is none. */
export function useRoom(): Room {
  const room = useContext(RoomContext);
  if (room === null) throw new Error("useRoom: there is no <RoomProvider> around this component");
  return room;
}

const RoomContext = createContext<Room | null>(null);
