/** Tells all readers. One that throws is reported, and keeps nobody else from being told. */
export function tell<T>(readers: Iterable<(value: T) => void>, value: T): void {
  for (const reader of [...readers]) apart(() => reader(value));
}

/** Calls what is the app's. What it throws is the app's too: it is reported where uncaught errors are. */
export function apart(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (typeof reportError === "function") reportError(error);
    else
      queueMicrotask(() => {
        throw error;
      });
  }
}
