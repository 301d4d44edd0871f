// @vitest-environment happy-dom
import { readFile } from "node:fs/promises";
import { StrictMode, act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { connect, init, type Editor, type Room, type Text } from "../../src/client/index.js";
import {
  RoomProvider,
  useConnection,
  useDocuments,
  useEditor,
  useMyPresence,
  useOthers,
  useRoom,
  useStorage,
  useSyncStatus,
  useText,
  useTextHandle,
  useUndo,
} from "../../src/react/index.js";
import { Shell } from "../../src/worker/shell.js";
import type { FromWorker } from "../../src/worker/messages.js";

let room: Room;
let root: Root;
let page: HTMLElement;

beforeAll(async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await init(await readFile("wasm/causeway_bg.wasm"));
});

beforeEach(() => {
  room = connect({
    room: "hooks",
    url: "ws://127.0.0.1:9/sync/hooks",
    name: "Ada",
    storage: "memory",
    port: islandPort(),
  });
  page = document.createElement("div");
  document.body.append(page);
  root = createRoot(page);
});

afterEach(async () => {
  await act(async () => root.unmount());
  room.close();
  page.remove();
});

test("a hook outside a provider says what is missing", async () => {
  const Lost = () => <p>{useRoom().name}</p>;
  const complaints = vi.spyOn(console, "error").mockImplementation(() => undefined);
  await expect(act(async () => root.render(<Lost />))).rejects.toThrow(/RoomProvider/);
  complaints.mockRestore();
});

test("a text opens with its first reader and follows every edit", async () => {
  const id = room.documents.firstDocument();
  const Notes = () => {
    const { value, isOpen } = useText(id);
    return <pre>{isOpen ? value : "…"}</pre>;
  };
  await show(<Notes />);
  await until(() => page.textContent === "");
  const editor = room.text(id).editor();
  await act(async () => void editor.applyDelta([{ insert: "tide 🌊" }]));
  expect(page.textContent).toBe("tide 🌊");
});

test("snapshots are the same object until something changed", async () => {
  const seen = {
    texts: new Set<unknown>(),
    lists: new Set<unknown>(),
    others: new Set<unknown>(),
    connections: new Set<unknown>(),
  };
  let renders = 0;
  const id = room.documents.firstDocument();
  const Look = ({ round }: { round: number }) => {
    renders += 1;
    seen.texts.add(useText(id));
    seen.lists.add(useDocuments());
    seen.others.add(useOthers());
    seen.connections.add(useConnection());
    return <p>{round}</p>;
  };
  await show(<Look round={0} />);
  await until(() => room.text(id).isOpen);
  await until(() => room.storage.get().state === "working");
  const before = Object.values(seen).map((set) => set.size);
  for (const round of [1, 2, 3]) await show(<Look round={round} />);
  expect(Object.values(seen).map((set) => set.size)).toEqual(before);
  expect(renders).toBeLessThan(40);
});

test("a component that only needs the handle is not rendered for every key", async () => {
  const id = room.documents.firstDocument();
  let renders = 0;
  let text: Text | null = null;
  const Frame = () => {
    renders += 1;
    text = useTextHandle(id).text;
    return null;
  };
  await show(<Frame />);
  await until(() => text?.isOpen === true);
  const before = renders;
  const editor = room.text(id).editor();
  for (const key of "stone") await act(async () => void editor.applyDelta([{ insert: key }]));
  expect(renders).toBe(before);
});

test("undo belongs to one editor, and its buttons know when there is something to take back", async () => {
  const id = room.documents.firstDocument();
  let editor: Editor | null = null;
  const Buttons = () => {
    editor = useEditor(useTextHandle(id).text);
    const { canUndo, canRedo, undo } = useUndo(editor);
    return (
      <button type="button" disabled={!canUndo} onClick={undo}>
        {canRedo ? "taken back" : "as written"}
      </button>
    );
  };
  await show(<Buttons />);
  await until(() => editor !== null);
  const button = () => page.querySelector("button") as HTMLButtonElement;
  expect(button().disabled).toBe(true);
  await act(async () => void editor?.applyDelta([{ insert: "mine" }]));
  expect(button().disabled).toBe(false);
  await act(async () => button().click());
  expect(room.text(id).toString()).toBe("");
  expect(button().textContent).toBe("taken back");
});

test("the save status of an edit goes from saving to where it is kept", async () => {
  const id = room.documents.firstDocument();
  const Status = () => {
    const status = useSyncStatus(id);
    return <p>{status === null ? "closed" : `${status.device} ${status.relay}`}</p>;
  };
  const Where = () => <p>{useStorage().backend}</p>;
  await show(
    <>
      <Status />
      <Where />
    </>,
  );
  await until(() => page.textContent === "memory savedmemory");
  await act(
    async () =>
      void room
        .text(id)
        .editor()
        .applyDelta([{ insert: "x" }]),
  );
  await until(() => page.textContent === "memory savingmemory");
});

test("all readers of the list see a new document, and all of one's presence a new name", async () => {
  const List = () => (
    <ul>
      {useDocuments().map((file) => (
        <li key={file.id}>{file.path}</li>
      ))}
    </ul>
  );
  const Name = () => <b>{useMyPresence()[0].name}</b>;
  const Rename = () => {
    const [, set] = useMyPresence();
    return <button type="button" onClick={() => set({ name: "Grace" })} />;
  };
  await show(
    <>
      <List />
      <Name />
      <Rename />
    </>,
  );
  await act(async () => void (await room.documents.create("src/tide.py")));
  await until(() => page.querySelector("li")?.textContent === "src/tide.py");
  expect(page.querySelector("b")?.textContent).toBe("Ada");
  await act(async () => page.querySelector("button")?.click());
  expect(page.querySelector("b")?.textContent).toBe("Grace");
  expect(room.presence.get().name).toBe("Grace");
});

test("StrictMode's second mounting and a quick return find the same text", async () => {
  const id = room.documents.firstDocument();
  const handles = new Set<Text>();
  const Look = () => {
    const { text } = useTextHandle(id);
    if (text !== null) handles.add(text);
    return null;
  };
  await show(<Look />);
  await until(() => handles.size > 0);
  await show(null);
  await show(<Look />);
  expect(handles.size).toBe(1);
});

async function show(content: ReactNode): Promise<void> {
  await act(async () =>
    root.render(
      <StrictMode>
        <RoomProvider room={room}>{content}</RoomProvider>
      </StrictMode>,
    ),
  );
}

async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(
    async () => {
      await act(async () => undefined);
      if (!condition()) throw new Error(`not yet: ${page.innerHTML}`);
    },
    { timeout: 5_000, interval: 5 },
  );
}

/** The package's own worker code in this process, on an island without a way across. */
function islandPort() {
  let listener: (message: FromWorker) => void = () => undefined;
  const shell = new Shell((news) => queueMicrotask(() => listener(news)));
  return {
    post: (message: Parameters<Shell["handle"]>[0]) => {
      if (message.type !== "connect") shell.handle(message);
    },
    listen: (callback: (message: FromWorker) => void) => void (listener = callback),
    close: () => undefined,
  };
}
