//! The messages by which two sides find out what one of them lacks of a stream (rule 5).

use serde::{Deserialize, Serialize};

use crate::ids::{ReplicaId, StreamId};
use crate::log::Digest;
use crate::snapshot::SnapshotId;

/// Follows a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    /// The stream.
    pub stream: StreamId,
    /// Counts the questions of this device about this stream; answers repeat it, and only the newest counts.
    pub question: u64,
    /// Digest of the chains that are here, own ones as far as they were called saved.
    pub digest: Digest,
    /// Whether the newest snapshot is wanted even if nothing is lacking, because the device holds many entries: unless it is
    /// this one, [`SnapshotId::NOTHING`] where the device has none.
    pub newest_but: Option<SnapshotId>,
}

/// Asked by a home that does not know the digest of a device: which groups of chains differ? And answered: these, and so
/// far their chains are held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compare {
    /// The stream.
    pub stream: StreamId,
    /// The question this belongs to.
    pub question: u64,
    /// The chains up to this one have been told; the answer repeats it.
    pub from: ReplicaId,
    /// The home's groups from there on, as [`crate::log::marks_of`] has them: those it does not name differ if the device has
    /// chains in them. In the answer the numbers of those that differ.
    pub groups: Vec<u8>,
    /// In the answer: up to where their chains are held.
    pub above: Vec<(ReplicaId, u64)>,
    /// The same of the device's own chains. The home says with [`crate::wire::Saved`] what it has of them.
    pub own: Vec<(ReplicaId, u64)>,
    /// Whether chains behind these did not fit: the home asks again.
    pub more: bool,
}

/// The home has sent what the device lacked. Of the device's own chains it holds what the question's digest said, but for
/// those of which it has said with [`crate::wire::Saved`] what it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synced {
    /// The stream.
    pub stream: StreamId,
    /// The newest question that this answers.
    pub question: u64,
    /// Digest of what the home holds on disk.
    pub digest: Digest,
    /// How many entries that is.
    pub entries: u64,
    /// Whether the stream has been deleted.
    pub gone: bool,
}
