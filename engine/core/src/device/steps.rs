//! A text that takes long is worked on in steps (M5): between two of them everything else of the room gets its turn.
//!
//! What a change costs shows only when it is applied: it may walk along all pieces of the text, wherever it touches it. So a
//! step takes what would cost about a second if all of its places did, and one entry at least.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::device::Room;
use crate::device::event::{Change, Event};
use crate::device::pages::Role;
use crate::device::stream::{Phase, Stream, Unsaved};
use crate::ids::StreamId;
use crate::limits::BACKLOG_BYTES;
use crate::log::{Entry, EntryKind, StreamLog, Verdict};
use crate::time::{Millis, Now};
use crate::ydoc::{ApplyError, Document, Step};

/// Changes that were accepted and are not in the text yet.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    changes: VecDeque<Fresh>,
    bytes: usize,
    is_full: bool,
}

#[derive(Debug)]
struct Fresh {
    update: Bytes,
    places: u32,
}

/// A text that is being built from what was read.
#[derive(Debug)]
pub(super) struct Building {
    stream: StreamId,
    /// The reading of the stream it belongs to.
    turn: u64,
    /// `None`: nobody has opened it as a text.
    document: Option<Document>,
    rest: VecDeque<(u64, Entry)>,
    standing: Standing,
}

/// The entries that were read, in their order of arrival, without those that a snapshot covers, and the log of what stands. The
/// others, which wait for something or are refused, have no head.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) log: StreamLog,
    pub(super) entries: Vec<Unsaved>,
}

/// Texts that are not up to date with their logs, in the order in which they get their turns.
#[derive(Debug, Default)]
pub(super) struct Steps {
    queue: VecDeque<Work>,
    at: Option<Millis>,
    /// Whether each change is a step of its own.
    #[cfg(feature = "planted-bugs")]
    pub(super) are_short: bool,
}

#[derive(Debug)]
enum Work {
    /// To apply the backlog of a text that is in use.
    Behind(StreamId),
    /// To build a text that is opened.
    Building(Box<Building>),
}

impl Steps {
    pub(super) fn due(&self) -> Option<Millis> {
        self.at
    }

    /// Another page leads, or the one that was read from is gone: all is read again.
    pub(super) fn forget_building(&mut self) {
        self.queue.retain(|work| matches!(work, Work::Behind(_)));
    }

    /// Whether a text is being built from this reading of its stream.
    pub(super) fn builds(&self, stream: StreamId, turn: u64) -> bool {
        let is_it = |building: &Building| building.stream == stream && building.turn == turn;
        self.queue.iter().any(|work| matches!(work, Work::Building(building) if is_it(building)))
    }

    fn bound(&self, document: &Document) -> Step {
        #[cfg(feature = "planted-bugs")]
        if self.are_short {
            return Step::default();
        }
        document.begin_step()
    }

    fn is_behind(&self, stream: StreamId) -> bool {
        self.queue.iter().any(|work| matches!(work, Work::Behind(other) if *other == stream))
    }

    fn push(&mut self, work: Work, now: Now) {
        self.queue.push_back(work);
        self.at = Some(now.monotonic);
    }
}

impl Backlog {
    /// The frame that it came in is let go of.
    pub(super) fn push(&mut self, update: &[u8], places: u32) {
        self.bytes += update.len();
        self.is_full |= self.bytes >= BACKLOG_BYTES;
        self.changes.push_back(Fresh { update: Bytes::copy_from_slice(update), places });
    }

    /// A state of the text that knows of nothing outside itself: what waits and stands in it then costs nothing.
    pub(super) fn push_state(&mut self, page: &[u8]) {
        self.bytes += page.len();
        self.changes.push_front(Fresh { update: Bytes::copy_from_slice(page), places: 0 });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether so much waits that nothing more is taken before all of it is in the text; the home is asked for it then.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Takes out what fits a step, and one change at least; all of it without a bound.
    fn take(&mut self, mut step: Option<Step>) -> Vec<Bytes> {
        let mut taken = Vec::new();
        while let Some(Fresh { update, places }) = self.changes.pop_front() {
            self.bytes -= update.len();
            let is_last = step.as_mut().is_some_and(|step| step.take(update.len(), places));
            taken.push(update);
            if is_last {
                break;
            }
        }
        taken
    }
}

impl Room {
    /// Takes a step with what was accepted of a text. What is left waits for its turn, and what comes behind it too.
    pub(super) fn work_off(&mut self, id: StreamId, now: Now) {
        if !self.steps.is_behind(id) {
            self.step(id, now);
        }
    }

    fn step(&mut self, id: StreamId, now: Now) {
        // One that is built anew has all that waited when it is done, and until then nobody's words move.
        let shown = |stream: &&mut Stream| matches!(stream.phase, Phase::Ready | Phase::Meeting);
        let Some(stream) = self.streams.get_mut(&id).filter(shown) else { return };
        let step = stream.document().map(|document| self.steps.bound(document));
        let updates = stream.backlog.take(step);
        if !stream.backlog.is_empty() {
            self.steps.push(Work::Behind(id), now);
        } else if std::mem::take(&mut stream.backlog.is_full) {
            self.subscribe(id, now);
        }
        self.apply_updates(id, &updates);
    }

    /// All at once: what comes next builds on it.
    pub(super) fn apply_fresh(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(&id) {
            let updates = stream.backlog.take(None);
            self.apply_updates(id, &updates);
        }
    }

    /// Applies changes to a text, and tells of them once: to find out what has changed costs a walk along the text, which a
    /// page of the log must not cost for each of its entries.
    fn apply_updates(&mut self, id: StreamId, updates: &[Bytes]) {
        let Some(stream) = self.streams.get_mut(&id).filter(|_| !updates.is_empty()) else { return };
        let told = matches!(stream.phase, Phase::Ready | Phase::Meeting);
        let Some(document) = stream.document_mut() else { return };
        let updates: Vec<&[u8]> = updates.iter().map(|update| &update[..]).collect();
        let (deltas, applied) = document.apply_all(&updates);
        for delta in deltas.into_iter().filter(|_| told) {
            self.events.push(Event::Text { stream: id, change: Change::Delta(delta), editor: None });
        }
        if let Err(error) = applied {
            self.events.damaged(id, &format!("ydoc.apply: {error}"));
        }
    }

    pub(super) fn tick_steps(&mut self, now: Now) {
        if self.steps.at.is_none_or(|at| now.monotonic < at) {
            return;
        }
        // One for each tick: whoever waits for this device waits for one step at most.
        match self.steps.queue.pop_front() {
            Some(Work::Behind(id)) => {
                self.step(id, now);
                self.go_on_with(id, now);
            }
            Some(Work::Building(building)) => {
                let id = building.stream;
                if self.build_on(*building, now) && self.role == Role::Following {
                    // What the leader has told meanwhile of what this page wrote was not heard.
                    self.subscribe(id, now);
                }
            }
            None => {}
        }
        self.steps.at = (!self.steps.queue.is_empty()).then_some(now.monotonic);
    }

    /// What had to wait for a text that is up to date now.
    fn go_on_with(&mut self, id: StreamId, now: Now) {
        if self.streams.get(&id).is_some_and(|stream| stream.backlog.is_empty()) {
            self.mine_have(now);
            self.return_soon(id, now);
            self.put_back(id, now);
        }
    }

    /// All entries of a stream are read: builds its log, and the text if it is opened as one. Answers whether that is done, and
    /// the stream can be used.
    pub(super) fn build(&mut self, id: StreamId, read: Vec<(u64, Entry)>, now: Now) -> bool {
        let current = self.current.client();
        let Some(stream) = self.streams.get(&id) else { return false };
        let client = |old: &Document| if stream.phase == Phase::Rebuilding { current } else { old.client() };
        let mut document = stream.document().map(client).map(Document::new);
        let log = stream.snapshot.as_ref().map_or_else(|| StreamLog::new(id), |root| root.log());
        let (turn, page) = (stream.reading, stream.pages.first().map(Vec::as_slice));
        let loaded = document.as_mut().zip(page).map_or(Ok(()), |(document, page)| document.load(&[page]));
        if let Err(error) = loaded {
            self.events.damaged(id, &format!("ydoc.apply: {error}"));
        }
        let standing = Standing { log, entries: Vec::new() };
        self.build_on(Building { stream: id, turn, document, rest: read.into(), standing }, now)
    }

    /// Takes a step with a text that is being built; answers as [`Room::build`].
    fn build_on(&mut self, mut building: Building, now: Now) -> bool {
        let id = building.stream;
        let is_current = |stream: &&mut Stream| {
            stream.reading == building.turn && matches!(stream.phase, Phase::Loading | Phase::Rebuilding)
        };
        let Some(stream) = self.streams.get_mut(&id).filter(is_current) else { return false };
        // The leader has sent all: nothing is asked again meanwhile.
        stream.note_heard(now);
        let step = building.document.as_ref().map(|document| self.steps.bound(document));
        if let Err(error) = building.step(step) {
            self.events.damaged(id, &format!("ydoc.apply: {error}"));
        }
        if !building.rest.is_empty() {
            self.steps.push(Work::Building(Box::new(building)), now);
            return false;
        }
        let Building { document, standing, .. } = building;
        self.finish_entries(id, standing, document, now);
        true
    }
}

impl Building {
    fn step(&mut self, mut step: Option<Step>) -> Result<(), ApplyError> {
        let mut is_last = false;
        let mut updates = Vec::new();
        while let Some((arrival, entry)) = self.rest.pop_front() {
            let accepted = match self.standing.log.judge(&entry) {
                Verdict::Fresh(accepted) => accepted,
                Verdict::Known => continue,
                Verdict::Waits(_) | Verdict::Refused(_) => {
                    self.standing.entries.push(Unsaved { arrival, head: None, entry });
                    continue;
                }
            };
            self.standing.log.extend(&entry, accepted);
            let head = Some(self.standing.log.tip(&entry.header().replica).head.short());
            if let Some(step) = step.as_mut().filter(|_| entry.header().kind == EntryKind::Edit) {
                is_last = step.take(entry.payload().len(), accepted.places);
                updates.push(entry.bytes().slice_ref(entry.payload()));
            }
            self.standing.entries.push(Unsaved { arrival, head, entry });
            if is_last {
                break;
            }
        }
        let updates: Vec<&[u8]> = updates.iter().map(|update| &update[..]).collect();
        self.document.as_mut().map_or(Ok(()), |document| document.load(&updates))
    }
}
