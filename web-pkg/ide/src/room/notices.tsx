import { useEffect, useState, type ReactElement, type ReactNode } from "react";
import type { ConnectionState, StorageState } from "@causeway/web";
import { useConnection, useForks, useRoom, useStorage } from "@causeway/web/react";
import { Icon, type IconName } from "../parts/icon.tsx";
import { onRefusal } from "../shell/attempt.ts";
import { useHasNetwork, useIsLinkDown } from "./connection.tsx";
import { VERSION, forkWords, offlineWords, stoppedWords, storageWords } from "./notice-words.ts";

/** What a person should know besides the text, most pressing first. */
export function Notices({ onForks }: { onForks(): void }): ReactElement {
  const connection = useConnection();
  const storage = useStorage();
  const isLinkDown = useIsLinkDown();
  const hasNetwork = useHasNetwork();
  const forks = useForks().forks.length;
  const [told, putAway] = useRoomNotices();
  return (
    <div className="notices" aria-live="polite">
      {connection.state === "stopped" && <StoppedNotice connection={connection} storage={storage} />}
      <StorageNotice storage={storage} />
      {forks > 0 && (
        <Notice icon="alert" mood="bad" testid="fork-notice">
          {forkWords(forks, storage)}
          <button type="button" className="button" onClick={onForks}>
            Look at {forks === 1 ? "it" : "them"}
          </button>
        </Notice>
      )}
      {told.map(({ key, sentence }) => (
        <Notice key={key} icon="alert" mood="bad">
          {sentence}
          <button
            type="button"
            className="icon-button small"
            aria-label="Put this notice away"
            onClick={() => putAway(key)}
          >
            <Icon name="close" size={15} />
          </button>
        </Notice>
      ))}
      {isLinkDown && (
        <Notice icon="offline" mood="wait" testid="offline-banner">
          {offlineWords(storage, hasNetwork)}
        </Notice>
      )}
    </div>
  );
}

interface StoppedNoticeProps {
  readonly connection: ConnectionState & { state: "stopped" };
  readonly storage: StorageState;
}

function StoppedNotice({ connection, storage }: StoppedNoticeProps): ReactElement {
  const room = useRoom();
  const isOlder = connection.code === VERSION;
  return (
    <Notice icon="alert" mood="bad" testid="stopped-notice">
      {stoppedWords(connection, storage)}
      <button type="button" className="button" onClick={() => (isOlder ? location.reload() : room.reconnect())}>
        {isOlder ? "Reload" : "Try again"}
      </button>
    </Notice>
  );
}

function StorageNotice({ storage }: { readonly storage: StorageState }): ReactElement | null {
  const told = storageWords(storage);
  if (told === null) return null;
  return (
    <div data-testid="storage-notice" data-backend={storage.backend} data-state={storage.state}>
      <Notice icon={told.mood === "bad" ? "alert" : "info"} mood={told.mood}>
        {told.words}
      </Notice>
    </div>
  );
}

interface Told {
  readonly key: number;
  readonly sentence: string;
}

/** What the client reports once, and what could not be done: each stays until it is put away. */
function useRoomNotices(): readonly [readonly Told[], (key: number) => void] {
  const room = useRoom();
  const [told, setTold] = useState<readonly Told[]>([]);
  useEffect(() => {
    let key = 0;
    const tell = (sentence: string) => setTold((told) => [...told, { key: key++, sentence }].slice(-MOST_NOTICES));
    // Work that was not taken has a notice of its own, for as long as it is there.
    const quiet = [room.notices(({ kind, sentence }) => kind !== "fork" && tell(sentence)), onRefusal(tell)];
    return () => quiet.forEach((stop) => stop());
  }, [room]);
  return [told, (key) => setTold((told) => told.filter((other) => other.key !== key))];
}

interface NoticeProps {
  readonly icon: IconName;
  readonly mood: "wait" | "bad";
  readonly testid?: string;
  readonly children: ReactNode;
}

export function Notice({ icon, mood, testid, children }: NoticeProps): ReactElement {
  return (
    <div className={`notice ${mood}`} data-testid={testid}>
      <Icon name={icon} />
      <div className="notice-words">{children}</div>
    </div>
  );
}

/** More would push the text off a phone's screen; the latest matter most. */
const MOST_NOTICES = 3;
