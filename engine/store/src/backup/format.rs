//! How a backup lies in a file.
//!
//! ```text
//! file     "causeway backup, format 1\n", records
//! record   kind (1) ‖ length of body (4) ‖ body ‖ sum (16)
//!
//! b        when it was made, in milliseconds of the wall clock (8)
//! r        name of a space; its changes follow, in the order in which they are to be made
//! p        changes
//! z        length (4) ‖ changes, deflated
//! e        the space ends: rows written (8) ‖ rows that could not be read (8)
//! g        spaces that could not be listed lie behind one and before another: length (1) ‖ name ‖ length (1) ‖ name; of length
//!          0 at the beginning and the end of all
//! t        the end: rooms of which something is here (8) ‖ rows (8) ‖ rows that could not be read (8) ‖ bytes of keys and values (8)
//! x        it was broken off: a sentence
//!
//! changes  1 ‖ length of key (2) ‖ length of value (4) ‖ key ‖ value      a row is written
//!          2 ‖ length of key (2) ‖ key                                    a row goes
//!          3 ‖ length (2) ‖ prefix                                        all rows go whose keys begin so
//!          4 ‖ length of key (2) ‖ key                                    a row that could not be read
//!          5 ‖ 0 (2)                                                      the space could not be read: none of it is here
//! ```
//!
//! Numbers are big endian. A sum is the first 16 bytes of BLAKE3 over the sum before it and the record, so that a record
//! that is changed, missing or in another place shows at once; the first goes on from the sum of the first line.

use super::Gap;
use crate::Space;
use crate::limits::{BACKUP_BLOCK_BYTES, MAX_KEY_BYTES, MAX_VALUE_BYTES};
use crate::rows::layout::{self, Sum};

/// The first line, up to the number.
pub(super) const OWNER: &str = "causeway backup, format ";
/// The only format there is.
pub(super) const FORMAT: u32 = 1;

/// The whole first line.
pub(super) fn first_line() -> String {
    format!("{OWNER}{FORMAT}\n")
}

/// The kinds of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Beginning = b'b',
    Room = b'r',
    Plain = b'p',
    Deflated = b'z',
    RoomEnd = b'e',
    Gap = b'g',
    End = b't',
    BrokenOff = b'x',
}

impl Kind {
    pub(super) fn of(byte: u8) -> Option<Self> {
        let all = [
            Self::Beginning,
            Self::Room,
            Self::Plain,
            Self::Deflated,
            Self::RoomEnd,
            Self::Gap,
            Self::End,
            Self::BrokenOff,
        ];
        all.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// Bytes of a record before its body.
pub(super) const HEAD_BYTES: usize = 1 + 4;
/// Bytes of changes that one record may hold: a block that was not full yet, and the longest row.
pub(super) const MOST_CHANGES: usize = BACKUP_BLOCK_BYTES + 1 + 2 + 4 + MAX_KEY_BYTES + MAX_VALUE_BYTES;
/// Bytes of any body: deflating may add a little.
pub(super) const MOST_BODY: usize = MOST_CHANGES + MOST_CHANGES / 64 + 1024;

pub(super) fn encode_gap(gap: &Gap) -> Vec<u8> {
    let mut body = Vec::new();
    for space in [&gap.behind, &gap.before] {
        let name = space.as_ref().map_or(&[][..], Space::as_bytes);
        body.push(u8::try_from(name.len()).expect("a space's name is at most 128 bytes"));
        body.extend_from_slice(name);
    }
    body
}

pub(super) fn decode_gap(body: &[u8]) -> Option<Gap> {
    let (behind, rest) = take_name(body)?;
    let (before, rest) = take_name(rest)?;
    rest.is_empty().then_some(Gap { behind, before })
}

fn take_name(bytes: &[u8]) -> Option<(Option<Space>, &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(length))?;
    Some((if length == 0 { None } else { Some(Space::new(name).ok()?) }, rest))
}

/// The sum of a record.
pub(super) fn sum_after(before: &Sum, kind: u8, body: &[u8]) -> Sum {
    let length = u32::try_from(body.len()).expect("a body is bounded far below 4 GiB");
    layout::sum(&[before, &[kind], &length.to_be_bytes(), body])
}

/// The sum that the first record goes on from.
pub(super) fn first_sum() -> Sum {
    layout::sum(&[first_line().as_bytes()])
}

/// One step of what makes a space of nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A row is written.
    Put(Vec<u8>, Vec<u8>),
    /// A row goes.
    Delete(Vec<u8>),
    /// All rows go whose keys begin so.
    Clear(Vec<u8>),
    /// There was a row under this key that could not be read.
    Lost(Vec<u8>),
    /// All of the space could not be read: what came before is none of it.
    LeftOut,
}

const PUT: u8 = 1;
const DELETE: u8 = 2;
const CLEAR: u8 = 3;
const LOST: u8 = 4;
const LEFT_OUT: u8 = 5;

impl Change {
    pub(super) fn encode(&self, into: &mut Vec<u8>) {
        let (kind, key, value) = match self {
            Self::Put(key, value) => (PUT, key, Some(value)),
            Self::Delete(key) => (DELETE, key, None),
            Self::Clear(prefix) => (CLEAR, prefix, None),
            Self::Lost(key) => (LOST, key, None),
            Self::LeftOut => (LEFT_OUT, &Vec::new(), None),
        };
        let length = u16::try_from(key.len()).expect("a key is at most a KiB");
        into.push(kind);
        into.extend_from_slice(&length.to_be_bytes());
        if let Some(value) = value {
            let length = u32::try_from(value.len()).expect("a value is at most 64 MiB");
            into.extend_from_slice(&length.to_be_bytes());
        }
        into.extend_from_slice(key);
        into.extend_from_slice(value.map_or(&[], Vec::as_slice));
    }

    /// Takes the first change off `bytes`; nothing where they are none, or beyond the bounds of a store.
    pub(super) fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let (&[kind], rest) = bytes.split_first_chunk::<1>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let key_length = usize::from(u16::from_be_bytes(*length));
        let (value_length, rest) = match kind {
            PUT => {
                let (length, rest) = rest.split_first_chunk::<4>()?;
                (usize::try_from(u32::from_be_bytes(*length)).ok()?, rest)
            }
            _ => (0, rest),
        };
        if key_length > MAX_KEY_BYTES || value_length > MAX_VALUE_BYTES {
            return None;
        }
        let (key, rest) = rest.split_at_checked(key_length)?;
        let (value, rest) = rest.split_at_checked(value_length)?;
        *bytes = rest;
        let key = key.to_vec();
        match kind {
            PUT => Some(Self::Put(key, value.to_vec())),
            DELETE => Some(Self::Delete(key)),
            CLEAR => Some(Self::Clear(key)),
            LOST => Some(Self::Lost(key)),
            LEFT_OUT if key.is_empty() => Some(Self::LeftOut),
            _ => None,
        }
    }
}

/// Numbers one after the other.
pub(super) fn numbers<const N: usize>(numbers: [u64; N]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Reverses [`numbers`].
pub(super) fn read_numbers<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let chunks: &[[u8; 8]; N] = chunks.try_into().ok()?;
    rest.is_empty().then(|| chunks.map(u64::from_be_bytes))
}
