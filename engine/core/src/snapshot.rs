//! Snapshots: what a stream amounts to up to a place in its home's order of arrival, so that what lies below need not be
//! kept or sent entry by entry (rule 8).
//!
//! A [`Root`] says what is covered and names its content-addressed pages; a text and the directory have one page each, a
//! channel one of contents and then its posts.
//! Making and checking one means building the document, which a home never does itself: it hands a [`Job`] to its shell,
//! which runs [`Job::run`] on threads of its own and hands the answer back.

mod archive;
mod build;
mod job;
mod tail;

use serde::{Deserialize, Serialize};

use crate::ids::{Hex, ReplicaId, RoomId, StreamId, StreamKind};
use crate::log::{StreamLog, Tip};
use crate::replica::Identity;
use crate::stored::{self, TipRecord};

pub use archive::{Segment, unpack};
pub use build::{Base, Built};
pub use job::{Done, Job, JobError};
pub(crate) use tail::{Tail, jumps};

/// Names a snapshot: BLAKE3 of its root.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SnapshotId([u8; 32]);

/// Names a page by its content: BLAKE3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PageId([u8; 32]);

/// How far a snapshot reaches, and where its content lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The stream.
    pub stream: StreamId,
    /// The snapshot it was made from.
    pub parent: Option<SnapshotId>,
    /// Entries below this place in the home's order of arrival are covered.
    pub arrivals: u64,
    /// Bytes of all entries below it.
    pub bytes: u64,
    /// Where each covered chain stands, in the order of replicas.
    pub coverage: Vec<(ReplicaId, TipRecord)>,
    /// Those whose newest covered entry no covered entry builds on: what the next entry depends on.
    pub frontier: Vec<ReplicaId>,
    /// Its pages.
    pub pages: Vec<PageId>,
    /// BLAKE3 of what people see: two encodings of one text have one content.
    pub content: [u8; 32],
}

/// A root with its home's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedRoot {
    /// What is signed.
    pub root: Root,
    /// The home's public key for this room.
    pub home: [u8; 32],
    /// Ed25519 over the room and the snapshot's name, first half.
    pub signature_r: [u8; 32],
    /// Second half.
    pub signature_s: [u8; 32],
}

impl SnapshotId {
    /// No snapshot.
    pub const NOTHING: Self = Self([0; 32]);

    /// A snapshot named in a frame.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PageId {
    /// The name of these bytes.
    pub fn of(page: &[u8]) -> Self {
        Self(*blake3::hash(page).as_bytes())
    }

    /// A page named in a key.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Root {
    /// Its name.
    pub fn id(&self) -> SnapshotId {
        SnapshotId(*blake3::hash(&stored::encode_root(self)).as_bytes())
    }

    /// Signs it with the home's key.
    pub fn sign(self, key: &Identity, room: &RoomId) -> SignedRoot {
        let (home, signature_r, signature_s) = key.sign(&signed_bytes(room, &self.id()));
        SignedRoot { root: self, home, signature_r, signature_s }
    }

    /// A log that knows the covered chains and nothing else.
    pub fn log(&self) -> StreamLog {
        let mut log = StreamLog::new(self.stream);
        log.cover(self.tips(), &self.frontier);
        log
    }

    /// Where each covered chain stands.
    pub fn tips(&self) -> impl Iterator<Item = (ReplicaId, Tip)> {
        self.coverage.iter().map(|(replica, tip)| (*replica, Tip::from(*tip)))
    }

    /// The pages that whoever begins with it needs, by their number: the first, and of a channel the newest.
    pub fn opening(&self, number: usize) -> Option<PageId> {
        match number {
            0 => self.pages.first().copied(),
            1 if self.pages.len() > 1 => self.pages.last().copied(),
            _ => None,
        }
    }

    /// Up to which entry a chain is covered; zero for none.
    pub fn covered(&self, replica: &ReplicaId) -> u64 {
        let at = self.coverage.binary_search_by_key(replica, |(covered, _)| *covered);
        at.map_or(0, |at| self.coverage[at].1.seq)
    }

    /// Up to which entry each chain is covered, in the order of replicas.
    pub fn marks(&self) -> Vec<(ReplicaId, u64)> {
        self.coverage.iter().map(|(replica, tip)| (*replica, tip.seq)).collect()
    }

    /// Whether all of this is covered: a snapshot of a home that was restored may lack what one before it had.
    pub fn includes(&self, marks: &[(ReplicaId, u64)]) -> bool {
        marks.iter().all(|(replica, seq)| self.covered(replica) >= *seq)
    }
}

/// Whether streams of a kind have snapshots.
pub fn has_snapshots(kind: StreamKind) -> bool {
    match kind {
        StreamKind::Directory | StreamKind::Ydoc | StreamKind::Chat => true,
        StreamKind::Amdoc | StreamKind::Comments => false,
    }
}

fn signed_bytes(room: &RoomId, id: &SnapshotId) -> Vec<u8> {
    [b"causeway snapshot 1\0".as_slice(), id.as_bytes(), room.as_str().as_bytes()].concat()
}

impl std::fmt::Debug for SnapshotId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", Hex(&self.0[..8]))
    }
}

impl std::fmt::Debug for PageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", Hex(&self.0[..8]))
    }
}
