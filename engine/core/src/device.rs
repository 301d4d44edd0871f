//! A room as a device keeps it: its documents, what is not saved yet, and one link to the room's home.
//!
//! [`Room`] is a pure state machine, driven like this:
//!
//! 1. [`Room::handle`] with every [`Input`] at the moment it arrives; edits and other commands at any time between;
//! 2. [`Room::poll_output`] until it answers `None`, carrying out each [`Output`];
//! 3. [`Room::poll_event`] until it answers `None`, telling the app;
//! 4. [`Room::poll_timeout`]: when that moment has come, [`Input::Tick`].
//!
//! An edit applies at once and gathers in the stream's journal. It is *sealed* into an entry (numbered, chained, on this
//! device's disk) before its bytes leave the device, and an entry is forgotten by the outbox only when the home has answered
//! `saved` (DESIGN §5, promises 1–3).
//!
//! A device may have several pages with a room each; one leads, the others follow it (`pages`).

mod answers;
mod boot;
mod chat;
mod copies;
mod documents;
mod event;
mod follow;
mod fork;
mod forks;
mod heads;
mod journal;
mod link;
mod load;
mod older;
mod pages;
mod passed_over;
mod people;
mod receipts;
mod receive;
mod siblings;
mod snapshot;
mod steps;
mod stream;
mod take_over;
mod version;

use std::collections::VecDeque;

use bytes::Bytes;

use crate::entropy::Entropy;
use crate::ids::{ReplicaId, RoomId, StreamId};
use crate::log::Wants;
use crate::presence::Others;
use crate::replica::Identity;
use crate::sorted::{SortedMap, SortedSet};
use crate::storage::{Commit, CommitError, FailureKind, Page, Scan, StoreFailure};
use crate::time::{Millis, Now};
use crate::wire::{self, ErrorCode, Message};
use crate::write_queue::{OpId, WriteQueue};

pub use chat::{ChatError, Draft};
pub use documents::DocumentError;
pub use event::{Change, Connection, Event, Storage};
pub use forks::{Fork, ForkError, ForkId, ForkText};
pub use pages::{PageInput, PageOutput, Role};
pub use receipts::{Receipt, ReceiptState, SaveStatus};

use boot::Boot;
use chat::Myself;
use event::Events;
use forks::Forks;
use heads::Heads;
use journal::Tag;
use link::Link;
use load::Reading;
use older::OlderPages;
use people::Mine;
use siblings::Siblings;
use steps::Steps;
use stream::Stream;

/// What a room starts from.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which room.
    pub room: RoomId,
    /// Random bytes, used for this one room object and never again: ids, keys and jitter come from them.
    pub seed: [u8; 32],
    /// Program and version, for the home's logs.
    pub agent: String,
}

/// What happens to a room on a device.
#[derive(Clone, Debug)]
pub enum Input {
    /// The link asked for by [`Output::Connect`] is open.
    Opened,
    /// Bytes arrived on the link: one or more whole frames.
    Received(Bytes),
    /// The link has ended or could not be opened. The code is the socket's close code, if there was one.
    Closed(Option<u16>),
    /// Something says that a new try is worth while: the network is back, the page is visible, a person asked.
    Reconnect,
    /// The disk's answer to [`Output::Commit`].
    Stored(OpId, Result<(), CommitError>),
    /// The disk's answer to [`Output::Scan`].
    Scanned(OpId, Result<Page, StoreFailure>),
    /// Something among the pages of this device.
    Page(PageInput),
    /// The timer of [`Room::poll_timeout`] has run out.
    Tick,
}

/// What a room wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open a link to the room's home; answer with [`Input::Opened`] or [`Input::Closed`].
    Connect,
    /// Put these bytes on the link.
    Send(Bytes),
    /// End the link; [`Input::Closed`] follows.
    Close,
    /// Carry a commit to the disk; the answer repeats the number.
    Commit(OpId, Commit),
    /// Read from the disk; the answer repeats the number.
    Scan(OpId, Scan),
    /// Something for the other pages of this device.
    Page(PageOutput),
}

/// Why a room wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// To open the link again, or to give up one that is silent.
    Link,
    /// To seal or journal edits.
    Journal,
    /// To offer entries again that have had no answer.
    Outbox,
    /// To put back work that another page took the disk from.
    Forks,
    /// To tell what was applied.
    Seen,
    /// To tell or repeat its presence.
    Presence,
    /// To try the disk again.
    Disk,
    /// To give up a page that is silent.
    Pages,
    /// To go on with a text that takes long.
    Text,
}

/// A room on a device.
#[derive(Debug)]
pub struct Room {
    room: RoomId,
    agent: String,
    entropy: Entropy,
    role: Role,
    boot: Boot,
    storage: Storage,
    disk_retry_at: Option<Millis>,
    /// Whether the disk did not take the last commit: that something can be read then says little.
    commit_failed: bool,
    queue: WriteQueue<Tag>,
    wants: Wants,
    older_pages: OlderPages,
    scans: SortedMap<OpId, Reading>,
    next_op: u64,
    identities: SortedMap<ReplicaId, Identity>,
    /// The replicas of this page, the last is the current one.
    minted: Vec<ReplicaId>,
    current: ReplicaId,
    current_on_disk: bool,
    fork_pieces: u64,
    epoch: u64,
    streams: SortedMap<StreamId, Stream>,
    wanted: SortedSet<StreamId>,
    link: Link,
    clock_offset: i64,
    others: Others,
    mine: Mine,
    myself: Option<Myself>,
    siblings: Siblings,
    /// The leader's link to the home, as it told a page that follows.
    uplink: Connection,
    /// The same of the disk.
    uplink_storage: Storage,
    heads: Heads,
    forks: Forks,
    have_at: Option<Millis>,
    steps: Steps,
    events: Events,
    outputs: VecDeque<Output>,
    #[cfg(feature = "planted-bugs")]
    planted: Option<crate::planted::Planted>,
}

impl Room {
    /// A room that begins by reading what this device holds of it, and opens a link.
    pub fn new(config: Config) -> Self {
        let mut room = Self::unbooted(config, Role::Leading);
        room.boot_next();
        room
    }

    fn unbooted(config: Config, role: Role) -> Self {
        let mut entropy = Entropy::new(&config.seed);
        let identity = Identity::from_secret(&entropy.bytes());
        let current = identity.id();
        let mut room = Self {
            room: config.room,
            agent: config.agent,
            entropy,
            role,
            boot: Boot::start(),
            storage: Storage::Opening,
            disk_retry_at: None,
            commit_failed: false,
            queue: WriteQueue::default(),
            wants: Wants::default(),
            older_pages: OlderPages::default(),
            scans: SortedMap::new(),
            next_op: 0,
            identities: SortedMap::new(),
            minted: vec![current],
            current,
            current_on_disk: false,
            fork_pieces: 0,
            epoch: 0,
            streams: SortedMap::new(),
            wanted: SortedSet::new(),
            link: Link::new(),
            clock_offset: 0,
            others: Others::default(),
            mine: Mine::default(),
            myself: None,
            siblings: Siblings::default(),
            uplink: Connection::Offline,
            uplink_storage: Storage::Opening,
            heads: Heads::default(),
            forks: Forks::default(),
            have_at: None,
            steps: Steps::default(),
            events: Events::default(),
            outputs: VecDeque::new(),
            #[cfg(feature = "planted-bugs")]
            planted: None,
        };
        room.identities.insert(current, identity);
        room
    }

    /// Switches a bug on.
    #[cfg(feature = "planted-bugs")]
    pub fn plant(&mut self, bug: crate::planted::Planted) {
        self.planted = Some(bug);
    }

    /// Works texts off change by change, as if each were dear.
    #[cfg(feature = "planted-bugs")]
    pub fn take_short_steps(&mut self) {
        self.steps.are_short = true;
    }

    /// Takes one input. Never fails and never panics, whatever arrives.
    pub fn handle(&mut self, input: Input, now: Now) {
        match input {
            Input::Opened => self.handle_opened(now),
            Input::Received(bytes) => self.handle_received(&bytes, now),
            Input::Closed(code) => self.handle_closed(code, now),
            Input::Reconnect => self.handle_reconnect(now),
            Input::Stored(op, result) => self.handle_stored(op, result, now),
            Input::Scanned(op, result) => self.handle_scanned(op, result, now),
            Input::Page(input) => self.handle_page_input(input, now),
            Input::Tick => self.handle_tick(now),
        }
        self.tell_unsent();
    }

    /// What to do next; call until `None` after every input and every edit.
    pub fn poll_output(&mut self) -> Option<Output> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        if self.role == Role::Following {
            // Whatever a page that leads would write here, this one keeps with its leader.
            self.queue.abandon();
            return None;
        }
        if self.disk_retry_at.is_some() || !self.boot.is_done() {
            return None;
        }
        let next_op = &mut self.next_op;
        let commit = self.queue.poll_commit(|| fresh_op(next_op));
        commit.map(|(op, commit)| Output::Commit(op, commit))
    }

    /// What has changed for the app; call until `None`. The first event of anything that is followed is its `Reset`.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// When to hand in [`Input::Tick`], and what for.
    pub fn poll_timeout(&self) -> Option<(Millis, Why)> {
        [
            self.link.due().map(|at| (at, Why::Link)),
            self.journal_due().map(|at| (at, Why::Journal)),
            self.outbox_due().map(|at| (at, Why::Outbox)),
            self.return_due().map(|at| (at, Why::Forks)),
            self.have_due().map(|at| (at, Why::Seen)),
            self.mine.due(self.link.is_live()).map(|at| (at, Why::Presence)),
            self.disk_retry_at.map(|at| (at, Why::Disk)),
            self.siblings.due().map(|at| (at, Why::Pages)),
            self.steps.due().map(|at| (at, Why::Text)),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The room's name.
    pub fn room(&self) -> &RoomId {
        &self.room
    }

    /// The replica this room writes under now.
    pub fn replica(&self) -> ReplicaId {
        self.current
    }

    fn handle_tick(&mut self, now: Now) {
        if self.disk_retry_at.is_some_and(|at| now.monotonic >= at) {
            self.retry_disk();
        }
        self.tick_link(now);
        self.tick_journals(now);
        self.tick_outbox(now);
        self.tick_returns(now);
        self.tick_older(now);
        self.tick_have(now);
        self.tick_presence(now);
        self.tick_siblings(now);
        self.tick_steps(now);
    }

    fn send(&mut self, message: &Message) {
        self.send_bytes(wire::encode(message));
    }

    fn send_if_live(&mut self, message: &Message) {
        if self.link.is_live() {
            self.send(message);
        }
    }

    fn send_bytes(&mut self, bytes: Bytes) {
        self.outputs.push_back(Output::Send(bytes));
    }

    fn scan(&mut self, scan: Scan, reading: Reading) {
        let op = fresh_op(&mut self.next_op);
        self.scans.insert(op, reading);
        self.outputs.push_back(Output::Scan(op, scan));
    }

    /// Mints the replica that writes from now on. The one before stays known until its entries are saved.
    fn mint(&mut self) {
        let identity = Identity::from_secret(&self.entropy.bytes());
        self.current = identity.id();
        self.minted.push(self.current);
        self.identities.insert(self.current, identity);
        self.current_on_disk = false;
    }

    fn set_storage(&mut self, storage: Storage) {
        if self.storage != storage {
            self.storage = storage;
            self.events.push(Event::Storage);
            self.tell_uplink();
        }
    }

    /// The home's idea of the time: this device's clock and the offset learned in hello.
    fn home_time(&self, now: Now) -> Millis {
        Millis(now.wall.0.saturating_add_signed(self.clock_offset))
    }
}

fn fresh_op(next: &mut u64) -> OpId {
    *next += 1;
    OpId(*next)
}

/// A failure as the app sees it.
fn failing(failure: &StoreFailure) -> Storage {
    Storage::Failing { full: failure.kind == FailureKind::Full, sentence: failure.sentence.clone() }
}

/// What a close code of the home means for trying again.
fn is_final(code: Option<u16>) -> bool {
    code.and_then(ErrorCode::parse).is_some_and(ErrorCode::is_final)
}
