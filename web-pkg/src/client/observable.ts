/** Ends a subscription. Calling it twice is harmless. */
export type Unsubscribe = () => void;

/** A value that changes. `get` returns the same object until the value has changed, so it can be compared by identity. */
export interface Observable<T> {
  get(): T;
  /** Calls `callback` with each new value, not with the one there is. */
  subscribe(callback: (value: T) => void): Unsubscribe;
}
