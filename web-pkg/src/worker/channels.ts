/** Links between the pages of one browser: the one of a page that follows, and those of a page that leads. */
import { type Hall, randomName } from "./hall.js";
import type { Report } from "./shell.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** What goes over a channel: the frames of core, and news of the link itself. */
type Parcel = Bytes | "opened" | "closed";

/** Time a leader has to answer; core then tries again. */
const OPEN_WITHIN_MS = 2_000;

/** The link of this page to the one that leads. It reports like a socket. */
export class LeaderLink {
  #channel: BroadcastChannel | undefined;
  #number = 0;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly hall: Hall,
    private readonly report: Report,
  ) {}

  get isOpen(): boolean {
    return this.#channel !== undefined;
  }

  connect(number: number, leader: string | undefined): void {
    this.#drop();
    this.#number = number;
    if (leader === undefined) return this.report({ type: "closed", link: number, code: undefined });
    const name = `causeway/${this.hall.room}/${randomName()}`;
    const channel = new BroadcastChannel(name);
    channel.onmessage = (event: MessageEvent<Parcel>) => this.#take(event.data);
    this.#channel = channel;
    this.#deadline = setTimeout(() => this.close(), OPEN_WITHIN_MS);
    this.hall.call({ type: "join", leader, channel: name });
  }

  send(bytes: Bytes): void {
    this.#channel?.postMessage(bytes satisfies Parcel);
  }

  close(): void {
    if (this.#channel === undefined) return;
    this.#drop();
    this.report({ type: "closed", link: this.#number, code: undefined });
  }

  #take(parcel: Parcel): void {
    const link = this.#number;
    if (parcel === "opened") {
      clearTimeout(this.#deadline);
      this.report({ type: "opened", link });
    } else if (parcel === "closed") {
      this.close();
    } else {
      this.report({ type: "received", link, bytes: parcel }, [parcel.buffer]);
    }
  }

  #drop(): void {
    clearTimeout(this.#deadline);
    this.#channel?.postMessage("closed" satisfies Parcel);
    this.#channel?.close();
    this.#channel = undefined;
  }
}

/** The links of the pages that follow this one. */
export class Siblings {
  readonly #channels = new Map<number, BroadcastChannel>();
  #last = 0;

  constructor(private readonly report: Report) {}

  open(name: string): void {
    this.#last += 1;
    const sibling = this.#last;
    const channel = new BroadcastChannel(name);
    channel.onmessage = (event: MessageEvent<Parcel>) => this.#take(sibling, event.data);
    this.#channels.set(sibling, channel);
    this.report({ type: "siblingOpened", sibling });
    channel.postMessage("opened" satisfies Parcel);
  }

  send(sibling: number, bytes: Bytes): void {
    this.#channels.get(sibling)?.postMessage(bytes satisfies Parcel);
  }

  dismiss(sibling: number): void {
    this.#channels.get(sibling)?.postMessage("closed" satisfies Parcel);
    this.#forget(sibling);
  }

  /** Nobody is told: core has let go of them, or is gone. */
  dismissAll(): void {
    for (const sibling of [...this.#channels.keys()]) this.dismiss(sibling);
  }

  #take(sibling: number, parcel: Parcel): void {
    if (parcel === "opened") return;
    if (parcel === "closed") {
      this.#forget(sibling);
      return this.report({ type: "siblingClosed", sibling });
    }
    this.report({ type: "siblingReceived", sibling, bytes: parcel }, [parcel.buffer]);
  }

  #forget(sibling: number): void {
    this.#channels.get(sibling)?.close();
    this.#channels.delete(sibling);
  }
}
