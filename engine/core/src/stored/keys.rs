//! Keys of a room's space: one letter, then fixed-width parts, so that order on disk is the order of use.

use crate::ids::{ReplicaId, StreamId};
use crate::snapshot::PageId;

/// Format and epoch of the space.
pub const META: &[u8] = b"m";
/// At a home: the secret of the key that signs its snapshots.
pub const HOME_KEY: &[u8] = b"k";
/// On a device: who may write here.
pub const OWNER: &[u8] = b"o";

/// First letters of the kinds of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Prefix {
    /// `a stream`: how many entries have arrived.
    Stream = b'a',
    /// `c stream replica`: where a chain stands.
    Tip = b'c',
    /// `d stream`: the root of a snapshot that is not verified yet.
    Draft = b'd',
    /// `e stream arrival`: an entry, in the order of arrival, which is an order that respects dependencies.
    Entry = b'e',
    /// `f stream replica seq`: refused work, kept.
    Fork = b'f',
    /// `h stream`: the root of the snapshot that stands.
    Snapshot = b'h',
    /// `j stream replica piece`: edits not sealed yet.
    Journal = b'j',
    /// `n stream replica seq`: where an entry stands in the order of arrival, and its chain's head.
    Index = b'n',
    /// `p stream page`: a page of a snapshot, named by its hash.
    Page = b'p',
    /// `q stream replica seq`: of a chain's entries in a segment of the archive, by the last: where the first arrived.
    Place = b'q',
    /// `r replica`: the secret of a replica of this device.
    Replica = b'r',
    /// `s stream replica`: up to where the home has answered `saved`.
    Saved = b's',
    /// `t stream`: a deleted stream.
    Tombstone = b't',
    /// `u stream replica`: up to where the posts of a replica were read here.
    Read = b'u',
    /// `v stream replica`: the newest signed head of a chain.
    Vouched = b'v',
    /// `x stream`: no snapshot can be made of it, and why.
    Quarantine = b'x',
    /// `y stream`: below which arrival the archive was let go.
    History = b'y',
    /// `z stream end`: entries that a snapshot covers, compressed, by the arrival number behind the last.
    Archive = b'z',
}

impl Prefix {
    /// The kinds whose keys go on with a stream, in the order of their letters.
    pub const OF_STREAMS: [Self; 16] = [
        Self::Stream,
        Self::Tip,
        Self::Draft,
        Self::Entry,
        Self::Fork,
        Self::Snapshot,
        Self::Journal,
        Self::Index,
        Self::Page,
        Self::Place,
        Self::Saved,
        Self::Tombstone,
        Self::Read,
        Self::Vouched,
        Self::Quarantine,
        Self::Archive,
    ];

    /// First and last-but-one key of all rows of the kind.
    pub fn range(self) -> (Vec<u8>, Vec<u8>) {
        (vec![self as u8], vec![self as u8 + 1])
    }
}

/// The rows of one kind of one stream.
pub fn stream_prefix(prefix: Prefix, stream: &StreamId) -> Vec<u8> {
    [&[prefix as u8], stream.to_bytes().as_slice()].concat()
}

/// Key of a stream's record.
pub fn stream_key(stream: &StreamId) -> Vec<u8> {
    stream_prefix(Prefix::Stream, stream)
}

/// Key of a snapshot's root.
pub fn snapshot_key(stream: &StreamId) -> Vec<u8> {
    stream_prefix(Prefix::Snapshot, stream)
}

/// Key of the root of a snapshot that is not verified yet.
pub fn draft_key(stream: &StreamId) -> Vec<u8> {
    stream_prefix(Prefix::Draft, stream)
}

/// Key of a page.
pub fn page_key(stream: &StreamId, page: &PageId) -> Vec<u8> {
    [stream_prefix(Prefix::Page, stream).as_slice(), page.as_bytes()].concat()
}

/// Key of a segment of the archive by the arrival number behind its last entry.
pub fn archive_key(stream: &StreamId, end: u64) -> Vec<u8> {
    with_number(stream_prefix(Prefix::Archive, stream), end)
}

/// Key of a chain's place in a segment of the archive, by its last entry there.
pub fn place_key(stream: &StreamId, replica: &ReplicaId, last: u64) -> Vec<u8> {
    with_number(with_replica(Prefix::Place, stream, replica), last)
}

/// Key of a tombstone.
pub fn tombstone_key(stream: &StreamId) -> Vec<u8> {
    stream_prefix(Prefix::Tombstone, stream)
}

/// Key of a stream's quarantine.
pub fn quarantine_key(stream: &StreamId) -> Vec<u8> {
    stream_prefix(Prefix::Quarantine, stream)
}

/// Key of where the history of a stream begins.
pub fn history_key(stream: &StreamId) -> Vec<u8> {
    stream_prefix(Prefix::History, stream)
}

/// Key of a chain's tip.
pub fn tip_key(stream: &StreamId, replica: &ReplicaId) -> Vec<u8> {
    with_replica(Prefix::Tip, stream, replica)
}

/// Key of a signed head.
pub fn vouched_key(stream: &StreamId, replica: &ReplicaId) -> Vec<u8> {
    with_replica(Prefix::Vouched, stream, replica)
}

/// Key of a saved mark.
pub fn saved_key(stream: &StreamId, replica: &ReplicaId) -> Vec<u8> {
    with_replica(Prefix::Saved, stream, replica)
}

/// Key of a read marker.
pub fn read_key(stream: &StreamId, replica: &ReplicaId) -> Vec<u8> {
    with_replica(Prefix::Read, stream, replica)
}

/// Key of an entry by its arrival.
pub fn entry_key(stream: &StreamId, arrival: u64) -> Vec<u8> {
    with_number(stream_prefix(Prefix::Entry, stream), arrival)
}

/// Keys of the entries that arrived in `from..to`.
pub fn entry_range(stream: &StreamId, from: u64, to: u64) -> (Vec<u8>, Vec<u8>) {
    (entry_key(stream, from), entry_key(stream, to))
}

/// Key of an entry's arrival number.
pub fn index_key(stream: &StreamId, replica: &ReplicaId, seq: u64) -> Vec<u8> {
    with_number(with_replica(Prefix::Index, stream, replica), seq)
}

/// Key of a piece of a journal.
pub fn journal_key(stream: &StreamId, replica: &ReplicaId, piece: u64) -> Vec<u8> {
    with_number(with_replica(Prefix::Journal, stream, replica), piece)
}

/// The journal of one replica in one stream.
pub fn journal_stream(stream: &StreamId, replica: &ReplicaId) -> Vec<u8> {
    with_replica(Prefix::Journal, stream, replica)
}

/// Key of a piece of a fork.
pub fn fork_key(stream: &StreamId, replica: &ReplicaId, seq: u64) -> Vec<u8> {
    with_number(with_replica(Prefix::Fork, stream, replica), seq)
}

/// Key of a replica's secret.
pub fn replica_key(replica: &ReplicaId) -> Vec<u8> {
    [&[Prefix::Replica as u8], replica.as_bytes().as_slice()].concat()
}

/// The stream that a row belongs to; nothing where it belongs to the room.
pub fn stream_of(key: &[u8]) -> Option<StreamId> {
    let (_, rest) = key.split_first()?;
    take_stream(rest).map(|(stream, _)| stream)
}

/// Reverses [`stream_key`], [`tombstone_key`], [`snapshot_key`], [`draft_key`], [`history_key`] and [`quarantine_key`].
pub fn parse_stream_key(key: &[u8]) -> Option<StreamId> {
    let (stream, rest) = take_stream(key.get(1..)?)?;
    rest.is_empty().then_some(stream)
}

/// Reverses [`tip_key`].
pub fn parse_tip_key(key: &[u8]) -> Option<(StreamId, ReplicaId)> {
    let (stream, rest) = take_stream(key.get(1..)?)?;
    let (replica, rest) = take_replica(rest)?;
    rest.is_empty().then_some((stream, replica))
}

/// Reverses [`saved_key`].
pub fn parse_saved_key(key: &[u8]) -> Option<(StreamId, ReplicaId)> {
    parse_tip_key(key)
}

/// Reverses [`read_key`].
pub fn parse_read_key(key: &[u8]) -> Option<(StreamId, ReplicaId)> {
    parse_tip_key(key)
}

/// Reverses [`entry_key`].
pub fn parse_entry_key(key: &[u8]) -> Option<(StreamId, u64)> {
    let (stream, rest) = take_stream(key.get(1..)?)?;
    Some((stream, u64::from_be_bytes(rest.try_into().ok()?)))
}

/// Reverses [`archive_key`].
pub fn parse_archive_key(key: &[u8]) -> Option<(StreamId, u64)> {
    parse_entry_key(key)
}

/// Reverses [`index_key`].
pub fn parse_index_key(key: &[u8]) -> Option<(StreamId, ReplicaId, u64)> {
    parse_journal_key(key)
}

/// Reverses [`journal_key`].
pub fn parse_journal_key(key: &[u8]) -> Option<(StreamId, ReplicaId, u64)> {
    let (stream, rest) = take_stream(key.get(1..)?)?;
    let (replica, rest) = take_replica(rest)?;
    Some((stream, replica, u64::from_be_bytes(rest.try_into().ok()?)))
}

/// Reverses [`fork_key`].
pub fn parse_fork_key(key: &[u8]) -> Option<(StreamId, ReplicaId, u64)> {
    parse_journal_key(key)
}

/// Reverses [`replica_key`].
pub fn parse_replica_key(key: &[u8]) -> Option<ReplicaId> {
    let (replica, rest) = take_replica(key.get(1..)?)?;
    rest.is_empty().then_some(replica)
}

fn with_replica(prefix: Prefix, stream: &StreamId, replica: &ReplicaId) -> Vec<u8> {
    [stream_prefix(prefix, stream).as_slice(), replica.as_bytes()].concat()
}

fn with_number(mut key: Vec<u8>, number: u64) -> Vec<u8> {
    key.extend_from_slice(&number.to_be_bytes());
    key
}

fn take_stream(bytes: &[u8]) -> Option<(StreamId, &[u8])> {
    let (stream, rest) = bytes.split_first_chunk::<{ StreamId::LEN }>()?;
    Some((StreamId::from_bytes(stream).ok()?, rest))
}

fn take_replica(bytes: &[u8]) -> Option<(ReplicaId, &[u8])> {
    let (replica, rest) = bytes.split_first_chunk::<32>()?;
    Some((ReplicaId::from_bytes(*replica), rest))
}
