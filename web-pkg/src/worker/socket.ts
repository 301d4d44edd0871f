import type { FromWorker } from "./messages.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** The one socket of a room. It reports and forgets; when to open the next is not its affair. */
export class Link {
  #socket: WebSocket | undefined;
  #number = 0;
  #probe: (() => void) | undefined;

  constructor(
    private readonly url: string,
    private readonly report: (news: FromWorker, transfer?: Transferable[]) => void,
  ) {}

  connect(number: number): void {
    this.#drop();
    this.#number = number;
    const socket = dial(this.url);
    if (socket === undefined) return this.report({ type: "closed", link: number, code: undefined });
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.report({ type: "opened", link: number });
    socket.onmessage = (event: MessageEvent<unknown>) => {
      // Text frames are not of this protocol; an empty message is a frame that core will refuse.
      const buffer = event.data instanceof ArrayBuffer ? event.data : new ArrayBuffer(1);
      this.report({ type: "received", link: number, bytes: new Uint8Array(buffer) }, [buffer]);
    };
    socket.onclose = (event) => {
      this.#probe?.();
      this.#socket = undefined;
      this.report({ type: "closed", link: number, code: event.code });
    };
    this.#socket = socket;
  }

  send(bytes: Bytes): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  /**
   * The browser says that there is no network. That proves nothing: a relay on this computer or in this house may answer
   * all the same. So the relay is dialled once beside the open socket, and where that fails the link is over.
   */
  doubt(): void {
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#probe !== undefined) return;
    const probe = dial(this.url);
    if (probe === undefined) return this.close();
    const end = (isThere: boolean): void => {
      this.#probe?.();
      if (!isThere) this.close();
    };
    const patience = setTimeout(() => end(false), PROBE_WITHIN_MS);
    probe.onopen = () => end(true);
    probe.onclose = () => end(false);
    this.#probe = () => {
      this.#probe = undefined;
      clearTimeout(patience);
      hush(probe);
    };
  }

  /** The browser says that there is a network: what was begun without one may hang until long after. */
  hurry(): void {
    if (this.#socket?.readyState === WebSocket.CONNECTING) return this.close();
    if (this.#probe === undefined) return;
    this.#probe();
    this.doubt();
  }

  /** Ends the link and says so at once: a half-open socket may take minutes to close. */
  close(): void {
    if (this.#socket === undefined) return;
    this.#drop();
    this.report({ type: "closed", link: this.#number, code: undefined });
  }

  #drop(): void {
    this.#probe?.();
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    hush(socket);
  }
}

/** A page may forbid the address; for the room that is a link that cannot be opened. */
function dial(url: string): WebSocket | undefined {
  try {
    return new WebSocket(url);
  } catch {
    return undefined;
  }
}

/** Closes a socket of which nothing more is wanted. */
function hush(socket: WebSocket): void {
  socket.onopen = null;
  socket.onmessage = null;
  socket.onclose = null;
  socket.close();
}

/** Long enough for a handshake over a slow line, short enough that nobody wonders why the page still says "online". */
const PROBE_WITHIN_MS = 3_000;
