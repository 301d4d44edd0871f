/**
 * Which page of this browser is to lead a room. An election only says who tries: the owner's row in the database, which
 * core checks with every commit, says who may.
 *
 * Where there are Web Locks, the lock is the office: the browser hands it on the moment its holder is gone. Everywhere
 * the others ask every second whether the leader still answers, and a leader that does not (its page sleeps, or there
 * are no locks and it is dead) is replaced.
 */
import type { Call, Hall } from "./hall.js";

export interface Office {
  /** This page is to lead; called again when somebody else says so of itself. */
  lead(): void;
  /** Another page leads. */
  follow(leader: string): void;
}

/** Another worker answers in a millisecond; at the start nobody is made to wait for longer. */
const ANSWER_WITHIN_MS = 250;
/** Time for others who would lead at the same moment to say so. */
const STAND_FOR_MS = 150;
/** How often a leader is asked. The asking is done by those who are in use; answering needs no timer. */
const ASK_EVERY_MS = 1_000;
/** Questions without an answer after which a leader is replaced. */
const PATIENCE = 4;
/** Time another who says that it leads has to make the database its own. Only then does the database settle the matter. */
const CLAIM_WITHIN_MS = 2_000;

export class Election {
  #state: "looking" | "standing" | "following" | "leading" | "away" = "away";
  #leader: string | undefined;
  /** A leader whose page does not answer, though its worker may say that it is there. */
  #doubted: string | undefined;
  /** While leading: another says that it leads. `settling`: the database has been asked late enough to know. */
  #contest: "none" | "open" | "settling" = "none";
  #unanswered = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unlock: (() => void) | undefined;
  #queued: AbortController | undefined;
  #locks = locksHere();

  constructor(
    private readonly hall: Hall,
    private readonly office: Office,
  ) {}

  get leader(): string | undefined {
    return this.#state === "following" ? this.#leader : undefined;
  }

  get isLeading(): boolean {
    return this.#state === "leading";
  }

  start(): void {
    if (this.#state !== "away") return;
    this.#look();
  }

  hear(call: Call): void {
    switch (call.type) {
      case "ask":
        return this.#answer();
      case "here":
        return call.leader === this.#doubted ? undefined : this.#heardOf(call.leader);
      case "lead":
        return this.#heardOf(call.leader);
      case "stand":
        if (this.#state === "leading") this.#answer();
        else if (this.#state === "standing" && call.candidate < this.hall.self) this.#look();
        return;
      case "bye":
        if (this.#leader === call.leader && this.#state === "following") this.#stand();
        return;
      case "join":
        return;
    }
  }

  /** The leader's page does not answer, though its worker may. */
  doubt(): void {
    if (this.#state !== "following") return;
    this.#doubted = this.#leader;
    this.#replace();
  }

  /** The database has taken a commit of this page: it belongs to it. */
  confirm(): void {
    if (this.#state !== "leading" || this.#contest !== "settling") return;
    this.#contest = "none";
    this.#queue();
    this.hall.call({ type: "lead", leader: this.hall.self });
  }

  /** The database belongs to another page. */
  yield(): void {
    if (this.#state !== "leading") return;
    this.#resign();
    this.#look();
  }

  /** Somebody else is to lead: this page may be gone in a moment. */
  leave(): void {
    if (this.#state === "leading") this.hall.call({ type: "bye", leader: this.hall.self });
    this.#resign();
    clearTimeout(this.#timer);
    this.#state = "away";
  }

  #answer(): void {
    const isSure = this.#state === "leading" && this.#contest === "none";
    if (isSure) this.hall.call({ type: "here", leader: this.hall.self });
  }

  /** Two say that they lead. The database knows who does; until it has spoken this one says nothing. */
  #contested(): void {
    if (this.#contest !== "none") return;
    this.#contest = "open";
    this.office.lead();
    this.#after(CLAIM_WITHIN_MS, () => {
      this.#contest = "settling";
      this.office.lead();
    });
  }

  /** Asks who leads, and stands if nobody answers. */
  #look(): void {
    this.#state = "looking";
    this.#leader = undefined;
    this.hall.call({ type: "ask" });
    this.#queue();
    this.#after(ANSWER_WITHIN_MS, () => this.#stand());
  }

  #heardOf(leader: string): void {
    if (leader === this.hall.self || this.#state === "away") return;
    if (this.#state === "leading") return this.#contested();
    this.#unanswered = 0;
    this.#doubted = undefined;
    if (this.#state === "following" && this.#leader === leader) return;
    this.#state = "following";
    this.#leader = leader;
    this.#queue();
    this.office.follow(leader);
    this.#after(ASK_EVERY_MS, () => this.#askAgain());
  }

  #askAgain(): void {
    this.#unanswered += 1;
    if (this.#unanswered > PATIENCE) return this.#replace();
    this.hall.call({ type: "ask" });
    this.#after(ASK_EVERY_MS, () => this.#askAgain());
  }

  /** Nobody leads: whoever holds the lock does, and without locks whoever calls first. */
  #stand(): void {
    this.#state = "standing";
    this.#leader = undefined;
    if (this.#locks !== undefined) {
      // A lock that is not handed on in this time is held by a page that sleeps.
      this.#queue();
      return this.#after(PATIENCE * ASK_EVERY_MS, () => this.#replace());
    }
    this.hall.call({ type: "stand", candidate: this.hall.self });
    this.#after(STAND_FOR_MS, () => this.#lead());
  }

  /** The one who should lead does not answer. */
  #replace(): void {
    const locks = this.#locks;
    if (locks === undefined) return this.#stand();
    this.#queued?.abort();
    this.#queued = undefined;
    this.#state = "standing";
    this.#hold(locks, { steal: true });
    this.#after(PATIENCE * ASK_EVERY_MS, () => this.#look());
  }

  /** Waits for the lock, behind those who came before. */
  #queue(): void {
    const locks = this.#locks;
    if (locks === undefined || this.#queued !== undefined || this.#unlock !== undefined) return;
    this.#queued = new AbortController();
    this.#hold(locks, { signal: this.#queued.signal });
  }

  #hold(locks: LockManager, options: LockOptions): void {
    const held = (): Promise<void> | undefined => {
      this.#queued = undefined;
      if (this.#state === "away" || this.#unlock !== undefined) return undefined;
      const released = new Promise<void>((unlock) => (this.#unlock = unlock));
      this.#lead();
      return released;
    };
    locks.request(`causeway/${this.hall.room}`, options, held).catch((error: unknown) => {
      if (options.signal?.aborted === true) return;
      if (!isAbort(error)) return this.#doWithoutLocks();
      // Taken away by somebody who took this page for asleep: who leads now will be heard.
      this.#unlock = undefined;
      if (this.#state === "leading") this.#contested();
    });
  }

  /** A browser that has locks may still not give them to every page. */
  #doWithoutLocks(): void {
    this.#locks = undefined;
    this.#queued = undefined;
    if (this.#state === "looking" || this.#state === "standing") this.#look();
  }

  #lead(): void {
    clearTimeout(this.#timer);
    this.#state = "leading";
    this.#contest = "none";
    this.#doubted = undefined;
    this.#leader = this.hall.self;
    this.hall.call({ type: "lead", leader: this.hall.self });
    this.office.lead();
  }

  #resign(): void {
    this.#queued?.abort();
    this.#queued = undefined;
    this.#unlock?.();
    this.#unlock = undefined;
  }

  #after(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** Web Locks exist on secure origins only. */
function locksHere(): LockManager | undefined {
  return (globalThis as { readonly navigator?: { readonly locks?: LockManager } }).navigator?.locks;
}
