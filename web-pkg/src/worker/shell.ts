import { Alarm } from "./alarm.js";
import { type Opened, openBackend } from "./backend.js";
import { LeaderLink, Siblings } from "./channels.js";
import { Election } from "./election.js";
import { type Call, Hall } from "./hall.js";
import type { FromWorker, ToWorker } from "./messages.js";
import { Link } from "./socket.js";

export type Report = (news: FromWorker, transfer?: Transferable[]) => void;

/** Carries out what the page asks for, in the order of its asking, and reports. It decides nothing. */
export class Shell {
  readonly #alarm: Alarm;
  #pages: Pages | undefined;
  #link: Link | undefined;
  #opening: Promise<Opened> | undefined;

  constructor(private readonly report: Report) {
    this.#alarm = new Alarm(() => report({ type: "woken" }));
  }

  handle(message: ToWorker): void {
    switch (message.type) {
      case "open":
        return this.#open(message);
      case "connect":
        return this.#link?.connect(message.link);
      case "join":
        // Before the database is open nobody is known to lead; who does is told then, and the page asks again.
        if (this.#pages === undefined) return this.report({ type: "closed", link: message.link, code: undefined });
        return this.#pages.join(message.link);
      case "send":
        if (this.#pages?.isJoined === true) this.#pages.send(message.bytes);
        else this.#link?.send(message.bytes);
        return;
      case "close":
        this.#pages?.part();
        return this.#link?.close();
      case "toSibling":
        return this.#pages?.siblings.send(message.sibling, message.bytes);
      case "dismiss":
        return this.#pages?.siblings.dismiss(message.sibling);
      case "yield":
        return this.#pages?.election.yield();
      case "commit":
        void this.#opening
          ?.then(({ store }) => store.commit(message))
          .then((outcome) => {
            if (outcome === "ok") this.#pages?.election.confirm();
            this.report({ type: "stored", op: message.op, outcome });
          });
        return;
      case "scan":
        void this.#opening
          ?.then(({ store }) => store.scan(message))
          .then((outcome) => this.report({ type: "scanned", op: message.op, outcome }));
        return;
      case "wake":
        return this.#alarm.set(message.after);
      case "ask":
        return this.report({ type: "here" });
      case "network":
        // Neither is believed: the one is looked into, the other is worth a try.
        if (message.is === "offline") return this.#link?.doubt();
        this.#link?.hurry();
        return this.report({ type: "reconnect" });
      case "leaving":
        // What was asked for before is with the database first.
        void this.#opening?.then(() => this.#pages?.election.leave());
        return;
      case "back":
        return this.#pages?.election.start();
      case "end":
        this.#alarm.set(null);
        this.#link?.close();
        void this.#opening?.then(({ store }) => {
          store.close();
          this.#pages?.end();
          this.#pages = undefined;
        });
        return;
    }
  }

  #open(message: Extract<ToWorker, { type: "open" }>): void {
    this.#link = new Link(message.url, this.report);
    this.#opening = openBackend(message.room, message.storage, message.existed);
    this.#opening.then(({ backend }) => {
      this.report({ type: "backend", backend });
      // What is in memory is nobody else's: such a page stands alone.
      if (backend.backend === "memory") return this.report({ type: "lead" });
      this.#pages = new Pages(message.room, this.report);
      this.#pages.election.start();
    }).catch((error: unknown) => {
      const sentence = `Its database does not open again (${error instanceof Error ? error.message : String(error)}).`;
      this.report({ type: "failed", sentence });
    });
  }
}

/** The other pages of this browser in the room. */
class Pages {
  readonly #hall: Hall;
  readonly #leader: LeaderLink;
  readonly siblings: Siblings;
  readonly election: Election;

  constructor(room: string, report: Report) {
    this.#hall = new Hall(room, (call) => this.#hear(call));
    this.#leader = new LeaderLink(this.#hall, report);
    this.siblings = new Siblings(report);
    this.election = new Election(this.#hall, {
      lead: () => report({ type: "lead" }),
      follow: () => {
        this.#leader.close();
        report({ type: "follow" });
        report({ type: "reconnect" });
      },
    });
  }

  get isJoined(): boolean {
    return this.#leader.isOpen;
  }

  join(link: number): void {
    this.#leader.connect(link, this.election.leader);
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#leader.send(bytes);
  }

  /** The page gives its link to the leader up: because it is to lead itself, or because nothing is heard. */
  part(): void {
    if (!this.#leader.isOpen) return;
    this.#leader.close();
    this.election.doubt();
  }

  end(): void {
    this.election.leave();
    this.#leader.close();
    this.siblings.dismissAll();
    this.#hall.close();
  }

  #hear(call: Call): void {
    if (call.type !== "join") this.election.hear(call);
    else if (call.leader === this.#hall.self && this.election.isLeading) this.siblings.open(call.channel);
  }
}
