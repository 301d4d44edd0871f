//! How the write-ahead log lies in its files.
//!
//! ```text
//! file    head, and once more from byte 512 on; from byte 1024 on records, then zeros
//! head    "causeway write-ahead log, format 1\n" ‖ number of its first record (8) ‖ sum of the record before that (16) ‖ key (32)
//!         ‖ sum (16)
//! record  check (8) ‖ length of body (4) ‖ number (8) ‖ synced (8) ‖ sum of the record before (16) ‖ sum (16) ‖ body
//! body    length of the space's name (1) ‖ name ‖ changes, in the order in which they are made
//! change  1 ‖ length of key (2) ‖ length of value (4) ‖ key ‖ value      a row is written
//!         2 ‖ length of key (2) ‖ key                                    a row goes
//! ```
//!
//! Numbers are big endian. A sum is the first 16 bytes of BLAKE3 over all else of the record but the check, which is the first 8
//! over the rest of its head; both are keyed with the key of the file, which is chance and leaves it never, so that nothing
//! that somebody wrote to a room passes for a record. The sum of a file's head is not keyed. A record is one commit, and is known by
//! its sum wherever it lies; it also says how far the log was *synced* when it was written, which is what tells an end that was
//! never promised from one that was lost.

use std::hash::{BuildHasher, RandomState};

use crate::Space;
use crate::limits::{MAX_KEY_BYTES, MAX_VALUE_BYTES};
use crate::rows::layout::{self, SUM_BYTES, Sum};

/// A change of one row: its key, and its value or nothing where it goes.
pub(crate) type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// What a record says besides its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Counts the commits of a store, from one.
    pub(crate) number: u64,
    /// The number up to which all was on the disk when this was written.
    pub(crate) synced: u64,
    /// The sum of the record before.
    pub(crate) before: Sum,
}

/// A record that is what was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) stamp: Stamp,
    pub(crate) sum: Sum,
    pub(crate) space: Space,
    pub(crate) changes: Vec<Change<'a>>,
    /// Bytes of it.
    pub(crate) length: usize,
}

/// Appends a record to `into` and answers its sum; nothing, and nothing is appended, where it would be too long for its length
/// to be written down.
pub(crate) fn encode<'a>(
    key: &Key,
    stamp: Stamp,
    space: &Space,
    changes: impl Iterator<Item = Change<'a>>,
    into: &mut Vec<u8>,
) -> Option<Sum> {
    let at = into.len();
    into.resize(at + HEAD_BYTES, 0);
    let name = space.as_bytes();
    into.push(u8::try_from(name.len()).expect("a space's name is at most 128 bytes"));
    into.extend_from_slice(name);
    for (key, value) in changes {
        encode_change(key, value, into);
    }
    let Ok(length) = u32::try_from(into.len() - at - HEAD_BYTES) else {
        into.truncate(at);
        return None;
    };
    let record = &mut into[at..];
    record[LENGTH..NUMBER].copy_from_slice(&length.to_be_bytes());
    record[NUMBER..SYNCED].copy_from_slice(&stamp.number.to_be_bytes());
    record[SYNCED..BEFORE].copy_from_slice(&stamp.synced.to_be_bytes());
    record[BEFORE..SUM].copy_from_slice(&stamp.before);
    let sum = sum_of(key, &[&record[LENGTH..SUM], &record[HEAD_BYTES..]]);
    record[SUM..HEAD_BYTES].copy_from_slice(&sum);
    let check = check_of(key, record);
    record[..LENGTH].copy_from_slice(&check);
    Some(sum)
}

fn encode_change(key: &[u8], value: Option<&[u8]>, into: &mut Vec<u8>) {
    let length = u16::try_from(key.len()).expect("a key is at most a KiB");
    into.push(if value.is_some() { PUT } else { DELETE });
    into.extend_from_slice(&length.to_be_bytes());
    if let Some(value) = value {
        let length = u32::try_from(value.len()).expect("a value is at most 64 MiB");
        into.extend_from_slice(&length.to_be_bytes());
    }
    into.extend_from_slice(key);
    into.extend_from_slice(value.unwrap_or_default());
}

impl<'a> Record<'a> {
    /// The record at the beginning of these bytes; nothing where there is none, or it is not what was written.
    pub(crate) fn read(key: &Key, bytes: &'a [u8]) -> Option<Self> {
        let head = bytes.get(..HEAD_BYTES)?;
        // Few bytes vouch for how many follow, or whoever looks for a record everywhere would sum up everything.
        if head[..LENGTH] != check_of(key, head) {
            return None;
        }
        let (length, rest) = head[LENGTH..].split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (synced, rest) = rest.split_first_chunk()?;
        let (before, sum) = rest.split_first_chunk()?;
        let length = HEAD_BYTES.checked_add(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let record = bytes.get(..length)?;
        let found = sum_of(key, &[&record[LENGTH..SUM], &record[HEAD_BYTES..]]);
        if *sum != found {
            return None;
        }
        let [number, synced] = [number, synced].map(|bytes| u64::from_be_bytes(*bytes));
        let (space, changes) = decode_body(&record[HEAD_BYTES..])?;
        let stamp = Stamp { number, synced, before: *before };
        Some(Self { stamp, sum: found, space, changes, length })
    }
}

/// The length of the body and the number, of what may be the head of a record: nothing vouches for them.
pub(crate) fn glance(bytes: &[u8]) -> Option<(usize, u64)> {
    let (length, rest) = bytes.get(LENGTH..)?.split_first_chunk()?;
    let (number, _) = rest.split_first_chunk()?;
    Some((usize::try_from(u32::from_be_bytes(*length)).ok()?, u64::from_be_bytes(*number)))
}

fn decode_body(body: &[u8]) -> Option<(Space, Vec<Change<'_>>)> {
    let (&length, rest) = body.split_first()?;
    let (name, mut rest) = rest.split_at_checked(usize::from(length))?;
    let space = Space::new(name).ok()?;
    let mut changes = Vec::new();
    while !rest.is_empty() {
        changes.push(decode_change(&mut rest)?);
    }
    Some((space, changes))
}

fn decode_change<'a>(bytes: &mut &'a [u8]) -> Option<Change<'a>> {
    let (&kind, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    let key_length = usize::from(u16::from_be_bytes(*length));
    let (value_length, rest) = match kind {
        PUT => {
            let (length, rest) = rest.split_first_chunk()?;
            (Some(usize::try_from(u32::from_be_bytes(*length)).ok()?), rest)
        }
        DELETE => (None, rest),
        _ => return None,
    };
    if key_length > MAX_KEY_BYTES || value_length.unwrap_or_default() > MAX_VALUE_BYTES {
        return None;
    }
    let (key, rest) = rest.split_at_checked(key_length)?;
    let (value, rest) = rest.split_at_checked(value_length.unwrap_or_default())?;
    *bytes = rest;
    Some((key, value_length.map(|_| value)))
}

/// What the sums of a file's records are keyed with.
pub(crate) type Key = [u8; 32];

/// The head of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileHead {
    /// The number of its first record.
    pub(crate) first: u64,
    /// The sum of the record before that; zeros where there is none.
    pub(crate) before: Sum,
    pub(crate) key: Key,
}

impl FileHead {
    /// Twice, each within a sector of its own: without its key nothing of a file could be told from chance.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.encode_one();
        bytes.resize(HEAD_EVERY, 0);
        bytes.extend(self.encode_one());
        bytes.resize(FILE_HEAD_BYTES, 0);
        bytes
    }

    /// `None` where neither is what was written.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        Self::decode_one(bytes).or_else(|| Self::decode_one(bytes.get(HEAD_EVERY..)?))
    }

    fn encode_one(&self) -> Vec<u8> {
        let mut bytes = [OWNER, &self.first.to_be_bytes(), &self.before, &self.key].concat();
        bytes.extend_from_slice(&layout::sum(&[&bytes]));
        bytes
    }

    fn decode_one(bytes: &[u8]) -> Option<Self> {
        let (head, sum) = bytes.get(..ONE_HEAD_BYTES)?.split_last_chunk::<SUM_BYTES>()?;
        let (first, rest) = head.strip_prefix(OWNER)?.split_first_chunk()?;
        let (before, key) = rest.split_first_chunk()?;
        let decoded = Self { first: u64::from_be_bytes(*first), before: *before, key: key.try_into().ok()? };
        (*sum == layout::sum(&[head])).then_some(decoded)
    }
}

/// A key that nobody else has: what the standard library keeps its own tables with.
pub(crate) fn fresh_key() -> Key {
    let mut key = Key::default();
    for part in key.chunks_mut(8) {
        part.copy_from_slice(&RandomState::new().hash_one(0_u8).to_be_bytes());
    }
    key
}

fn sum_of(key: &Key, parts: &[&[u8]]) -> Sum {
    let mut hasher = blake3::Hasher::new_keyed(key);
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes().first_chunk().expect("a BLAKE3 hash has 32 bytes")
}

fn check_of(key: &Key, record: &[u8]) -> [u8; LENGTH] {
    let hash = blake3::keyed_hash(key, &record[LENGTH..HEAD_BYTES]);
    *hash.as_bytes().first_chunk().expect("a BLAKE3 hash has 32 bytes")
}

const OWNER: &[u8] = b"causeway write-ahead log, format 1\n";
const ONE_HEAD_BYTES: usize = OWNER.len() + 8 + SUM_BYTES + 32 + SUM_BYTES;
/// What a disk writes whole or not at all.
const HEAD_EVERY: usize = 512;
/// Bytes of both heads of a file.
pub(crate) const FILE_HEAD_BYTES: usize = 2 * HEAD_EVERY;

const LENGTH: usize = 8;
const NUMBER: usize = LENGTH + 4;
const SYNCED: usize = NUMBER + 8;
const BEFORE: usize = SYNCED + 8;
const SUM: usize = BEFORE + SUM_BYTES;
/// Bytes of a record before its body.
pub(crate) const HEAD_BYTES: usize = SUM + SUM_BYTES;

const PUT: u8 = 1;
const DELETE: u8 = 2;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop};
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    const KEY: Key = [3; 32];

    fn room() -> Space {
        Space::new("room").unwrap()
    }

    fn sample() -> Vec<u8> {
        let mut bytes = Vec::new();
        let stamp = Stamp { number: 258, synced: 257, before: [9; 16] };
        let changes: [Change<'_>; 2] = [(b"k", Some(b"value")), (b"gone", None)];
        encode(&KEY, stamp, &room(), changes.into_iter(), &mut bytes).unwrap();
        bytes
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_layout_on_disk_stays_as_it_is() {
        assert_eq!(hex(&sample()), RECORD);
        assert_eq!(hex(&FileHead { first: 259, before: [7; 16], key: KEY }.encode_one()), FILE);
    }

    const RECORD: &str = "fd7588e42b100479000000190000000000000102000000000000010109090909090909090909090909090909b58882ea91b4f2faa4246aff3e1639f3\
         04726f6f6d010001000000056b76616c7565020004676f6e65";
    const FILE: &str = "63617573657761792077726974652d6168656164206c6f672c20666f726d617420310a0000000000000103070707070707070707070707070707070303\
         030303030303030303030303030303030303030303030303030303030303784626cd4f50d787a59b0a454a18110e";

    #[test]
    fn any_flipped_bit_and_any_cut_is_noticed() {
        let (record, file) = (sample(), FileHead { first: 259, before: [7; 16], key: KEY }.encode_one());
        assert_eq!(
            Record::read(&KEY, &record).unwrap().changes,
            [(&b"k"[..], Some(&b"value"[..])), (b"gone", None)]
        );
        for (bytes, reads) in [
            (record, (|bytes| Record::read(&KEY, bytes).is_some()) as fn(&[u8]) -> bool),
            (file, |bytes| FileHead::decode_one(bytes).is_some()),
        ] {
            assert!(reads(&bytes) && (0..bytes.len()).all(|end| !reads(&bytes[..end])));
            for bit in 0..bytes.len() * 8 {
                let mut bent = bytes.clone();
                bent[bit / 8] ^= 1 << (bit % 8);
                assert!(!reads(&bent), "bit {bit} passed");
            }
        }
    }

    #[test]
    fn a_file_has_its_head_twice() {
        let head = FileHead { first: 7, before: [1; 16], key: KEY };
        for bent in [0, HEAD_EVERY] {
            let mut bytes = head.encode();
            bytes[bent..bent + 100].fill(0);
            assert_eq!(FileHead::decode(&bytes), Some(head));
            bytes.fill(0);
            assert_eq!(FileHead::decode(&bytes), None);
        }
    }

    #[test]
    fn a_record_of_another_key_is_none() {
        let record = sample();
        assert!(Record::read(&KEY, &record).is_some() && Record::read(&[4; 32], &record).is_none());
        assert_ne!(fresh_key(), fresh_key());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_whatever_follows(
            number in any::<u64>(),
            synced in any::<u64>(),
            before in any::<Sum>(),
            name in vec(any::<u8>(), 0..128),
            changes in vec((vec(any::<u8>(), 0..40), prop::option::of(vec(any::<u8>(), 0..5000))), 0..6),
            behind in vec(any::<u8>(), 0..80),
        ) {
            let (stamp, space) = (Stamp { number, synced, before }, Space::new(name).unwrap());
            let changes: Vec<Change<'_>> =
                changes.iter().map(|(key, value)| (&key[..], value.as_deref())).collect();
            let mut bytes = Vec::new();
            let sum = encode(&KEY, stamp, &space, changes.iter().copied(), &mut bytes).unwrap();
            let length = bytes.len();
            bytes.extend(behind);
            prop_assert_eq!(Record::read(&KEY, &bytes), Some(Record { stamp, sum, space, changes, length }));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..300)) {
            prop_assert!(Record::read(&KEY, &bytes).is_none());
            prop_assert!(FileHead::decode(&bytes).is_none());
            let _ = decode_body(&bytes);
        }
    }
}
