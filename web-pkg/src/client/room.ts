import type { WasmRoom } from "../../wasm/causeway.js";
import { Cell } from "./cell.js";
import { Channel } from "./channel.js";
import { DIRECTORY, Documents } from "./documents.js";
import { EngineError } from "./engine.js";
import { CausewayError } from "./errors.js";
import { Forks } from "./forks.js";
import type { StreamId } from "./ids.js";
import type { Observable, Unsubscribe } from "./observable.js";
import { watchPage } from "./page.js";
import type { Myself } from "./people.js";
import type { Port } from "./port.js";
import { PresenceLane } from "./presence-lane.js";
import { Pump, type RoomEvent } from "./pump.js";
import { Receipts } from "./receipts.js";
import { type Backend, type ConnectionState, type StorageState, keptWhere } from "./states.js";
import { tell } from "./tell.js";
import { Text } from "./text.js";

/** Something a person should be told once. */
export interface RoomNotice {
  /** `engine-dead`, `worker-dead`: the engine or its worker has ended; nothing more is taken on this page. */
  readonly kind: "fork" | "damaged" | "gone" | "engine-dead" | "worker-dead";
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
  readonly #receipts: Receipts;
  readonly #port: Port;
  readonly #connection = new Cell<ConnectionState>({ state: "offline" });
  readonly #storage = new Cell<StorageState>({ state: "opening", backend: "indexeddb" });
  readonly #texts = new Map<string, Text>();
  readonly #channels = new Map<string, Channel>();
  readonly #noticeReaders = new Set<(notice: RoomNotice) => void>();
  readonly #stopWatching: Unsubscribe;
  /** Where something may have been written here. */
  readonly #writtenTo = new Set<string>([DIRECTORY]);
  #backend: Backend = { backend: "indexeddb" };
  #editors = 0;
  #closing: ReturnType<typeof setTimeout> | undefined;
  #closed: Promise<void> | undefined;
  #becomeClosed: () => void = () => undefined;

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
    this.#receipts = new Receipts(this.#pump, this.#storage);
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
      network: (is) => port.post({ type: "network", is }),
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
        this.#receipts,
        () => (this.#editors += 1),
        () => this.#letGo(),
      );
      this.#texts.set(id, text);
    }
    return text.hold();
  }

  /** Opens a channel, or gives the one that is open. Each call is one holding, ended with `Channel.release`. */
  channel(id: StreamId = this.mainChannel): Channel {
    let channel = this.#channels.get(id);
    if (channel === undefined) {
      channel = new Channel(this.#pump, id, this.#storage, this.#receipts, () => this.#letGo());
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

  /**
   * Whether closing the page now would lose something that was written here: the relay has not got it, and this device keeps
   * nothing, cannot write, or has lost its worker, be it only until another one begins. For `beforeunload`. What a sound disk has yet to write gets there as the page leaves.
   */
  wouldLose(): boolean {
    try {
      return this.#hasTheOnlyCopy();
    } catch (error) {
      // Nobody can ask an engine that is dead, or dies of the question: where nothing else holds the work it counts as lost.
      if (error instanceof EngineError) return keptWhere(this.#storage.get()) === "in this tab only";
      throw error;
    }
  }

  #hasTheOnlyCopy(): boolean {
    const storage = this.#storage.get();
    const isInMemory = storage.backend === "memory";
    const isWorking = this.#pump.refusal?.code !== "worker-dead" && !this.#pump.isDoubted;
    if (keptWhere(storage) === "on this device" && isWorking) return false;
    // What was refused waits for the relay no more, and is here alone.
    if (isInMemory && this.forks.get().length > 0) return true;
    return [...this.#writtenTo].some((id) => {
      const { unsavedOnDevice, unsavedOnRelay } = this.#pump.ask((room) => room.saveStatus(id));
      if (!isInMemory) return unsavedOnDevice > 0;
      return unsavedOnRelay > 0 || (id.startsWith("chat:") && this.#pump.ask((room) => room.drafts(id)).length > 0);
    });
  }

  /** Tries the link now instead of later. */
  reconnect(): void {
    this.#pump.reconnect();
  }

  /**
   * Leaves the room. Nothing more is taken; what was written before still gets to this device's disk, however little time
   * ago. Resolves when it is there, or after 2 s if the disk does not answer.
   */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#becomeClosed = resolve;
      this.#leave(new CausewayError("room-closed", "The room was closed before."));
    });
    return this.#closed;
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
        this.#writtenTo.add(event.stream);
        this.#receipts.look(event.stream);
        return this.#texts.get(event.stream)?.look();
      case "others":
        return this.presence.look();
      case "storage":
        return this.#lookAtStorage();
      case "forks":
        return this.forks.look();
      case "fork":
        if (event.code === "disk.claimed") {
          // Nobody refused it, and in a text it goes back by itself; what cannot is listed with the other forks.
          if (!event.stream.startsWith("chat:")) return;
          return this.#tell("fork", `What you said was not sent, as ${event.sentence}. It is kept as a draft ${keptWhere(this.#storage.get())}.`);
        }
        return this.#tell("fork", `The relay did not take a piece of your work: ${event.sentence}. It is kept ${keptWhere(this.#storage.get())}.`);
      case "damaged":
        if (event.code === "home.unsigned") {
          return this.#tell("damaged", "The relay has lost something that somebody else wrote here. This device keeps it, and what you write upon it; only its author can bring it back.");
        }
        return this.#tell("damaged", `Something stored could not be read (${event.code}). The rest goes on without it.`);
      case "gone":
        this.forks.lookAgain();
        return this.#tell("gone", "This document has been deleted.");
    }
  }

  #settled(): void {
    if (this.#pump.isOver) return;
    if (this.#pump.isDoubted && this.#isWritten()) this.#pump.noteWritten();
    this.documents.lookAgain();
    for (const text of this.#texts.values()) text.lookAgain();
    this.#letGo();
    if (this.#closing !== undefined && !this.#pump.isWriting && this.#isWritten()) this.#end();
  }

  /** Whether this device's disk has everything, or for a page that follows, the page that leads. */
  #isWritten(): boolean {
    const isWritten = (id: string): boolean =>
      this.#pump.ask((room) => room.saveStatus(id)).unsavedOnDevice === 0;
    return [...this.#writtenTo].every(isWritten);
  }

  /** A text or channel that nobody holds may still be followed: by whoever was not the last to release it. */
  #letGo(): void {
    for (const [id, text] of this.#texts) if (text.isIdle) this.#texts.delete(id);
    for (const [id, channel] of this.#channels) if (channel.isIdle) this.#channels.delete(id);
  }

  #lookAtStorage(): void {
    this.#storage.set({ ...this.#pump.ask((room) => room.storage()), ...this.#backend });
    for (const text of this.#texts.values()) text.look();
    this.#receipts.look();
    this.documents.look();
  }

  #tell(kind: RoomNotice["kind"], sentence: string): void {
    tell(this.#noticeReaders, { kind, sentence });
  }

  #died(error: EngineError): void {
    this.#stopWatching();
    this.#refuse(error);
    this.#receipts.giveUp(error);
    this.#connection.set({ state: "stopped", code: 0, sentence: error.message });
    this.#tell(error.code === "worker-dead" ? "worker-dead" : "engine-dead", error.message);
    this.#end();
  }

  #leave(error: CausewayError): void {
    this.#stopWatching();
    this.#closing = setTimeout(() => this.#end(), CLOSE_WITHIN_MS);
    this.#pump.leave(error);
    this.#refuse(error);
    if (this.#pump.isOver) this.#end();
    else this.#settled();
  }

  /** Whoever waits for something that will not come is told why. */
  #refuse(error: CausewayError): void {
    for (const held of [...this.#texts.values(), ...this.#channels.values()]) held.end(error);
    this.documents.giveUp();
    this.forks.lookAgain();
  }

  #end(): void {
    if (this.#closing === undefined) return;
    clearTimeout(this.#closing);
    this.#closing = undefined;
    this.#pump.close();
    if (this.#pump.refusal !== undefined) this.#receipts.giveUp(this.#pump.refusal);
    this.#port.close();
    this.#becomeClosed();
  }
}

/** A disk that has not answered by then is not waited for: somebody wants to leave. */
const CLOSE_WITHIN_MS = 2_000;
