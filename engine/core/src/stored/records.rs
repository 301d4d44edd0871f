//! Records: `version, body, checksum`. The checksum is the first eight bytes of BLAKE3 over version and body.

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::log::{Entry, Head, Introduced, SignedHead, Tip};
use crate::snapshot::{Root, SignedRoot};
use crate::time::Millis;
use crate::wire;

/// Why a record cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The bytes are not the ones that were written.
    #[error("a record on the disk is damaged")]
    Checksum,
    /// A later version wrote it.
    #[error("a record on the disk was written by a newer version ({0}) than this one knows")]
    Newer(u8),
    /// The checksum holds but the body means nothing.
    #[error("a record on the disk cannot be read")]
    Body,
}

/// Format and epoch of a room's space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetaRecord {
    /// Raised by every restore.
    pub epoch: u64,
}

/// A replica of this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaRecord {
    /// Its key.
    pub secret: [u8; 32],
}

/// Where a chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipRecord {
    /// The newest entry.
    pub seq: u64,
    /// The head there.
    pub head: Head,
    /// Logical time there.
    pub logical: u64,
    /// The next yrs clock of the replica.
    pub clock: u32,
    /// Who writes it, in a channel.
    pub introduced: Option<Introduced>,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRecord {
    /// Its place in the order of arrival.
    pub arrival: u64,
    /// The head of its chain there: an entry that is brought again must give the same.
    pub head: Head,
}

/// How many entries of a stream have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamRecord {
    /// The arrival number the next entry gets.
    pub arrivals: u64,
    /// Bytes of all entries so far.
    pub bytes: u64,
}

/// A piece of refused work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkRecord {
    /// Machine code of the refusal.
    pub code: String,
    /// For people.
    pub sentence: String,
    /// When it was refused, by this device's wall clock.
    pub time: Millis,
    /// What the payload is.
    pub part: ForkPart,
    /// The payload.
    pub payload: Vec<u8>,
}

/// Why a stream is in quarantine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineRecord {
    /// Machine code of what went wrong.
    pub code: String,
    /// For people.
    pub sentence: String,
    /// Since when, by the home's wall clock.
    pub since: Millis,
    /// Attempts that came to nothing.
    pub attempts: u8,
    /// Those of them after which another one like it was one too many.
    pub doubtful: u8,
    /// When it is tried again by itself, by the home's wall clock; else when it is released.
    pub again: Option<Millis>,
}

/// What is left of a stream's archive, where some of it has gone or is about to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRecord {
    /// The arrival below which nothing is left.
    pub begins: u64,
    /// What of the rest is known to be too old.
    pub noticed: Option<Noticed>,
}

/// History that is known to be too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// Since when that is known, by the home's wall clock.
    pub since: Millis,
    /// The arrival behind the last of it.
    pub upto: u64,
}

impl HistoryRecord {
    /// Where the record cannot be read: some of the archive is gone, and nobody knows how much. That stays so when more goes.
    pub const UNKNOWN: Self = Self { begins: u64::MAX, noticed: None };

    /// Whether it says how much is gone.
    pub fn says_how_much(&self) -> bool {
        self.begins != Self::UNKNOWN.begins
    }
}

/// What is kept of refused work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForkPart {
    /// The payload of an entry, or a piece of a journal: it builds on what the home took.
    Change,
    /// A piece of the whole text in UTF-8, in the order of the numbers: what the work built on is not to be had.
    Text,
}

/// What stays of a deleted stream: 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// Logical time of the deletion.
    pub logical: u64,
    /// First bytes of the head of the deleting chain.
    pub head: [u8; 16],
}

macro_rules! records {
    ($($name:ty),*) => {
        $(impl $name {
            /// The record as stored.
            pub fn encode(&self) -> Vec<u8> {
                encode(self)
            }

            /// Reverses `encode`.
            ///
            /// # Errors
            /// See [`Damage`].
            pub fn decode(bytes: &[u8]) -> Result<Self, Damage> {
                decode(bytes)
            }
        })*
    };
}

records!(
    MetaRecord,
    SignedRoot,
    ReplicaRecord,
    TipRecord,
    IndexRecord,
    StreamRecord,
    ForkRecord,
    QuarantineRecord,
    HistoryRecord
);

impl SignedHead {
    /// The record as stored: the body of its frame.
    pub fn encode(&self) -> Vec<u8> {
        seal(&wire::encode_head(self))
    }

    /// Reverses `encode`.
    ///
    /// # Errors
    /// See [`Damage`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        wire::decode_head(open(bytes)?).ok_or(Damage::Body)
    }
}

impl From<Tip> for TipRecord {
    fn from(Tip { seq, head, logical, clock, introduced }: Tip) -> Self {
        Self { seq, head, logical, clock, introduced }
    }
}

impl From<TipRecord> for Tip {
    fn from(TipRecord { seq, head, logical, clock, introduced }: TipRecord) -> Self {
        Self { seq, head, logical, clock, introduced }
    }
}

impl Tombstone {
    /// Eight bytes of logical time, sixteen of the head.
    pub fn encode(&self) -> Vec<u8> {
        [self.logical.to_be_bytes().as_slice(), &self.head].concat()
    }
}

/// A root without its signature: what its name is the hash of.
pub fn encode_root(root: &Root) -> Vec<u8> {
    postcard::to_allocvec(root).expect("a root has no part that cannot be written")
}

/// An entry as stored: its bytes as they travelled.
pub fn encode_entry(entry: &Entry) -> Vec<u8> {
    seal(entry.bytes())
}

/// Reverses [`encode_entry`].
///
/// # Errors
/// See [`Damage`].
pub fn decode_entry(bytes: Vec<u8>) -> Result<Entry, Damage> {
    let body = open(&bytes)?.len();
    wire::entry::decode(Bytes::from(bytes).slice(1..=body)).map_err(|_| Damage::Body)
}

/// A planted bug: [`decode_entry`] without looking at the sums.
///
/// # Errors
/// See [`Damage`].
#[cfg(feature = "planted-bugs")]
pub fn decode_entry_unchecked(bytes: Vec<u8>) -> Result<Entry, Damage> {
    let body = bytes.len().saturating_sub(CHECKSUM).max(1);
    wire::entry::decode_unchecked(Bytes::from(bytes).slice(1..body)).map_err(|_| Damage::Body)
}

/// A piece of a journal as stored.
pub fn encode_piece(update: &[u8]) -> Vec<u8> {
    seal(update)
}

/// Reverses [`encode_piece`].
///
/// # Errors
/// See [`Damage`].
pub fn decode_piece(bytes: &[u8]) -> Result<&[u8], Damage> {
    open(bytes)
}

/// A segment of the archive as stored: when it was put there, by the home's wall clock, and what was packed.
pub fn encode_segment(since: Millis, packed: &[u8]) -> Vec<u8> {
    seal(&[since.0.to_be_bytes().as_slice(), packed].concat())
}

/// Reverses [`encode_segment`].
///
/// # Errors
/// See [`Damage`].
pub fn decode_segment(bytes: &[u8]) -> Result<(Millis, &[u8]), Damage> {
    let (since, packed) = open(bytes)?.split_first_chunk().ok_or(Damage::Body)?;
    Ok((Millis(u64::from_be_bytes(*since)), packed))
}

/// An arrival number or a saved mark as stored.
pub fn encode_number(number: u64) -> Vec<u8> {
    seal(&number.to_be_bytes())
}

/// Reverses [`encode_number`].
///
/// # Errors
/// See [`Damage`].
pub fn decode_number(bytes: &[u8]) -> Result<u64, Damage> {
    Ok(u64::from_be_bytes(open(bytes)?.try_into().map_err(|_| Damage::Body)?))
}

fn encode(record: &impl Serialize) -> Vec<u8> {
    seal(&postcard::to_allocvec(record).expect("a record has no part that cannot be written"))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Damage> {
    postcard::from_bytes(open(bytes)?).map_err(|_| Damage::Body)
}

fn seal(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 1 + CHECKSUM);
    bytes.push(VERSION);
    bytes.extend_from_slice(body);
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(&checksum.as_bytes()[..CHECKSUM]);
    bytes
}

fn open(bytes: &[u8]) -> Result<&[u8], Damage> {
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(Damage::Checksum)?;
    if blake3::hash(content).as_bytes()[..CHECKSUM] != *checksum {
        return Err(Damage::Checksum);
    }
    match content.split_first() {
        Some((&VERSION, body)) => Ok(body),
        Some((&version, _)) => Err(Damage::Newer(version)),
        None => Err(Damage::Checksum),
    }
}

/// Version of the records.
const VERSION: u8 = 1;
/// Bytes of a checksum: enough against accidents, which is all it is for.
const CHECKSUM: usize = 8;
