/** A line between page and relay that can be cut, stalled and mended: the fault comes from outside. */
import { createServer, connect } from "node:net";

export class Line {
  #server;
  #pairs = new Set();
  #state = "up";
  /** How many connections came so far, and how many of them were links that were carried on. */
  carried = 0;
  dials = 0;

  /** A line to `port`, on a free port of its own. */
  static async to(port) {
    const line = new Line();
    line.#server = createServer({ allowHalfOpen: false }, (near) => line.#carry(near, port));
    await new Promise((resolve) => line.#server.listen(0, "127.0.0.1", resolve));
    line.port = line.#server.address().port;
    return line;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How many links to rooms there are. */
  get links() {
    return [...this.#pairs].filter((pair) => pair.isLink).length;
  }

  /** Resets what is open and refuses what comes. */
  cut() {
    this.#state = "cut";
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  }

  /** Resets what is open; whoever comes again is let through. */
  reset() {
    this.cut();
    this.mend();
  }

  /** Carries nothing on, and closes nothing. */
  stall() {
    this.#state = "stalled";
    for (const { near, far } of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  mend() {
    this.#state = "up";
    for (const { near, far } of this.#pairs) {
      near.resume();
      far.resume();
    }
  }

  async end() {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #carry(near, port) {
    if (this.#state === "cut") return near.resetAndDestroy();
    this.carried += 1;
    const far = connect(port, "127.0.0.1");
    const pair = { near, far };
    this.#pairs.add(pair);
    near.once("data", (first) => {
      pair.isLink = first.includes("GET /sync/");
      if (pair.isLink) this.dials += 1;
    });
    near.pipe(far);
    far.pipe(near);
    const end = () => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
    if (this.#state === "stalled") {
      near.pause();
      far.pause();
    }
  }
}
