//! One link of a home.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::home::catch_up::Following;
use crate::ids::{ConnId, ReplicaId, StreamId};
use crate::limits::{
    CATCH_UP_BYTES, EARLY_FRAMES, HELLO_WAIT, HOME_SILENCE, LINK_MOST_BYTES, LINK_QUEUE_BYTES, ROOM_LINKS,
};
use crate::time::Millis;

/// What the home knows of a link.
#[derive(Debug)]
pub(super) struct Conn {
    phase: Phase,
    heard: Millis,
    queued_bytes: usize,
    held: Vec<Bytes>,
    /// Replicas whose keys this link has proven.
    pub(super) proven: BTreeSet<ReplicaId>,
    /// Streams it follows, and how far it has been sent.
    pub(super) follows: BTreeMap<StreamId, Following>,
    /// Links whose presence has changed while this one's queue was full.
    missed: BTreeSet<ConnId>,
    /// Places in the log that are being looked up for it.
    pub(super) lookups: usize,
    /// Pages that are being read for it; each becomes a frame in its queue.
    pub(super) pages: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Greeting,
    Open { nonce: [u8; 32] },
    Closing,
}

impl Conn {
    pub(super) fn new(now: Millis) -> Self {
        Self {
            phase: Phase::Greeting,
            heard: now,
            queued_bytes: 0,
            held: Vec::new(),
            proven: BTreeSet::new(),
            follows: BTreeMap::new(),
            missed: BTreeSet::new(),
            lookups: 0,
            pages: 0,
        }
    }

    pub(super) fn open(&mut self, nonce: [u8; 32]) {
        self.phase = Phase::Open { nonce };
    }

    pub(super) fn close(&mut self) {
        self.phase = Phase::Closing;
        self.follows.clear();
    }

    pub(super) fn nonce(&self) -> Option<[u8; 32]> {
        match self.phase {
            Phase::Open { nonce } => Some(nonce),
            Phase::Greeting | Phase::Closing => None,
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.phase == Phase::Closing
    }

    pub(super) fn heard(&mut self, now: Millis) {
        self.heard = now;
    }

    /// When the link is given up if nothing more is heard.
    pub(super) fn silent_at(&self) -> Millis {
        self.heard.after(if self.phase == Phase::Greeting { HELLO_WAIT } else { HOME_SILENCE })
    }

    /// Keeps a frame until the room has been read from the disk; false when there are too many.
    pub(super) fn hold(&mut self, bytes: Bytes) -> bool {
        let room = self.held.len() < EARLY_FRAMES;
        if room {
            self.held.push(bytes);
        }
        room
    }

    pub(super) fn take_held(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.held)
    }

    /// Counts what is queued for the link; false when it is more than any link may have. A small answer costs memory
    /// beside its bytes, so it counts for more.
    pub(super) fn queued(&mut self, bytes: usize) -> bool {
        self.queued_bytes += bytes + 64;
        self.queued_bytes <= LINK_MOST_BYTES
    }

    pub(super) fn drained(&mut self) {
        self.queued_bytes = 0;
    }

    /// Whether so many more bytes may be queued. An empty queue takes anything, so every reader gets on.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.queued_bytes == 0 || self.queued_bytes + bytes <= LINK_QUEUE_BYTES
    }

    /// Whether one more page may be read for it, beside those under way: somebody who asks for many streams at once gets
    /// them one after another.
    pub(super) fn has_room_for_page(&self) -> bool {
        if self.pages == 0 {
            return self.has_room(CATCH_UP_BYTES);
        }
        self.queued_bytes + (self.pages + 1) * CATCH_UP_BYTES <= LINK_QUEUE_BYTES
    }

    /// Presence is worth something only to a link that keeps up.
    pub(super) fn wants_presence(&self) -> bool {
        self.nonce().is_some() && self.queued_bytes <= LINK_QUEUE_BYTES
    }

    /// Notes whom to tell about later; false when there are too many.
    pub(super) fn miss(&mut self, changed: &[ConnId]) -> bool {
        if self.nonce().is_some() {
            self.missed.extend(changed);
        }
        self.missed.len() <= ROOM_LINKS
    }

    pub(super) fn take_missed(&mut self) -> BTreeSet<ConnId> {
        std::mem::take(&mut self.missed)
    }
}
