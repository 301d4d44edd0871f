import type { WasmEvent, WasmOutput, WasmRoom } from "../../wasm/causeway.js";
import type { FromWorker } from "../worker/messages.js";
import { EngineError, guarded } from "./engine.js";
import type { Port } from "./port.js";

type WasmTextEvent = Extract<WasmEvent, { type: "text" }>;

/** An event of the engine; a reset of a text comes with the text of that moment. */
export type RoomEvent = Exclude<WasmEvent, WasmTextEvent> | (WasmTextEvent & { readonly text?: string });

/** What a pump tells its room. */
export interface Listener {
  /** `serial` rises by one with each event. */
  event(event: RoomEvent, serial: number): void;
  /** All events of one moment have been told. */
  settled(): void;
  backend(message: Extract<FromWorker, { type: "backend" }>): void;
  died(error: EngineError): void;
}

/**
 * Drives one room of the engine: calls go in, what it wants done goes to the worker, what has changed goes to the
 * listener. No decision is made here.
 */
export class Pump {
  #link = 0;
  #wakeAt: number | undefined;
  #serial = 0;
  #told = 0;
  #queue: RoomEvent[] = [];
  #isDelivering = false;
  #isClosed = false;
  #isUnlinked = false;
  #death: EngineError | undefined;

  constructor(
    private readonly room: WasmRoom,
    private readonly port: Port,
    private readonly listener: Listener,
  ) {
    port.listen((message) => this.#receive(message));
  }

  /** Lets the room begin. */
  start(): void {
    this.#drain();
  }

  /** The number of the newest event, told or waiting. */
  get serial(): number {
    return this.#serial;
  }

  /** A question, which changes nothing. */
  ask<T>(question: (room: WasmRoom) => T): T {
    return this.#guarded(() => question(this.room));
  }

  /**
   * A command of the app. It may stand inside an editor's update, so its events are told in a microtask. Once the engine
   * or its worker has died none is taken: it would be lost.
   */
  command<T>(command: (room: WasmRoom, monotonic: number, wall: number) => T): T {
    if (this.#death !== undefined) throw this.#death;
    try {
      return this.#guarded(() => command(this.room, performance.now(), Date.now()));
    } finally {
      this.#drain();
      if (this.#queue.length > 0) queueMicrotask(() => this.#deliver());
    }
  }

  /** Whatever gathers for a moment before it is written is handed to the disk now: there may be no later. */
  flush(): void {
    this.#input((room) => room.tick(performance.now() + GATHERING_MS, Date.now()));
  }

  /**
   * Nothing is sent to the relay from now on; what is on its way to the disk gets there. A page that follows keeps its
   * link: its disk is at the other end.
   */
  unlink(): void {
    if (!this.#guarded(() => this.room.leads())) return;
    this.#isUnlinked = true;
    this.port.post({ type: "close" });
  }

  close(): void {
    this.#isClosed = true;
    this.port.post({ type: "end" });
  }

  #receive(message: FromWorker): void {
    if (this.#isClosed) return;
    switch (message.type) {
      case "backend":
        return this.listener.backend(message);
      case "stored":
        return this.#input((room, mono, wall) => room.stored(message.op, message.outcome, mono, wall));
      case "scanned":
        return this.#input((room, mono, wall) => room.scanned(message.op, message.outcome, mono, wall));
      case "failed":
        return this.#die(new EngineError("worker-dead", `The part of Causeway that saves and sends has ended. ${message.sentence}`));
      case "woken":
        this.#wakeAt = undefined;
        return this.#input((room, mono, wall) => room.tick(mono, wall));
      case "reconnect":
        return this.reconnect();
      case "lead":
        return this.#input((room, mono, wall) => room.lead(mono, wall));
      case "follow":
        return this.#input((room, mono, wall) => room.follow(mono, wall));
      case "siblingOpened":
        return this.#input((room, mono, wall) => room.siblingOpened(message.sibling, mono, wall));
      case "siblingReceived":
        return this.#input((room, mono, wall) => room.siblingReceived(message.sibling, message.bytes, mono, wall));
      case "siblingClosed":
        return this.#input((room, mono, wall) => room.siblingClosed(message.sibling, mono, wall));
      case "opened":
      case "received":
      case "closed":
        // News of a link that has been replaced says nothing about the one there is.
        if (message.link === this.#link) this.#ofLink(message);
        return;
    }
  }

  reconnect(): void {
    this.#input((room, mono, wall) => room.reconnect(mono, wall));
  }

  #ofLink(message: Extract<FromWorker, { link: number }>): void {
    this.#input((room, mono, wall) => {
      if (message.type === "opened") room.opened(mono, wall);
      else if (message.type === "received") room.received(message.bytes, mono, wall);
      else room.closed(message.code, mono, wall);
    });
  }

  /** Something from outside: nobody's update is under way, so its events are told at once. */
  #input(input: (room: WasmRoom, monotonic: number, wall: number) => void): void {
    if (this.#isClosed) return;
    try {
      this.#guarded(() => input(this.room, performance.now(), Date.now()));
      this.#drain();
    } catch (error) {
      if (error instanceof EngineError) return;
      throw error;
    }
    this.#deliver();
  }

  #guarded<T>(call: () => T): T {
    try {
      return guarded(call);
    } catch (error) {
      if (error instanceof EngineError && !this.#isClosed) this.#die(error);
      throw error;
    }
  }

  #die(error: EngineError): void {
    this.#death = error;
    this.#isClosed = true;
    this.port.post({ type: "end" });
    this.listener.died(error);
  }

  #drain(): void {
    if (this.#isClosed) return;
    this.#guarded(() => {
      for (let output = this.room.pollOutput(); output !== undefined; output = this.room.pollOutput()) {
        this.#carryOut(output);
      }
      for (let event = this.room.pollEvent(); event !== undefined; event = this.room.pollEvent()) {
        this.#serial += 1;
        this.#queue.push(this.#withText(event));
      }
      this.#setAlarm(this.room.pollTimeout());
    });
  }

  #carryOut(output: WasmOutput): void {
    switch (output.type) {
      case "commit":
      case "scan":
      case "dismiss":
      case "yield":
        return this.port.post(output);
      case "toSibling":
        return this.port.post(output, [output.bytes.buffer]);
      case "send":
        if (!this.#isUnlinked) this.port.post(output, [output.bytes.buffer]);
        return;
      case "close":
        if (!this.#isUnlinked) this.port.post(output);
        return;
      case "connect":
      case "join":
        if (!this.#isUnlinked) this.port.post({ type: output.type, link: ++this.#link });
        return;
    }
  }

  /** Read while nothing has happened since: steps told after it build on exactly this text. */
  #withText(event: WasmEvent): RoomEvent {
    if (event.type !== "text" || event.delta !== undefined) return event;
    return this.room.isOpen(event.stream) ? { ...event, text: this.room.text(event.stream) } : event;
  }

  #setAlarm(at: number | undefined): void {
    if (at === this.#wakeAt) return;
    this.#wakeAt = at;
    this.port.post({ type: "wake", after: at === undefined ? null : Math.max(0, Math.ceil(at - performance.now())) });
  }

  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      while (this.#queue.length > 0) {
        const events = this.#queue;
        this.#queue = [];
        for (const event of events) {
          this.#told += 1;
          this.listener.event(event, this.#told);
        }
        this.listener.settled();
      }
    } finally {
      this.#isDelivering = false;
    }
  }
}

/**
 * The engine gathers edits for at most this long before it writes them or hands them to the page that leads
 * (`JOURNAL_INTERVAL` and `SEAL_INTERVAL_APART` of the core).
 */
const GATHERING_MS = 1_000;
