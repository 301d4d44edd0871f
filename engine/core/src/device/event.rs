//! What a room tells the app, and in what order.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::ids::{EditorId, StreamId};
use crate::sorted::SortedSet;
use crate::ydoc::Delta;

/// Something changed. Where an event carries nothing, the room's getter of the same name has the new value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A text changed; the first for each document is a reset.
    Text {
        /// Which document.
        stream: StreamId,
        /// How.
        change: Change,
        /// The editor that made the change here, if one did: it has it already.
        editor: Option<EditorId>,
    },
    /// The list of documents.
    Directory,
    /// A channel: its timeline, what is left to read of it, or its drafts.
    Channel(StreamId),
    /// The link.
    Connection,
    /// What is saved where, of one document.
    SaveStatus(StreamId),
    /// The other people.
    Others,
    /// The disk of this device.
    Storage,
    /// The forks of this device.
    Forks,
    /// Work was refused by the home and is kept as a fork.
    Fork {
        /// Which document.
        stream: StreamId,
        /// Machine code of the refusal.
        code: String,
        /// For people.
        sentence: String,
    },
    /// Something on this device's disk or from the home could not be applied. The room goes on without it.
    Damaged {
        /// Which document.
        stream: StreamId,
        /// Machine code.
        code: String,
    },
    /// The document has been deleted.
    Gone(StreamId),
}

/// How a text changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Read it anew with [`crate::device::Room::text`].
    Reset,
    /// One step.
    Delta(Delta),
}

/// The link to the home, as people see it; of a page that follows, the leader's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Connection {
    /// No link; one is opened again by itself.
    Offline,
    /// A link is being opened.
    Connecting,
    /// The home answers.
    Online,
    /// The home will not have this app until something changes: its reason. Work goes on offline.
    Stopped {
        /// Machine code.
        code: u16,
        /// For people.
        sentence: String,
    },
}

/// The disk of this device, as people see it; of a page that follows, the leader's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Storage {
    /// It is being read.
    Opening,
    /// It takes what is written.
    Working,
    /// It does not; the work is kept in memory and written when it does again.
    Failing {
        /// Whether it is full.
        full: bool,
        /// For people.
        sentence: String,
    },
}

/// Events waiting to be pulled. Signals are told once however often they were raised; a reader too slow for the steps
/// of a text is told to read it anew.
#[derive(Debug, Default)]
pub(super) struct Events {
    queue: VecDeque<Event>,
    signals: Vec<Signal>,
    resets: SortedSet<StreamId>,
    steps: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Directory,
    Channel(StreamId),
    Connection,
    SaveStatus(StreamId),
    Others,
    Storage,
    Forks,
}

impl Events {
    pub(super) fn push(&mut self, event: Event) {
        if let Some(signal) = signal_of(&event) {
            if !self.signals.contains(&signal) {
                self.signals.push(signal);
                self.queue.push_back(event);
            }
            return;
        }
        if let Event::Text { stream, change, .. } = &event {
            let stream = *stream;
            if self.resets.contains(&stream) {
                // The text that will be read anew has this step in it already.
                return;
            }
            self.steps += 1;
            if *change == Change::Reset || self.steps > STEPS {
                self.reset(stream);
                return;
            }
        }
        self.queue.push_back(event);
    }

    /// Tells of damage; not inlined, so that pages carry it once.
    #[inline(never)]
    pub(super) fn damaged(&mut self, stream: StreamId, code: &str) {
        self.push(Event::Damaged { stream, code: code.into() });
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        let event = self.queue.pop_front()?;
        if let Some(signal) = signal_of(&event) {
            self.signals.retain(|waiting| *waiting != signal);
        }
        if let Event::Text { stream, change, .. } = &event {
            self.steps -= 1;
            if *change == Change::Reset {
                self.resets.remove(stream);
            }
        }
        Some(event)
    }

    /// One reset stands for all steps of a text that were not pulled yet.
    fn reset(&mut self, stream: StreamId) {
        self.queue.retain(|event| !matches!(event, Event::Text { stream: other, .. } if *other == stream));
        self.queue.push_back(Event::Text { stream, change: Change::Reset, editor: None });
        self.resets.insert(stream);
        self.steps = self.queue.iter().filter(|event| matches!(event, Event::Text { .. })).count();
    }
}

/// What an event tells again and again, if it carries nothing else.
fn signal_of(event: &Event) -> Option<Signal> {
    match event {
        Event::Directory => Some(Signal::Directory),
        Event::Channel(stream) => Some(Signal::Channel(*stream)),
        Event::Connection => Some(Signal::Connection),
        Event::SaveStatus(stream) => Some(Signal::SaveStatus(*stream)),
        Event::Others => Some(Signal::Others),
        Event::Storage => Some(Signal::Storage),
        Event::Forks => Some(Signal::Forks),
        Event::Text { .. } | Event::Fork { .. } | Event::Damaged { .. } | Event::Gone(_) => None,
    }
}

/// Steps of texts that wait to be pulled: a second of the fastest replay.
const STEPS: usize = 1024;
