import { connect, init, type Room } from "@causeway/web";
import { suggestPerson, whoIsHere } from "./person.ts";

/** What a room page waits for, has, or lacks. */
export type Session =
  | { readonly state: "starting" }
  | { readonly state: "open"; readonly room: Room }
  | { readonly state: "failed"; readonly sentence: string }
  /** The engine or its worker has ended: nothing more is taken. What is there may still be read. */
  | { readonly state: "died"; readonly sentence: string; readonly room: Room };

/** The one room of this page. It lives outside React, so that mounting twice does not connect twice. */
export class SessionHolder {
  readonly #name: string;
  readonly #watchers = new Set<() => void>();
  #session: Session = STARTING;
  #leaving: ReturnType<typeof setTimeout> | undefined;
  /** Which start is under way; 0 while nobody looks. */
  #attempt = 0;
  #attempts = 0;

  constructor(name: string) {
    this.#name = name;
  }

  readonly get = (): Session => this.#session;

  readonly subscribe = (changed: () => void): (() => void) => {
    clearTimeout(this.#leaving);
    this.#watchers.add(changed);
    if (this.#attempt === 0) void this.#start();
    return () => {
      this.#watchers.delete(changed);
      if (this.#watchers.size === 0) this.#leaving = setTimeout(() => this.#close());
    };
  };

  async #start(): Promise<void> {
    const attempt = (this.#attempt = ++this.#attempts);
    try {
      await init();
      if (attempt !== this.#attempt) return;
      const room = connect({ room: this.#name, person: whoIsHere() ?? suggestPerson() });
      room.notices(({ kind, sentence }) => {
        if (kind === "engine-dead" && attempt === this.#attempt) this.#show({ state: "died", sentence, room });
      });
      this.#show({ state: "open", room });
    } catch (failure) {
      if (attempt === this.#attempt) this.#show({ state: "failed", sentence: sentenceOf(failure) });
    }
  }

  #close(): void {
    this.#attempt = 0;
    const session = this.#session;
    this.#show(STARTING);
    if (session.state === "open" || session.state === "died") void session.room.close();
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
