/** What the workers of one room in one browser call to each other. Links between two of them are channels of their own. */
export type Call =
  /** Who leads? */
  | { readonly type: "ask" }
  /** I do. */
  | { readonly type: "here"; readonly leader: string }
  /** I do from now on. */
  | { readonly type: "lead"; readonly leader: string }
  /** I did. */
  | { readonly type: "bye"; readonly leader: string }
  /** I would lead. The least name of those who call at once does. */
  | { readonly type: "stand"; readonly candidate: string }
  /** A link of mine waits on this channel for the leader. */
  | { readonly type: "join"; readonly leader: string; readonly channel: string };

/** The channel all workers of a room hear. */
export class Hall {
  readonly #channel: BroadcastChannel;
  /** The name of this worker among them. */
  readonly self = randomName();

  constructor(
    readonly room: string,
    hear: (call: Call) => void,
  ) {
    this.#channel = new BroadcastChannel(`causeway/${room}`);
    this.#channel.onmessage = (event: MessageEvent<Call>) => hear(event.data);
  }

  call(call: Call): void {
    this.#channel.postMessage(call);
  }

  close(): void {
    this.#channel.close();
  }
}

/** A name nobody else has. There is no `randomUUID` on plain http. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
