/** Who leads, among real workers' halls; without Web Locks, as on plain http. */
import "fake-indexeddb/auto";
import { afterEach, expect, test, vi } from "vitest";
import { Election } from "../../src/worker/election.js";
import { Hall } from "../../src/worker/hall.js";
import type { FromWorker } from "../../src/worker/messages.js";
import { Shell } from "../../src/worker/shell.js";

/** A page, as far as an election sees it: its core answers as the database would. */
class Candidate {
  readonly news: string[] = [];
  readonly hall: Hall;
  readonly election: Election;

  constructor(room: string) {
    this.hall = new Hall(room, (call) => this.election.hear(call));
    this.election = new Election(this.hall, {
      lead: () => this.news.push("lead"),
      follow: (leader) => this.news.push(leader),
    });
    open.push(this);
  }

  get leads(): boolean {
    return this.election.isLeading;
  }

  end(): void {
    this.election.leave();
    this.hall.close();
  }
}

const open: { end(): void }[] = [];
let rooms = 0;

function freshRoom(): string {
  rooms += 1;
  return `election-${rooms}`;
}

/** The first leads, the second follows it. */
async function two(): Promise<[Candidate, Candidate]> {
  const room = freshRoom();
  const [first, second] = [new Candidate(room), new Candidate(room)];
  first.election.start();
  await vi.waitFor(() => expect(first.leads).toBe(true), 5_000);
  second.election.start();
  await vi.waitFor(() => expect(second.election.leader).toBe(first.hall.self), 5_000);
  return [first, second];
}

afterEach(() => {
  for (const one of open.splice(0)) one.end();
});

test("the one who looks first leads, and another follows when it is gone", async () => {
  const [first, second] = await two();
  first.election.leave();
  await vi.waitFor(() => expect(second.leads).toBe(true), 5_000);
});

test("a leader whose page hangs is replaced though its worker still answers", async () => {
  const [first, second] = await two();
  second.election.doubt();
  await vi.waitFor(() => expect(first.news).toEqual(["lead", "lead"]), 5_000);

  // Until its database has spoken, the old one does not say that it leads: a third page has one leader.
  const third = new Candidate(first.hall.room);
  third.election.start();
  await vi.waitFor(() => expect(third.election.leader).toBe(second.hall.self), 5_000);
  first.election.yield();
  await vi.waitFor(() => expect(first.election.leader).toBe(second.hall.self), 5_000);
  expect(third.news).toEqual([second.hall.self]);
});

test("a leader that the database confirms goes on, and is followed by who doubted it", async () => {
  const [first, second] = await two();
  second.election.doubt();
  await vi.waitFor(() => expect(first.news).toEqual(["lead", "lead"]), 5_000);
  // What is on its way when the other says so proves nothing: the other has not yet had the time to claim.
  first.election.confirm();
  expect(second.news).toEqual([first.hall.self, "lead"]);
  await vi.waitFor(() => expect(first.news).toEqual(["lead", "lead", "lead"]), 5_000);
  first.election.confirm();
  await vi.waitFor(() => expect(second.news).toEqual([first.hall.self, "lead", "lead"]), 5_000);
  second.election.yield();
  await vi.waitFor(() => expect(second.election.leader).toBe(first.hall.self), 5_000);
});

test("a page that asks for a leader before its database is open is told that there is none yet", async () => {
  const news: FromWorker[] = [];
  const shell = new Shell((one) => news.push(one));
  open.push({ end: () => shell.handle({ type: "end" }) });
  shell.handle({ type: "open", room: freshRoom(), url: "ws://127.0.0.1:1/", storage: "auto" });
  shell.handle({ type: "join", link: 1 });
  expect(news).toEqual([{ type: "closed", link: 1, code: undefined }]);
  await vi.waitFor(() => expect(news).toContainEqual({ type: "lead" }), 5_000);
});
