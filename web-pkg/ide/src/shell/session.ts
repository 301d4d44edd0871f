import { connect, init, type Room } from "@causeway/web";
import { askBeforeLoss } from "./leaving.ts";
import { setKept } from "./kept-rooms.ts";
import { suggestPerson, whoIsHere } from "./person.ts";
import { personIn } from "./room-colour.ts";
import { rescuedFrom, type Rescued } from "./rescue.ts";

/** What a room page waits for, has, or lacks. */
export type Session =
  | { readonly state: "starting" }
  | { readonly state: "open"; readonly room: Room }
  | { readonly state: "failed"; readonly sentence: string }
  /** The engine or its worker has ended: nothing more is taken. What the relay has not got was read as it ended, or is lost. */
  | { readonly state: "died"; readonly sentence: string; readonly room: Room; readonly rescued: readonly Rescued[]; readonly isLost: boolean };

/**
 * The session of a room. It lives outside React, so that mounting twice does not connect twice, and a room that is left
 * while this page has the only copy of something written there goes on until that is elsewhere; what has ended is kept
 * with what can still be taken from it.
 */
export class SessionHolder {
  readonly #name: string;
  readonly #watchers = new Set<() => void>();
  #session: Session = STARTING;
  #leaving: ReturnType<typeof setTimeout> | undefined;
  #stopAsking: () => void = () => undefined;
  /** Whether it has ended while nobody looked. */
  #isNews = false;
  readonly #taken = new WeakSet<Rescued>();
  /** Which start is under way; 0 while nobody looks. */
  #attempt = 0;
  #attempts = 0;

  private constructor(name: string) {
    this.#name = name;
  }

  /** The one session this page has of a room. */
  static of(name: string): SessionHolder {
    let holder = holders.get(name);
    if (holder === undefined) holders.set(name, (holder = new SessionHolder(name)));
    return holder;
  }

  readonly get = (): Session => this.#session;

  readonly subscribe = (changed: () => void): (() => void) => {
    clearTimeout(this.#leaving);
    holders.set(this.#name, this);
    setKept(this.#name, null);
    this.#isNews = false;
    this.#watchers.add(changed);
    if (this.#attempt === 0) void this.#start();
    return () => {
      this.#watchers.delete(changed);
      if (this.#watchers.size === 0) this.#leaving = setTimeout(() => this.#leave());
    };
  };

  /** Somebody has been handed a copy of what could be read as the session ended. */
  readonly noteTaken = (rescued: Rescued): void => void this.#taken.add(rescued);

  async #start(): Promise<void> {
    const attempt = (this.#attempt = ++this.#attempts);
    try {
      await init();
      if (attempt !== this.#attempt) return;
      const room = connect({ room: this.#name, person: personIn(this.#name, whoIsHere() ?? suggestPerson()) });
      room.notices(({ kind, sentence }) => {
        const hasEnded = kind === "engine-dead" || kind === "worker-dead";
        if (hasEnded && attempt === this.#attempt) this.#end(room, sentence, kind === "engine-dead" && room.wouldLose());
      });
      // Held to the end, so that what was said in it can be read then.
      room.channel();
      this.#stopAsking = askBeforeLoss(room);
      this.#show({ state: "open", room });
    } catch (failure) {
      if (attempt === this.#attempt && this.#session.state === "starting") this.#show({ state: "failed", sentence: sentenceOf(failure) });
    }
  }

  #end(room: Room, sentence: string, isLost: boolean): void {
    this.#isNews = this.#watchers.size === 0;
    this.#show({ state: "died", sentence, room, rescued: rescuedFrom(room), isLost });
  }

  #leave(): void {
    const before = this.#session;
    const wouldLose = (before.state === "open" || before.state === "died") && before.room.wouldLose();
    this.#go(wouldLose);
  }

  /** Leaves or stays, by how the session is now: asking whether something would be lost may have been its engine's end. */
  #go(wouldLose: boolean): void {
    const session = this.#session;
    if (wouldLose && session.state === "died") return this.#keepEnded(session.rescued);
    setKept(this.#name, wouldLose ? false : null);
    if (wouldLose) {
      this.#leaving = setTimeout(() => this.#leave(), LOOK_AGAIN_MS);
      return;
    }
    holders.delete(this.#name);
    this.#attempt = 0;
    this.#stopAsking();
    this.#show(STARTING);
    if (session.state === "open" || session.state === "died") void session.room.close();
  }

  /**
   * It is named while somebody has yet to hear that it has ended, or to take along what can be. A click is no copy yet, so
   * what could be read stays within reach as long as the tab is there.
   */
  #keepEnded(rescued: readonly Rescued[]): void {
    const isOpen = this.#isNews || rescued.some((one) => !this.#taken.has(one));
    setKept(this.#name, isOpen ? true : null);
    if (!isOpen) this.#stopAsking();
  }

  #show(session: Session): void {
    this.#session = session;
    for (const changed of [...this.#watchers]) changed();
  }
}

function sentenceOf(failure: unknown): string {
  if (typeof WebAssembly === "undefined") {
    return "This browser has no WebAssembly, or it is switched off (some browsers do so in a lockdown mode).";
  }
  return failure instanceof Error ? failure.message : String(failure);
}

const STARTING: Session = { state: "starting" };
/** Of each room that this page is in. */
const holders = new Map<string, SessionHolder>();
/** How soon a room that could not be left is left once its work is elsewhere. */
const LOOK_AGAIN_MS = 1_000;
