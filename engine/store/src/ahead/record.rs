//! How the write-ahead log lies in its files.
//!
//! ```text
//! file    "causeway write-ahead log, format 1\n" ‖ number of its first record (8) ‖ sum of the record before that (16) ‖ sum (16)
//!         records, then zeros
//! record  sum (16) ‖ length of body (4) ‖ number (8) ‖ synced (8) ‖ sum of the record before (16) ‖ body
//! body    length of the space's name (1) ‖ name ‖ changes, in the order in which they are made
//! change  1 ‖ length of key (2) ‖ length of value (4) ‖ key ‖ value      a row is written
//!         2 ‖ length of key (2) ‖ key                                    a row goes
//! ```
//!
//! Numbers are big endian. A sum is the first 16 bytes of BLAKE3 over all that follows it in the record, or over all that comes
//! before it in the head of a file. A record is one commit, and by its sum it is known wherever it lies; it also says how far
//! the log was *synced* when it was written, which is what tells an end that was never promised from one that was lost.

use crate::Space;
use crate::limits::{MAX_KEY_BYTES, MAX_VALUE_BYTES};
use crate::rows::layout::{SUM_BYTES, Sum};

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
    record[BEFORE..HEAD_BYTES].copy_from_slice(&stamp.before);
    let sum = sum_of(&record[SUM_BYTES..]);
    record[..SUM_BYTES].copy_from_slice(&sum);
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
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (length, stamp) = stamp_of(bytes)?;
        let record = bytes.get(..HEAD_BYTES.checked_add(length)?)?;
        let (sum, rest) = record.split_first_chunk::<SUM_BYTES>()?;
        if *sum != sum_of(rest) {
            return None;
        }
        let (space, changes) = decode_body(&record[HEAD_BYTES..])?;
        Some(Self { stamp, sum: *sum, space, changes, length: record.len() })
    }
}

/// What may be the head of a record: the length of its body and its stamp, which nothing vouches for yet.
pub(crate) fn stamp_of(bytes: &[u8]) -> Option<(usize, Stamp)> {
    let (length, rest) = bytes.get(LENGTH..)?.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    let (synced, rest) = rest.split_first_chunk()?;
    let (before, _) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let [number, synced] = [number, synced].map(|bytes| u64::from_be_bytes(*bytes));
    (length > 0).then_some((length, Stamp { number, synced, before: *before }))
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

/// The head of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileHead {
    /// The number of its first record.
    pub(crate) first: u64,
    /// The sum of the record before that; zeros where there is none.
    pub(crate) before: Sum,
}

impl FileHead {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = [OWNER, &self.first.to_be_bytes(), &self.before].concat();
        bytes.extend_from_slice(&sum_of(&bytes));
        bytes
    }

    /// `None` where it is not what was written.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, sum) = bytes.get(..FILE_HEAD_BYTES)?.split_last_chunk::<SUM_BYTES>()?;
        let (first, before) = head.strip_prefix(OWNER)?.split_first_chunk()?;
        let head = Self { first: u64::from_be_bytes(*first), before: before.try_into().ok()? };
        (*sum == sum_of(&bytes[..FILE_HEAD_BYTES - SUM_BYTES])).then_some(head)
    }
}

fn sum_of(bytes: &[u8]) -> Sum {
    *blake3::hash(bytes).as_bytes().first_chunk().expect("a BLAKE3 hash has 32 bytes")
}

const OWNER: &[u8] = b"causeway write-ahead log, format 1\n";
/// Bytes of the head of a file.
pub(crate) const FILE_HEAD_BYTES: usize = OWNER.len() + 8 + 2 * SUM_BYTES;

const LENGTH: usize = SUM_BYTES;
const NUMBER: usize = LENGTH + 4;
const SYNCED: usize = NUMBER + 8;
const BEFORE: usize = SYNCED + 8;
/// Bytes of a record before its body.
pub(crate) const HEAD_BYTES: usize = BEFORE + SUM_BYTES;

const PUT: u8 = 1;
const DELETE: u8 = 2;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop};
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn room() -> Space {
        Space::new("room").unwrap()
    }

    fn sample() -> Vec<u8> {
        let mut bytes = Vec::new();
        let stamp = Stamp { number: 258, synced: 257, before: [9; 16] };
        let changes: [Change<'_>; 2] = [(b"k", Some(b"value")), (b"gone", None)];
        encode(stamp, &room(), changes.into_iter(), &mut bytes).unwrap();
        bytes
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_layout_on_disk_stays_as_it_is() {
        assert_eq!(hex(&sample()), RECORD);
        assert_eq!(hex(&FileHead { first: 259, before: [7; 16] }.encode()), FILE);
    }

    const RECORD: &str = "24d48432c12c5e97c2619e22f36a115800000019000000000000010200000000000001010909090909090909090909090909090904726f6f6d01000100\
         0000056b76616c7565020004676f6e65";
    const FILE: &str = "63617573657761792077726974652d6168656164206c6f672c20666f726d617420310a000000000000010307070707070707070707070707070707d29256\
         a9803540fc36e652ee43ad68eb";

    #[test]
    fn any_flipped_bit_and_any_cut_is_noticed() {
        let (record, file) = (sample(), FileHead { first: 259, before: [7; 16] }.encode());
        assert_eq!(
            Record::read(&record).unwrap().changes,
            [(&b"k"[..], Some(&b"value"[..])), (b"gone", None)]
        );
        for (bytes, reads) in [
            (record, (|bytes| Record::read(bytes).is_some()) as fn(&[u8]) -> bool),
            (file, |bytes| FileHead::decode(bytes).is_some()),
        ] {
            assert!(reads(&bytes) && (0..bytes.len()).all(|end| !reads(&bytes[..end])));
            for bit in 0..bytes.len() * 8 {
                let mut bent = bytes.clone();
                bent[bit / 8] ^= 1 << (bit % 8);
                assert!(!reads(&bent), "bit {bit} passed");
            }
        }
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
            let sum = encode(stamp, &space, changes.iter().copied(), &mut bytes).unwrap();
            let length = bytes.len();
            bytes.extend(behind);
            prop_assert_eq!(Record::read(&bytes), Some(Record { stamp, sum, space, changes, length }));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..300)) {
            prop_assert!(Record::read(&bytes).is_none());
            prop_assert!(FileHead::decode(&bytes).is_none());
            let _ = decode_body(&bytes);
        }
    }
}
