//! One entry of a log.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::ids::{Hex, InvalidId, ReplicaId, StreamId, parse_hex};
use crate::time::Millis;

/// The name of an entry inside its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntryName {
    /// Who wrote it.
    pub replica: ReplicaId,
    /// 1, 2, 3 … per replica and stream.
    pub seq: u64,
}

/// `<64 hex digits of the replica>/<number>`, as apps name a post.
impl std::fmt::Display for EntryName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", Hex(self.replica.as_bytes()), self.seq)
    }
}

impl std::str::FromStr for EntryName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (replica, seq) = text.split_once('/').ok_or(InvalidId::Entry)?;
        let replica = ReplicaId::from_bytes(parse_hex(replica).ok_or(InvalidId::Entry)?);
        Ok(Self { replica, seq: seq.parse().map_err(|_| InvalidId::Entry)? })
    }
}

/// Hash of a chain up to an entry: `head(n) = BLAKE3(head(n−1) ‖ header)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Head([u8; 32]);

impl Head {
    /// The head of a chain without entries.
    pub const START: Self = Self([0; 32]);

    /// The head after one more entry.
    #[must_use]
    pub fn next(&self, entry: &Entry) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0).update(entry.header_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// A head read from a record.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The eight bytes that stand in dependencies.
    pub fn short(&self) -> [u8; 8] {
        self.0[..8].try_into().expect("eight bytes of thirty-two")
    }
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", Hex(&self.short()))
    }
}

/// An entry with the head of its chain: what another one builds on, or up to where a chain is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dep {
    /// Whose.
    pub replica: ReplicaId,
    /// Which.
    pub seq: u64,
    /// The first eight bytes of the chain's head there.
    pub head: [u8; 8],
}

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
#[repr(u8)]
pub enum EntryKind {
    /// Brings the stream into being.
    Create = 0,
    /// Changes a document or the directory.
    Edit = 1,
    /// Ends the stream; nothing follows.
    Delete = 2,
    /// A change by a foreign client, written by a gateway.
    Foreign = 3,
    /// A post in a channel or a comment thread.
    Post = 4,
    /// Replaces the text of the target.
    Amend = 5,
    /// Removes the target.
    Retract = 6,
    /// A reaction to the target.
    React = 7,
    /// Says which person writes under the replica.
    Introduce = 8,
}

impl TryFrom<u8> for EntryKind {
    type Error = &'static str;

    fn try_from(byte: u8) -> Result<Self, &'static str> {
        [
            Self::Create,
            Self::Edit,
            Self::Delete,
            Self::Foreign,
            Self::Post,
            Self::Amend,
            Self::Retract,
            Self::React,
            Self::Introduce,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
        .ok_or("a kind of entry this version does not know")
    }
}

impl From<EntryKind> for u8 {
    fn from(kind: EntryKind) -> Self {
        kind as u8
    }
}

/// All that is known of an entry without its payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Who wrote it.
    pub replica: ReplicaId,
    /// 1, 2, 3 … per replica and stream.
    pub seq: u64,
    /// The newest entries of other replicas it builds on.
    pub deps: Vec<Dep>,
    /// 1 + the greatest of its deps and its own chain; decides between concurrent changes.
    pub logical: u64,
    /// The author's wall clock; orders display only.
    pub time: Millis,
    /// What it does.
    pub kind: EntryKind,
    /// The entry it amends, retracts or reacts to.
    pub target: Option<EntryName>,
    /// The key the payload is sealed with; zero for plain payloads.
    pub key_epoch: u32,
    /// BLAKE3 of the payload.
    pub payload_hash: [u8; 32],
}

impl Header {
    /// The entry's name.
    pub fn name(&self) -> EntryName {
        EntryName { replica: self.replica, seq: self.seq }
    }
}

/// An entry as it travels and rests: one run of bytes, never encoded anew. Made by `wire::entry` alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    header: Header,
    bytes: Bytes,
    header_at: usize,
    payload_at: usize,
}

impl Entry {
    pub(crate) fn from_parts(header: Header, bytes: Bytes, header_at: usize, payload_at: usize) -> Self {
        Self { header, bytes, header_at, payload_at }
    }

    /// The same entry in memory of its own: one that has to wait does not hold the whole frame it came in.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self { bytes: Bytes::copy_from_slice(&self.bytes), ..self.clone() }
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The entry's name.
    pub fn name(&self) -> EntryName {
        self.header.name()
    }

    /// The header as hashed into the chain.
    pub fn header_bytes(&self) -> &[u8] {
        &self.bytes[self.header_at..self.payload_at]
    }

    /// What the reducer reads.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.payload_at..]
    }

    /// The whole entry, as sent and as stored.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Header { stream, replica, seq, kind, .. } = &self.header;
        write!(f, "Entry({stream} {replica}/{seq} {kind:?}, {} bytes)", self.payload().len())
    }
}
