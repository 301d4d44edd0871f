import type { WasmRoom } from "../../wasm/causeway.js";
import { Cell } from "./cell.js";
import { Channel } from "./channel.js";
import { Documents } from "./documents.js";
import type { EngineError } from "./engine.js";
import { Forks } from "./forks.js";
import type { StreamId } from "./ids.js";
import type { Observable, Unsubscribe } from "./observable.js";
import { watchPage } from "./page.js";
import type { Myself } from "./people.js";
import type { Port } from "./port.js";
import { PresenceLane } from "./presence-lane.js";
import { Pump, type RoomEvent } from "./pump.js";
import type { Backend, ConnectionState, StorageState } from "./states.js";
import { Text } from "./text.js";

/** Something a person should be told once. */
export interface RoomNotice {
  /** `engine-dead`: the engine or its worker has ended; nothing more is taken on this page. */
  readonly kind: "fork" | "damaged" | "gone" | "engine-dead";
  readonly sentence: string;
}

/** A room: its documents, the people in it, and where its work is. */
export class Room {
  readonly name: string;
  /** The channel all devices agree on before anybody has said anything. */
  readonly mainChannel: StreamId;
  readonly documents: Documents;
  /** Work the relay did not take, kept on this device. */
  readonly forks: Forks;
  readonly presence: PresenceLane;
  readonly connection: Observable<ConnectionState>;
  readonly storage: Observable<StorageState>;
  readonly #pump: Pump;
  readonly #port: Port;
  readonly #connection = new Cell<ConnectionState>({ state: "offline" });
  readonly #storage = new Cell<StorageState>({ state: "opening", backend: "indexeddb" });
  readonly #texts = new Map<string, Text>();
  readonly #channels = new Map<string, Channel>();
  readonly #noticeReaders = new Set<(notice: RoomNotice) => void>();
  readonly #stopWatching: Unsubscribe;
  #backend: Backend = { backend: "indexeddb" };
  #editors = 0;
  #closing: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** @internal Use `connect`. */
  constructor(room: WasmRoom, port: Port, name: string, myself: Myself) {
    this.name = name;
    this.#port = port;
    this.connection = this.#connection;
    this.storage = this.#storage;
    this.#pump = new Pump(room, port, {
      event: (event, serial) => this.#take(event, serial),
      settled: () => this.#settled(),
      backend: ({ backend }) => {
        this.#backend = backend;
        this.#lookAtStorage();
      },
      died: (error) => this.#died(error),
    });
    // Asked once: what a page shows must not need an engine that may have died.
    this.mainChannel = this.#pump.ask((room) => room.mainChannel()) as StreamId;
    this.documents = new Documents(this.#pump);
    this.forks = new Forks(this.#pump);
    this.presence = new PresenceLane(this.#pump, myself);
    this.#stopWatching = watchPage({
      seen: () => {
        port.post({ type: "back" });
        this.reconnect();
      },
      leaving: () => {
        this.#pump.flush();
        port.post({ type: "leaving" });
      },
    });
    this.#pump.start();
  }

  /** Opens a text, or gives the one that is open. Each call is one holding, ended with `Text.release`. */
  text(id: StreamId): Text {
    let text = this.#texts.get(id);
    if (text === undefined) {
      text = new Text(
        this.#pump,
        id,
        this.#storage,
        () => (this.#editors += 1),
        () => this.#texts.delete(id),
      );
      this.#texts.set(id, text);
    }
    return text.hold();
  }

  /** Opens a channel, or gives the one that is open. Each call is one holding, ended with `Channel.release`. */
  channel(id: StreamId = this.mainChannel): Channel {
    let channel = this.#channels.get(id);
    if (channel === undefined) {
      channel = new Channel(this.#pump, id, this.#storage, () => this.#channels.delete(id));
      this.#channels.set(id, channel);
    }
    return channel.hold();
  }

  /** Calls `callback` with whatever a person should be told once. */
  notices(callback: (notice: RoomNotice) => void): Unsubscribe {
    const reader = (notice: RoomNotice): void => callback(notice);
    this.#noticeReaders.add(reader);
    return () => this.#noticeReaders.delete(reader);
  }

  /** Whether this page of the browser leads: it alone writes to the disk and talks to the relay, for the others too. */
  get isLeading(): boolean {
    return this.#pump.ask((room) => room.leads());
  }

  /** Tries the link now instead of later. */
  reconnect(): void {
    this.#pump.reconnect();
  }

  /** Leaves the room. What was written last still gets to this device's disk. */
  close(): void {
    if (this.#isClosed || this.#closing !== undefined) return;
    this.#stopWatching();
    this.#closing = setTimeout(() => this.#end(), CLOSE_WITHIN_MS);
    this.#pump.unlink();
    this.#pump.flush();
    this.#settled();
  }

  #take(event: RoomEvent, serial: number): void {
    switch (event.type) {
      case "text":
        this.#texts.get(event.stream)?.take(event, serial);
        if (event.delta === undefined) this.forks.lookAgain();
        return;
      case "directory":
        return this.documents.look();
      case "channel":
        return this.#channels.get(event.stream)?.look();
      case "connection":
        return this.#connection.set(this.#pump.ask((room) => room.connection()));
      case "saveStatus":
        this.#channels.get(event.stream)?.lookAtReceipts();
        return this.#texts.get(event.stream)?.look();
      case "others":
        return this.presence.look();
      case "storage":
        return this.#lookAtStorage();
      case "forks":
        return this.forks.look();
      case "fork":
        // Nobody refused it, and it goes back by itself; what cannot is listed with the other forks.
        if (event.code === "disk.claimed") return;
        return this.#tell("fork", `The relay did not take a piece of your work: ${event.sentence}. It is kept on this device.`);
      case "damaged":
        return this.#tell("damaged", `Something stored could not be read (${event.code}). The rest goes on without it.`);
      case "gone":
        this.forks.lookAgain();
        return this.#tell("gone", "This document has been deleted.");
    }
  }

  #settled(): void {
    if (this.#isClosed) return;
    this.documents.look();
    if (this.#closing === undefined) return;
    const held = [...this.#texts.values(), ...this.#channels.values()];
    if (held.every((stream) => stream.isWritten)) this.#end();
  }

  #lookAtStorage(): void {
    this.#storage.set({ ...this.#pump.ask((room) => room.storage()), ...this.#backend });
    for (const text of this.#texts.values()) text.look();
    this.documents.look();
  }

  #tell(kind: RoomNotice["kind"], sentence: string): void {
    for (const reader of [...this.#noticeReaders]) reader({ kind, sentence });
  }

  #died(error: EngineError): void {
    this.#stopWatching();
    this.#connection.set({ state: "stopped", code: 0, sentence: error.message });
    this.#tell("engine-dead", error.message);
  }

  #end(): void {
    clearTimeout(this.#closing);
    this.#isClosed = true;
    this.#pump.close();
    for (const held of [...this.#texts.values(), ...this.#channels.values()]) held.end();
    this.#port.close();
  }
}

/** A disk that has not answered by then is not waited for: somebody wants to leave. */
const CLOSE_WITHIN_MS = 2_000;
