/** The moment from which something can be used, or never will be. Nobody need wait for it. */
export class Ready {
  readonly promise: Promise<void>;
  #reach: () => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#reach = resolve;
      this.#fail = reject;
    });
    this.promise.catch(() => undefined);
  }

  reach(): void {
    this.#reach();
  }

  fail(error: Error): void {
    this.#fail(error);
  }
}
