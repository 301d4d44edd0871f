import { useEffect, useState, type ReactElement, type ReactNode } from "react";
import type { ConnectionState, StorageState } from "@causeway/web";
import { useConnection, useForks, useRoom, useStorage } from "@causeway/web/react";
import { Icon, type IconName } from "../parts/icon.tsx";
import { useIsLinkDown } from "./connection.tsx";

/** What a person should know besides the text, most pressing first. */
export function Notices({ onForks }: { onForks(): void }): ReactElement {
  const connection = useConnection();
  const storage = useStorage();
  const isLinkDown = useIsLinkDown();
  const forks = useForks().forks.length;
  const [told, putAway] = useRoomNotices();
  return (
    <div className="notices" aria-live="polite">
      {connection.state === "stopped" && <StoppedNotice connection={connection} />}
      <StorageNotice storage={storage} />
      {forks > 0 && (
        <Notice icon="alert" mood="bad" testid="fork-notice">
          {forks === 1 ? "A piece of your work was" : `${forks} pieces of your work were`} not taken by the room.
          Nothing is lost: {forks === 1 ? "it is" : "they are"} kept on this device.
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
          You are offline. What you write is kept on this device and sent when you are back.
        </Notice>
      )}
    </div>
  );
}

function StoppedNotice({ connection }: { readonly connection: ConnectionState & { state: "stopped" } }): ReactElement {
  const room = useRoom();
  const isOlder = connection.code === VERSION;
  return (
    <Notice icon="alert" mood="bad" testid="stopped-notice">
      {isOlder
        ? "This page is older than the relay: reload to update. Your work is kept on this device."
        : `The relay does not take this page: ${connection.sentence} Your work is kept on this device.`}
      <button type="button" className="button" onClick={() => (isOlder ? location.reload() : room.reconnect())}>
        {isOlder ? "Reload" : "Try again"}
      </button>
    </Notice>
  );
}

function StorageNotice({ storage }: { readonly storage: StorageState }): ReactElement | null {
  const told = wordsAbout(storage);
  if (told === null) return null;
  return (
    <div data-testid="storage-notice" data-backend={storage.backend} data-state={storage.state}>
      <Notice icon={told.mood === "bad" ? "alert" : "info"} mood={told.mood}>
        {told.words}
      </Notice>
    </div>
  );
}

function wordsAbout(storage: StorageState): { readonly mood: "wait" | "bad"; readonly words: string } | null {
  if (storage.state === "failing") {
    const words = storage.full
      ? "The storage of this device is full, so nothing can be written here now. What you wrote last is in this tab only: leave it open and free some space. It goes on by itself."
      : `This device cannot save: ${storage.sentence} What you write is kept in this tab until it can; leave it open.`;
    return { mood: "bad", words };
  }
  if (storage.backend === "memory" && storage.state !== "opening") {
    return { mood: "wait", words: `Nothing is kept on this device after this tab is closed: ${storage.reason}` };
  }
  return null;
}

interface Told {
  readonly key: number;
  readonly kind: string;
  readonly sentence: string;
}

/** What the client reports once: each stays until it is put away. */
function useRoomNotices(): readonly [readonly Told[], (key: number) => void] {
  const room = useRoom();
  const [told, setTold] = useState<readonly Told[]>([]);
  useEffect(() => {
    let key = 0;
    return room.notices((notice) => {
      // Work that was not taken has a notice of its own, for as long as it is there.
      if (notice.kind !== "fork") setTold((told) => [...told, { key: key++, ...notice }].slice(-MOST_NOTICES));
    });
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

/** The close code with which a relay refuses another version of the protocol. */
const VERSION = 4406;
/** More would push the text off a phone's screen; the latest matter most. */
const MOST_NOTICES = 3;
