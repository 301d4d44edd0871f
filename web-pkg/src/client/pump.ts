import type { WasmEvent, WasmOutput, WasmRoom } from "../../wasm/causeway.js";
import type { FromWorker } from "../worker/messages.js";
import { EngineError, guarded } from "./engine.js";
import type { CausewayError } from "./errors.js";
import type { Port } from "./port.js";
import { apart } from "./tell.js";

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
  /** Whether another worker has begun, and what was typed meanwhile is not written. */
  #isBetween = false;
  /** Commits that the disk has not answered yet. */
  #commits = 0;
  /** The same of readings of it. */
  #scans = 0;
  /** Why no command is taken any more. */
  #refusal: CausewayError | undefined;

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

  /** Why no command is taken any more: the room was closed, or its engine or worker has died. */
  get refusal(): CausewayError | undefined {
    return this.#refusal;
  }

  /**
   * A command of the app. It may stand inside an editor's update, so its events are told in a microtask. A room that has
   * ended throws: what is written then would be lost.
   */
  command<T>(command: (room: WasmRoom, monotonic: number, wall: number) => T): T {
    if (this.#refusal !== undefined) throw this.#refusal;
    try {
      return this.#guarded(() => command(this.room, performance.now(), Date.now()));
    } finally {
      this.#drain();
      if (this.#queue.length > 0) queueMicrotask(() => this.#deliver());
    }
  }

  /** A command that means nothing to a room that has ended: it is passed over then. */
  passing(command: (room: WasmRoom, monotonic: number, wall: number) => void): void {
    if (this.#refusal === undefined) this.command(command);
  }

  /** Whether the disk has yet to answer. What waits behind a commit goes out with its answer. */
  get isWriting(): boolean {
    return this.#commits > 0;
  }

  /** Whether nobody may be there who writes what was handed over. */
  get isDoubted(): boolean {
    return this.#isBetween || this.port.isDoubted === true;
  }

  /**
   * Everything is written: what was typed while another worker began is as well, if one has. While the disk is being read
   * nothing of what is typed is.
   */
  noteWritten(): void {
    if (this.port.isDoubted !== true && this.#commits === 0 && this.#scans === 0) this.#isBetween = false;
  }

  /** Whether it has come to its end: nothing more goes in or out. */
  get isOver(): boolean {
    return this.#isClosed;
  }

  /** Whatever gathers for a moment before it is written is handed to the disk now: there may be no later. */
  flush(): void {
    this.#input((room) => room.tick(performance.now() + GATHERING_MS, Date.now()));
  }

  /**
   * The room is being left: from now on no command is taken and nothing is sent to the relay; what gathers and what is on
   * its way to the disk gets there. A page that follows keeps its link: its disk is at the other end.
   */
  leave(refusal: CausewayError): void {
    if (this.#refusal !== undefined) return;
    this.#refusal = refusal;
    this.#input((room) => {
      if (!room.leads()) return;
      this.#isUnlinked = true;
      this.port.post({ type: "close" });
    });
    this.flush();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.port.post({ type: "end" });
  }

  #receive(message: FromWorker): void {
    if (this.#isClosed) return;
    switch (message.type) {
      case "backend":
        return this.listener.backend(message);
      case "stored":
        this.#commits -= 1;
        return this.#input((room, mono, wall) => room.stored(message.op, message.outcome, mono, wall));
      case "scanned":
        this.#scans -= 1;
        return this.#input((room, mono, wall) => room.scanned(message.op, message.outcome, mono, wall));
      case "replaced":
        return this.#beginAgain();
      case "here":
        return;
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

  /** Link and disk are gone for now, as they are for a page that slept while another took its place. */
  #beginAgain(): void {
    [this.#commits, this.#scans] = [0, 0];
    this.#wakeAt = undefined;
    this.#isBetween = true;
    this.#input((room, mono, wall) => {
      room.closed(undefined, mono, wall);
      room.follow(mono, wall);
    });
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
    this.#refusal = error;
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
        this.#commits += 1;
        return this.port.post(output);
      case "scan":
        this.#scans += 1;
        return this.port.post(output);
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
      do {
        const events = this.#queue;
        this.#queue = [];
        for (const event of events) {
          this.#told += 1;
          this.#tell(() => this.listener.event(event, this.#told));
        }
        this.#tell(() => this.listener.settled());
      } while (this.#queue.length > 0);
    } finally {
      this.#isDelivering = false;
    }
  }

  /** An engine that dies meanwhile has said so itself. */
  #tell(call: () => void): void {
    apart(() => {
      try {
        call();
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
      }
    });
  }
}

/**
 * The engine gathers edits for at most this long before it writes them or hands them to the page that leads
 * (`JOURNAL_INTERVAL` and `SEAL_INTERVAL_APART` of the core).
 */
const GATHERING_MS = 1_000;
