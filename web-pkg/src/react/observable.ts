import { useCallback, useSyncExternalStore } from "react";
import type { Observable } from "../client/index.js";

/** The value of an observable of the client; renders anew when it has changed. */
export function useObservable<T>(observable: Observable<T>): T {
  const subscribe = useCallback((changed: () => void) => observable.subscribe(changed), [observable]);
  const get = useCallback(() => observable.get(), [observable]);
  return useSyncExternalStore(subscribe, get, get);
}
