/** The worker of a page is there, or another one is. The browser's part is played: it ends workers when the story says so. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Port, workerPort } from "../../src/client/port.js";
import type { FromWorker, ToWorker } from "../../src/worker/messages.js";

class Played {
  static begun: Played[] = [];
  /** Whether those that begin from now on can be loaded at all. */
  static loads = true;
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  readonly heard: ToWorker[] = [];
  lives = Played.loads;

  constructor() {
    Played.begun.push(this);
  }

  postMessage(message: ToWorker): void {
    if (!this.lives) return;
    this.heard.push(message);
    if (message.type === "ask") this.say({ type: "here" });
  }

  say(message: FromWorker): void {
    if (this.lives) this.onmessage?.({ data: message });
  }

  terminate(): void {
    this.lives = false;
  }
}

const OPEN = { type: "open", room: "r", url: "ws://127.0.0.1:1/sync", storage: "auto" } as const;
const ON_DISK = { type: "backend", backend: { backend: "indexeddb" } } as const;

let port: Port;
let said: FromWorker[];

function newest(): Played {
  return Played.begun.at(-1) as Played;
}

function told(type: FromWorker["type"]): number {
  return said.filter((message) => message.type === type).length;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("Worker", Played);
  Played.begun = [];
  Played.loads = true;
  said = [];
  port = workerPort();
  port.listen((message) => said.push(message));
  port.post(OPEN);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("D14 a worker that answers is left alone, for however long", () => {
  newest().say(ON_DISK);
  vi.advanceTimersByTime(3_600_000);
  expect(Played.begun).toHaveLength(1);
  expect(said).toEqual([ON_DISK]);
});

test("D14 the place of one that ends without a word is taken within 15 s, and the page is told once", () => {
  newest().say(ON_DISK);
  newest().terminate();
  vi.advanceTimersByTime(15_000);
  expect(Played.begun).toHaveLength(2);
  // It is not to begin with an empty database, or none.
  expect(newest().heard[0]).toEqual({ ...OPEN, existed: true });
  expect(told("replaced")).toBe(1);
  port.post({ type: "connect", link: 2 });
  expect(newest().heard).toContainEqual({ type: "connect", link: 2 });
});

test("D14 what one says that was taken for dead is heard by nobody", () => {
  const first = newest();
  first.say(ON_DISK);
  first.lives = false;
  vi.advanceTimersByTime(15_000);
  first.lives = true;
  first.say({ type: "woken" });
  expect(told("woken")).toBe(0);
});

test("D14 a script that is a minute on its way is waited for", () => {
  newest().lives = false;
  vi.advanceTimersByTime(55_000);
  expect(Played.begun).toHaveLength(1);
});

test("D14 where no other can be loaded the page is told", () => {
  newest().say(ON_DISK);
  newest().terminate();
  Played.loads = false;
  vi.advanceTimersByTime(120_000);
  expect(Played.begun).toHaveLength(2);
  expect(told("failed")).toBe(1);
});

test("D14 where no worker ever speaks the page is told, also in a page that is seldom looked at", () => {
  newest().terminate();
  Played.loads = false;
  vi.advanceTimersByTime(3_600_000);
  expect([Played.begun.length, told("failed")]).toEqual([2, 1]);
});

test("D14 until another has written something the work may be here alone", () => {
  newest().say(ON_DISK);
  vi.advanceTimersByTime(60_000);
  expect(port.isDoubted).toBe(false);
  newest().terminate();
  vi.advanceTimersByTime(7_000);
  expect([port.isDoubted, Played.begun.length]).toEqual([true, 1]);
  vi.advanceTimersByTime(8_000);
  newest().say(ON_DISK);
  expect([port.isDoubted, Played.begun.length]).toEqual([true, 2]);
  newest().say({ type: "stored", op: 1, outcome: { failed: "io", sentence: "not yet" } });
  expect(port.isDoubted).toBe(true);
  newest().say({ type: "stored", op: 1, outcome: "ok" });
  expect(port.isDoubted).toBe(false);
});

test("D14 of a room that has ended no other worker is begun", () => {
  newest().say(ON_DISK);
  port.post({ type: "end" });
  newest().terminate();
  vi.advanceTimersByTime(600_000);
  expect(Played.begun).toHaveLength(1);
});

test("D14 a page whose rows were in the worker's memory is told that they are gone", () => {
  newest().say({ type: "backend", backend: { backend: "memory", reason: "as asked" } });
  newest().terminate();
  vi.advanceTimersByTime(60_000);
  expect(Played.begun).toHaveLength(1);
  expect(said.at(-1)).toMatchObject({ type: "failed", sentence: expect.stringContaining("memory") });
});

test("D14 where workers end again and again the page is told, and no more are begun", () => {
  newest().say(ON_DISK);
  for (let ends = 0; told("failed") === 0; ends += 1) {
    expect(ends).toBeLessThan(20);
    newest().terminate();
    vi.advanceTimersByTime(16_000);
    newest().say(ON_DISK);
  }
  const begun = Played.begun.length;
  newest().terminate();
  vi.advanceTimersByTime(600_000);
  expect([begun, told("failed")]).toEqual([Played.begun.length, 1]);
});
