import type { WasmRoom, WasmTimeline } from "../../wasm/causeway.js";
import { Cell } from "./cell.js";
import { type Draft, type PostId, type Timeline, type TimelineEvent, type Unread, after, shownPost } from "./chat.js";
import type { CausewayError } from "./errors.js";
import type { StreamId } from "./ids.js";
import type { Observable, Unsubscribe } from "./observable.js";
import type { Pump } from "./pump.js";
import type { Receipt } from "./receipt.js";
import { Ready } from "./ready.js";
import type { Receipts } from "./receipts.js";
import type { StorageState } from "./states.js";
import { tell } from "./tell.js";

/** A channel in which people talk. What is said stands there at once and is kept on this device until the relay has it. */
export class Channel {
  /** Resolves when the channel can be read and written: this device's copy has been read. Rejects if the room is closed before. */
  readonly ready: Promise<void>;
  /** Whether it can be read and written. */
  readonly open: Observable<boolean>;
  /** The newest page, and what `older` added to it. */
  readonly timeline: Observable<Timeline>;
  readonly unread: Observable<Unread>;
  /** Posts the relay refused, kept on this device until they are discarded. */
  readonly drafts: Observable<readonly Draft[]>;
  readonly #pump: Pump;
  readonly #ready = new Ready();
  readonly #open = new Cell(false);
  readonly #timeline = new Cell<Timeline>({ posts: [], hasOlder: false, olderOutOfReach: false });
  readonly #unread = new Cell<Unread>({ count: 0, first: null });
  readonly #drafts = new Cell<readonly Draft[]>([]);
  readonly #followers = new Set<(event: TimelineEvent) => void>();
  #holders = 0;

  /** @internal Use `Room.channel`. */
  constructor(
    pump: Pump,
    readonly id: StreamId,
    private readonly storage: Observable<StorageState>,
    private readonly receipts: Receipts,
    private readonly onRelease: () => void,
  ) {
    this.#pump = pump;
    this.open = this.#open;
    this.timeline = this.#timeline;
    this.unread = this.#unread;
    this.drafts = this.#drafts;
    this.ready = this.#ready.promise;
    pump.passing((room) => room.openChannel(id));
    if (pump.refusal !== undefined) this.end(pump.refusal);
  }

  /** The first event is a reset, told at once if the channel is open and otherwise when it is. */
  follow(callback: (event: TimelineEvent) => void): Unsubscribe {
    const follower = (event: TimelineEvent): void => callback(event);
    this.#followers.add(follower);
    if (this.#open.get()) callback({ type: "reset", ...this.#timeline.get() });
    return () => this.#followers.delete(follower);
  }

  /** Shows one page of older posts. */
  older(): void {
    this.#pump.passing((room) => room.older(this.id));
  }

  /** Says something. Throws before the channel is open, and for a text that is empty or has more than 16 KiB. */
  post(text: string, replyTo?: PostId): Receipt {
    return this.#say((room, mono, wall) => room.post(this.id, text, replyTo, mono, wall));
  }

  /** Changes the text of one's own post; throws for another's. */
  amend(id: PostId, text: string): Receipt {
    return this.#say((room, mono, wall) => room.amend(this.id, id, text, mono, wall));
  }

  /** Removes one's own post; throws for another's. */
  retract(id: PostId): Receipt {
    return this.#say((room, mono, wall) => room.retract(this.id, id, mono, wall));
  }

  /** Puts a reaction to a post, or takes one's own away. */
  react(id: PostId, emoji: string, on: boolean): Receipt {
    return this.#say((room, mono, wall) => room.react(this.id, id, emoji, on, mono, wall));
  }

  /** Everything up to a post has been read, but not while what is new begins where it is not here; without one, all there is. */
  markRead(upTo?: PostId): void {
    this.#pump.passing((room) => room.markRead(this.id, upTo));
  }

  /** Forgets a draft. */
  discard(key: string): void {
    this.#pump.command((room) => room.discardDraft(this.id, key));
  }

  /** Ends one holding of the channel, begun with `Room.channel`. It is let go once nobody holds or follows it. */
  release(): void {
    this.#holders = Math.max(0, this.#holders - 1);
    this.onRelease();
  }

  /** @internal */
  hold(): this {
    this.#holders += 1;
    return this;
  }

  /** @internal Whether it is of no use to anybody any more. */
  get isIdle(): boolean {
    const shown = [this.#open, this.#timeline, this.#unread, this.#drafts];
    const isFollowed = this.#followers.size > 0 || shown.some((cell) => cell.isRead);
    return this.#holders === 0 && this.#open.get() && !isFollowed;
  }

  /** @internal Something in it has changed. */
  look(): void {
    const change = this.#pump.ask((room) => room.pollTimeline(this.id));
    if (change !== undefined) this.#take(change);
    this.#unread.set(this.#pump.ask((room) => room.unread(this.id)));
    this.#drafts.set(this.#pump.ask((room) => room.drafts(this.id)));
  }

  /** @internal Nothing more is taken, and nothing more is read. */
  end(error: CausewayError): void {
    this.#ready.fail(error);
  }

  #say(say: (room: WasmRoom, monotonic: number, wall: number) => number): Receipt {
    return this.receipts.of(this.id, this.#pump.command(say));
  }

  #take(change: WasmTimeline): void {
    const keepsNothing = this.storage.get().backend === "memory";
    const posts = change.posts.map((post) => shownPost(post, keepsNothing));
    const older = { hasOlder: change.older !== "nothing", olderOutOfReach: change.older === "out-of-reach" };
    const event: TimelineEvent =
      change.type === "reset"
        ? { type: "reset", posts, ...older }
        : { type: "splice", at: change.at, remove: change.remove, insert: posts, ...older };
    this.#timeline.set(after(this.#timeline.get(), event));
    this.#open.set(true);
    this.#ready.reach();
    tell(this.#followers, event);
  }
}
