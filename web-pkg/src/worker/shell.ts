import { Alarm } from "./alarm.js";
import { type Opened, openBackend } from "./backend.js";
import type { FromWorker, ToWorker } from "./messages.js";
import { Link } from "./socket.js";

export type Report = (news: FromWorker, transfer?: Transferable[]) => void;

/** Carries out what the page asks for, in the order of its asking, and reports. It decides nothing. */
export class Shell {
  readonly #alarm: Alarm;
  #link: Link | undefined;
  #opening: Promise<Opened> | undefined;

  constructor(private readonly report: Report) {
    this.#alarm = new Alarm(() => report({ type: "woken" }));
  }

  handle(message: ToWorker): void {
    switch (message.type) {
      case "open":
        this.#link = new Link(message.url, this.report);
        this.#opening = openBackend(message.room, message.storage);
        void this.#opening.then(({ backend }) => this.report({ type: "backend", backend }));
        return;
      case "connect":
        return this.#link?.connect(message.link);
      case "send":
        return this.#link?.send(message.bytes);
      case "close":
        return this.#link?.close();
      case "commit":
        void this.#opening
          ?.then(({ store }) => store.commit(message))
          .then((outcome) => this.report({ type: "stored", op: message.op, outcome }));
        return;
      case "scan":
        void this.#opening
          ?.then(({ store }) => store.scan(message))
          .then((outcome) => this.report({ type: "scanned", op: message.op, outcome }));
        return;
      case "wake":
        return this.#alarm.set(message.after);
      case "leaving":
        void this.#opening?.then(({ ownership }) => ownership?.hush());
        return;
      case "end":
        this.#alarm.set(null);
        this.#link?.close();
        void this.#opening?.then(({ store, ownership }) => {
          store.close();
          ownership?.release();
        });
        return;
    }
  }
}
