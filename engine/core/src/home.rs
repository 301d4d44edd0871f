//! A room as its home keeps it: the relay, or a hub on a LAN.
//!
//! [`Home`] is a pure state machine, driven like this:
//!
//! 1. [`Home::handle`] with every [`Input`], at the moment it arrives;
//! 2. [`Home::poll_output`] until it answers `None`, carrying out each [`Output`];
//! 3. [`Home::poll_timeout`]: when that moment has come, [`Input::Tick`].
//!
//! The path of an entry: decode → proof → [`crate::log::StreamLog::judge`] (order, dependencies, guard) → one commit for
//! all that arrived while the last was on its way → after fsync, the same bytes to every reader and `saved` to the
//! author. Nothing on this path builds a document.

mod append;
mod archive;
mod board;
mod catch_up;
mod compaction;
mod compare;
mod conn;
mod doubts;
mod durable;
mod figures;
mod held;
mod holes;
mod jobs;
mod lane;
mod load;
mod needs;
mod pages;
#[cfg(feature = "planted-bugs")]
mod planted;
mod quarantine;
mod reading;
mod retention;
mod seen;
mod segments;
mod session;
mod strays;
mod stream;
mod transfer;
mod waiting;
mod walk;
mod wants;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use crate::entropy::Entropy;
use crate::ids::{ConnId, ReplicaId, RoomId, StreamId};
use crate::limits::{ROOM_LINKS, STORE_RETRY};
use crate::log::{Digest, RoomDigest, Wants};
use crate::presence::Board;
use crate::replica::Identity;
use crate::snapshot::{Done, Job, JobError};
use crate::storage::{Commit, CommitError, Page, Scan, StoreFailure};
use crate::time::{Millis, Now};
use crate::wire::{self, Body, ErrorCode, ErrorFrame, GoAway, Message};
use crate::write_queue::{OpId, WriteQueue};

use append::{Answered, Appended};
use compaction::Compaction;
use conn::Conn;
use doubts::Doubts;
use jobs::Work;
use load::Load;
use pages::Pages;
use reading::{Reading, Scans};
use retention::Retention;
use segments::Segments;
use stream::HomeStream;

pub(crate) use archive::places_in;
pub use compaction::CompactionPlan;
pub(crate) use compaction::read_page;
pub use figures::Figures;
pub use lane::Lane;

/// What happens to a room at its home.
#[derive(Clone, Debug)]
pub enum Input {
    /// A link to this room was opened. Its first frame must be `hello`.
    Opened(ConnId),
    /// Bytes arrived: one or more whole frames.
    Received(ConnId, Bytes),
    /// A lane of the link has been written out, down to the last byte handed over. To be told only while no output
    /// waits, or it would be taken to include what was not handed over yet.
    Drained(ConnId, Lane),
    /// The link has ended.
    Closed(ConnId),
    /// The disk's answer to [`Output::Commit`].
    Stored(OpId, Result<(), CommitError>),
    /// The disk's answer to [`Output::Scan`].
    Scanned(OpId, Result<Page, StoreFailure>),
    /// The answer to [`Output::Materialise`].
    Materialised(OpId, Result<Done, JobError>),
    /// Whoever runs the home has looked at a stream in quarantine: snapshots of it are tried again.
    Release(StreamId),
    /// The timer of [`Home::poll_timeout`] has run out.
    Tick,
    /// The home stops: devices are told when to come back, nothing new is taken, what was taken is answered.
    Stop {
        /// Devices come back at a random moment within this span.
        spread: Millis,
    },
}

/// What a home wants done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Queue these bytes in a lane of each of these links, which ascend: the control lane goes first, the others take
    /// turns, and each keeps its order.
    Send(Vec<ConnId>, Lane, Bytes),
    /// End a link once what was sent before is written out.
    Close(ConnId, ErrorCode),
    /// Carry a commit to the disk; the answer repeats the number.
    Commit(OpId, Commit),
    /// Read from the disk; the answer repeats the number.
    Scan(OpId, Scan),
    /// Run a job away from this room, within bounds of time and memory; the answer repeats the number.
    Materialise(OpId, Box<Job>),
}

/// A room at its home.
#[derive(Debug)]
pub struct Home {
    room: RoomId,
    epoch: u64,
    entropy: Entropy,
    load: Load,
    streams: BTreeMap<StreamId, HomeStream>,
    /// Boxed: a thousand of them are looked for at every entry, and what is looked through should be small.
    conns: BTreeMap<ConnId, Box<Conn>>,
    /// Before this nobody has been silent for too long: each link that is heard only puts it off.
    silence_at: Option<Millis>,
    presence: Board,
    queue: WriteQueue<Appended>,
    /// Bytes of entries that wait for what they build on, of all links.
    waiting_bytes: usize,
    wants: Wants,
    doubts: Doubts,
    /// Answered already to the frame at hand: a device that sends much again is told once.
    told: BTreeSet<Answered>,
    /// Who is answered with the next commit: a link that sends again what is on its way is noted once.
    again: BTreeSet<(ConnId, StreamId, ReplicaId)>,
    scans: Scans,
    pages: Pages,
    segments: Segments,
    jobs: BTreeMap<OpId, Work>,
    plan: CompactionPlan,
    compaction: Option<Compaction>,
    compact_at: Option<Millis>,
    retention: Retention,
    home_key: Option<Identity>,
    next_op: u64,
    outputs: VecDeque<Output>,
    /// To be released from quarantine once the room is read.
    released: BTreeSet<StreamId>,
    /// Its rows cannot be read: nobody is let in, and whoever opens the room anew tries again.
    unreadable: bool,
    retry_at: Option<Millis>,
    seen_at: Option<Millis>,
    figures: Figures,
    stopping: bool,
    #[cfg(feature = "planted-bugs")]
    planted: Option<crate::planted::Planted>,
}

impl Home {
    /// A home that begins by reading its room from the disk. `seed` is random and used once.
    pub fn new(room: RoomId, seed: &[u8; 32]) -> Self {
        let mut home = Self {
            room,
            epoch: 1,
            entropy: Entropy::new(seed),
            load: Load::start(),
            streams: BTreeMap::new(),
            conns: BTreeMap::new(),
            silence_at: None,
            presence: Board::default(),
            queue: WriteQueue::without_retry(),
            waiting_bytes: 0,
            wants: Wants::default(),
            doubts: Doubts::default(),
            told: BTreeSet::new(),
            again: BTreeSet::new(),
            scans: Scans::default(),
            pages: Pages::default(),
            segments: Segments::default(),
            jobs: BTreeMap::new(),
            plan: CompactionPlan::default(),
            compaction: None,
            compact_at: None,
            retention: Retention::default(),
            home_key: None,
            next_op: 0,
            outputs: VecDeque::new(),
            released: BTreeSet::new(),
            unreadable: false,
            retry_at: None,
            seen_at: None,
            figures: Figures::default(),
            stopping: false,
            #[cfg(feature = "planted-bugs")]
            planted: None,
        };
        home.scan_next_rows();
        home
    }

    /// The store that keeps the room is in this epoch (rule 10); to be told before anything else. The room may be in a later
    /// one by its own record.
    pub fn raise_epoch(&mut self, epoch: u64) {
        self.epoch = self.epoch.max(epoch);
    }

    /// Takes one input. Never fails and never panics, whatever arrives.
    pub fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Opened(conn) => self.handle_opened(conn, now),
            Input::Received(conn, bytes) => self.handle_received(conn, &bytes, now),
            Input::Drained(conn, lane) => self.handle_drained(conn, lane),
            Input::Closed(conn) => self.handle_closed(conn, now),
            Input::Stored(op, result) => self.handle_stored(op, result, now),
            Input::Scanned(op, result) => self.handle_scanned(op, result, now),
            Input::Materialised(op, result) => self.handle_materialised(op, result, now),
            Input::Release(stream) => self.handle_release(stream, now),
            Input::Tick => self.handle_tick(now),
            Input::Stop { spread } => self.handle_stop(spread),
        }
    }

    /// What to do next; call until `None` after every input.
    pub fn poll_output(&mut self) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        if self.retry_at.is_some() {
            return None;
        }
        let next_op = &mut self.next_op;
        let commit = self.queue.poll_commit(|| fresh_op(next_op));
        if commit.is_some() {
            self.again.clear();
        }
        commit.map(|(op, commit)| Output::Commit(op, commit))
    }

    /// When to hand in [`Input::Tick`].
    pub fn poll_timeout(&self) -> Option<Millis> {
        let (presence, pages) = (self.presence.poll_timeout(), self.pages.kept_until());
        let again = self.scans.again_at().into_iter().chain(self.segments.again_at());
        let again = again.chain(self.retention.look_at());
        let timers = [presence, self.retry_at, self.seen_at, self.compact_at, pages, self.silence_at];
        timers.into_iter().flatten().chain(again).min()
    }

    /// Whether nobody is here and nothing waits for the disk: the room may be dropped from memory.
    pub fn is_idle(&self) -> bool {
        let quiet = self.queue.is_idle() && self.scans.is_empty() && self.jobs.is_empty();
        self.conns.is_empty()
            && quiet
            && self.compaction.is_none()
            && ((self.load.is_done() && self.retention.may_rest(self.stopping)) || self.unreadable)
    }

    /// Whether a snapshot is being made.
    pub fn is_compacting(&self) -> bool {
        self.compaction.is_some()
    }

    /// Figures since the room was opened.
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// The room's name.
    pub fn room(&self) -> &RoomId {
        &self.room
    }

    /// How many entries, snapshots and answers wait for the disk.
    pub fn waiting_for_disk(&self) -> usize {
        self.queue.waiting().count()
    }

    /// How many links are open.
    pub fn links(&self) -> usize {
        self.conns.len()
    }

    fn handle_opened(&mut self, conn: ConnId, now: Now) {
        let link = Conn::new(now.monotonic);
        self.silence_at = self.silence_at.into_iter().chain([link.silent_at()]).min();
        self.conns.insert(conn, Box::new(link));
        if self.unreadable {
            self.turn_away(conn);
        } else if self.conns.len() > ROOM_LINKS {
            self.fail(conn, ErrorCode::Full, "this room has as many people as it can hold; try again later");
        }
    }

    fn handle_received(&mut self, conn: ConnId, bytes: &Bytes, now: Now) {
        let Some(state) = self.conns.get_mut(&conn) else { return };
        if state.is_closing() {
            return;
        }
        state.heard(now.monotonic);
        if !self.load.is_done() {
            if !state.hold(bytes.clone()) {
                self.fail(conn, ErrorCode::Full, "the room is still being read from the disk; try again");
            }
            return;
        }
        match wire::decode(bytes) {
            Ok(messages) => {
                for message in messages {
                    self.handle_message(conn, message, now);
                }
            }
            Err(error) => self.fail(conn, ErrorCode::BadFrame, &error.to_string()),
        }
    }

    fn handle_closed(&mut self, conn: ConnId, now: Now) {
        let link = self.conns.remove(&conn);
        self.waiting_bytes = self.waiting_bytes.saturating_sub(link.map_or(0, |link| link.waiting_bytes));
        for stream in self.streams.values_mut() {
            stream.waiting.forget(conn);
        }
        self.forget_doubts(conn);
        self.scans.forget(conn);
        self.pages.forget(conn);
        self.jobs.retain(|_, work| !matches!(work, Work::Segment(packed) if packed.reader.0 == conn));
        self.forget_segments(conn);
        self.presence.handle_closed(conn, now.monotonic);
        self.forget_reader(conn, now);
        self.expect_seen(now);
    }

    fn handle_tick(&mut self, now: Now) {
        self.presence.handle_timeout(now.monotonic);
        self.send_presence(now);
        if self.seen_at.is_some_and(|due| now.monotonic >= due) {
            self.seen_at = None;
            self.send_seen();
        }
        if self.retry_at.is_some_and(|due| now.monotonic >= due) {
            self.retry_at = None;
            self.scan_next_rows();
        }
        self.pages.handle_timeout(now.monotonic);
        self.tick_scans(now);
        self.tick_segments(now);
        if self.compact_at.is_some_and(|due| now.monotonic >= due) {
            self.compact_at = None;
            self.tick_compaction(now);
        }
        self.tick_retention(now);
        if self.silence_at.is_some_and(|due| now.monotonic >= due) {
            self.end_silent(now);
        }
    }

    fn end_silent(&mut self, now: Now) {
        let silent = self.conns.iter().filter(|(_, state)| now.monotonic >= state.silent_at());
        for conn in silent.map(|(conn, _)| *conn).collect::<Vec<_>>() {
            self.fail(conn, ErrorCode::Silent, "nothing was heard from this device for too long");
            self.handle_closed(conn, now);
        }
        self.silence_at = self.conns.values().map(|link| link.silent_at()).min();
    }

    fn handle_stop(&mut self, spread: Millis) {
        self.stopping = true;
        for conn in self.conns.keys().copied().collect::<Vec<_>>() {
            let after = Millis(self.entropy.below(spread.0));
            self.send(conn, &GoAway { after }.into());
        }
    }

    fn send(&mut self, conn: ConnId, message: &Message) {
        self.answer(conn, Lane::Control, message);
    }

    /// Sends what a link asked for. One that lets its answers pile up is cut.
    fn answer(&mut self, conn: ConnId, lane: Lane, message: &Message) {
        let bytes = wire::encode(message);
        let Some(state) = self.conns.get_mut(&conn).filter(|state| !state.is_closing()) else { return };
        if state.fill.has_room(lane, bytes.len()) {
            self.send_bytes(conn, lane, bytes);
        } else {
            state.close();
            self.outputs.push_back(Output::Close(conn, ErrorCode::Full));
        }
    }

    fn send_bytes(&mut self, conn: ConnId, lane: Lane, bytes: Bytes) {
        let Some(state) = self.conns.get_mut(&conn).filter(|state| !state.is_closing()) else { return };
        state.fill.add(lane, bytes.len());
        self.outputs.push_back(Output::Send(vec![conn], lane, bytes));
    }

    /// The same for many links, in whose lanes the bytes are counted already.
    fn send_to_all(&mut self, to: Vec<ConnId>, lane: Lane, bytes: Bytes) {
        if !to.is_empty() {
            self.outputs.push_back(Output::Send(to, lane, bytes));
        }
    }

    /// Tells a link what went wrong and ends it; nobody else notices.
    fn fail(&mut self, conn: ConnId, code: ErrorCode, sentence: &str) {
        self.send(
            conn,
            &Message::Other(Body::Error(ErrorFrame { code: code as u16, sentence: sentence.into() })),
        );
        if let Some(state) = self.conns.get_mut(&conn).filter(|state| !state.is_closing()) {
            state.close();
            self.outputs.push_back(Output::Close(conn, code));
        }
    }

    fn digest(&self) -> Digest {
        let mut room = RoomDigest::default();
        for (stream, state) in self.streams.iter().filter(|(_, state)| state.is_alive()) {
            room.add(stream, &state.durable.digest());
        }
        room.finish()
    }

    fn scan(&mut self, scan: Scan, reading: Reading) {
        let op = fresh_op(&mut self.next_op);
        self.scans.insert(op, scan.clone(), reading);
        self.outputs.push_back(Output::Scan(op, scan));
    }

    /// After a failure of the disk: what is in memory is no longer certain, so the room is read again.
    fn reload(&mut self, now: Now) {
        self.figures.store_failures += 1;
        self.scans = Scans::default();
        self.pages = Pages::default();
        self.segments = Segments::default();
        self.jobs.clear();
        self.compaction = None;
        self.compact_at = None;
        self.retention.give_up();
        self.put_off_doubts();
        self.load = Load::start();
        self.retry_at = Some(now.monotonic.after(STORE_RETRY));
    }
}

fn fresh_op(next: &mut u64) -> OpId {
    *next += 1;
    OpId(*next)
}
