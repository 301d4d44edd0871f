import type { FromWorker } from "./messages.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** The one socket of a room. It reports and forgets; when to open the next is not its affair. */
export class Link {
  #socket: WebSocket | undefined;
  #number = 0;

  constructor(
    private readonly url: string,
    private readonly report: (news: FromWorker, transfer?: Transferable[]) => void,
  ) {}

  connect(number: number): void {
    this.#drop();
    this.#number = number;
    let socket: WebSocket;
    try {
      socket = new WebSocket(this.url);
    } catch {
      // A page may forbid the address; for the room that is a link that cannot be opened.
      return this.report({ type: "closed", link: number, code: undefined });
    }
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.report({ type: "opened", link: number });
    socket.onmessage = (event: MessageEvent<unknown>) => {
      // Text frames are not of this protocol; an empty message is a frame that core will refuse.
      const buffer = event.data instanceof ArrayBuffer ? event.data : new ArrayBuffer(1);
      this.report({ type: "received", link: number, bytes: new Uint8Array(buffer) }, [buffer]);
    };
    socket.onclose = (event) => {
      this.#socket = undefined;
      this.report({ type: "closed", link: number, code: event.code });
    };
    this.#socket = socket;
  }

  send(bytes: Bytes): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  /** Ends the link and says so at once: a half-open socket may take minutes to close. */
  close(): void {
    if (this.#socket === undefined) return;
    this.#drop();
    this.report({ type: "closed", link: this.#number, code: undefined });
  }

  #drop(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}
