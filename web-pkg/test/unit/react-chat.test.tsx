// @vitest-environment happy-dom
import { readFile } from "node:fs/promises";
import { StrictMode, act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { connect, init, type Port, type Room } from "../../src/client/index.js";
import { type Chat, type Files, RoomProvider, useChat, useFiles } from "../../src/react/index.js";
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
    person: { name: "Ada", colour: 0x336699 },
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

test("useChat opens the main channel and shows what is said, changed and removed", async () => {
  let chat!: Chat;
  const Talk = () => {
    chat = useChat();
    return <pre>{chat.isOpen ? chat.posts.map(({ author, text }) => `${author.name}: ${text}`).join("\n") : "…"}</pre>;
  };
  await show(<Talk />);
  await until(() => page.textContent === "");
  await act(async () => void chat.post("ahoy"));
  await until(() => page.textContent === "Ada: ahoy");
  const first = chat.posts[0];
  expect(first).toMatchObject({ mine: true, author: { colour: "#336699", person: room.presence.person } });
  await act(async () => void chat.react(first?.id ?? "", "🌊", true));
  await act(async () => void chat.amend(first?.id ?? "", "ahoy there"));
  await until(() => page.textContent === "Ada: ahoy there");
  expect(chat.posts[0]?.reactions.map(({ emoji, mine }) => [emoji, mine])).toEqual([["🌊", true]]);
  expect([chat.unread, chat.firstUnread, chat.hasOlder, chat.drafts, chat.typing]).toEqual([0, null, false, [], []]);
  const before = chat;
  await show(<Talk />);
  expect(chat).toBe(before);
  expect(chat.posts[0]?.saved).toBe("no");
  await act(async () => void chat.retract(first?.id ?? ""));
  await until(() => chat.posts[0]?.deleted === true);
});

test("useFiles makes, moves and removes files, and folders with all that stands in them", async () => {
  let files!: Files;
  const Tree = () => {
    files = useFiles();
    return <pre>{files.files.map(({ path }) => path).join(" ")}</pre>;
  };
  await show(<Tree />);
  await act(async () => {
    await files.create("src/main.py");
    await files.create("src/lib/tide.py");
    await files.create("readme.md");
  });
  await until(() => page.textContent === "readme.md src/lib/tide.py src/main.py");
  expect(files.folders).toEqual(["src", "src/lib"]);
  await act(async () => files.rename("src", "code"));
  await until(() => page.textContent === "code/lib/tide.py code/main.py readme.md");
  await act(async () => files.rename("readme.md", "README.md"));
  await until(() => page.textContent === "README.md code/lib/tide.py code/main.py");
  await act(async () => files.remove("code"));
  await until(() => page.textContent === "README.md");
});

async function show(children: ReactNode): Promise<void> {
  await act(async () => {
    root.render(
      <StrictMode>
        <RoomProvider room={room}>{children}</RoomProvider>
      </StrictMode>,
    );
  });
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
function islandPort(): Port {
  let listener: (message: FromWorker) => void = () => undefined;
  const shell = new Shell((news) => queueMicrotask(() => listener(news)));
  return {
    post: (message) => {
      if (message.type !== "connect") shell.handle(message);
    },
    listen: (callback) => void (listener = callback),
    close: () => undefined,
  };
}
