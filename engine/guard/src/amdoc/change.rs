//! One change, up to its operations.

use sha2::{Digest, Sha256};

use super::limits::{ACTOR_BYTES, COUNTER_MAX, Limits};
use crate::cursor::Cursor;
use crate::fault::{Counted, Fault, Unsupported};

/// A change whose frame, checksum and head have been read.
pub(super) struct Change<'a> {
    pub(super) payload: &'a [u8],
    /// First byte behind the change.
    pub(super) end: usize,
    pub(super) hash: [u8; 32],
    /// Hashes of the changes it builds on, ascending, 32 bytes each.
    pub(super) dependencies: &'a [u8],
    pub(super) actor: &'a [u8],
    pub(super) seq: u32,
    /// The counter of its first operation.
    pub(super) start: u32,
    /// The other actors it names, ascending.
    pub(super) others: Vec<&'a [u8]>,
    pub(super) columns: [(usize, usize); COLUMNS],
}

/// The columns of a change, in the order in which they stand.
#[derive(Clone, Copy)]
#[repr(usize)]
pub(super) enum Column {
    ObjectActor,
    ObjectCounter,
    KeyActor,
    KeyCounter,
    KeyString,
    Insert,
    Action,
    ValueKind,
    ValueBytes,
    Predecessors,
    PredecessorActor,
    PredecessorCounter,
}

const COLUMNS: usize = 12;

/// How a column is named in a change: its number, and the type of what it holds in the low three bits. The fourth bit
/// says that it is compressed.
const SPECS: [u32; COLUMNS] = [0x01, 0x02, 0x11, 0x13, 0x15, 0x34, 0x42, 0x56, 0x57, 0x70, 0x71, 0x73];

impl<'a> Change<'a> {
    pub(super) fn read(payload: &'a [u8], start: usize, limits: &Limits) -> Result<Self, Fault> {
        let mut frame = Cursor::part(payload, start, payload.len());
        if frame.take(MAGIC.len())? != MAGIC {
            return Err(Fault::Malformed { at: start });
        }
        let checksum = frame.take(4)?;
        let hashed_from = frame.at();
        if frame.byte()? != PLAIN_CHANGE {
            return Err(Fault::Unsupported { what: Unsupported::NotAPlainChange, at: hashed_from });
        }
        let length = frame.count(1)? as usize;
        let end = frame.at() + length;
        let hash: [u8; 32] = Sha256::digest(&payload[hashed_from..end]).into();
        if hash[..4] != *checksum {
            return Err(Fault::Checksum { at: start });
        }
        Self::body(payload, (frame.at(), end), hash, limits)
    }

    /// The actor behind a number of this change: zero is the author.
    pub(super) fn name_of(&self, actor: usize) -> &'a [u8] {
        actor.checked_sub(1).map_or(self.actor, |other| self.others[other])
    }

    fn body(
        payload: &'a [u8],
        (start, end): (usize, usize),
        hash: [u8; 32],
        limits: &Limits,
    ) -> Result<Self, Fault> {
        let mut cursor = Cursor::part(payload, start, end);
        let dependencies = dependencies(&mut cursor, limits)?;
        let actor = actor(&mut cursor)?;
        let seq = number(&mut cursor)?;
        let first = number(&mut cursor)?;
        cursor.leb()?;
        let message = cursor.string()?;
        if message.len() > limits.message {
            return Err(Fault::TooLarge { size: message.len(), limit: limits.message });
        }
        let others = others(&mut cursor, actor, limits)?;
        let columns = columns(&mut cursor, end)?;
        Ok(Change { payload, end, hash, dependencies, actor, seq, start: first, others, columns })
    }
}

fn dependencies<'a>(cursor: &mut Cursor<'a>, limits: &Limits) -> Result<&'a [u8], Fault> {
    let count = cursor.count(HASH)?;
    if count > limits.dependencies {
        return Err(Fault::TooMany { what: Counted::Dependencies, limit: limits.dependencies });
    }
    let at = cursor.at();
    let hashes = cursor.take(count as usize * HASH)?;
    let ascending = hashes.chunks(HASH).zip(hashes.chunks(HASH).skip(1)).all(|(one, next)| one < next);
    if ascending { Ok(hashes) } else { Err(Fault::Unordered { at }) }
}

fn actor<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Fault> {
    let at = cursor.at();
    let actor = cursor.buffer()?;
    match actor.len() {
        0 => Err(Fault::Empty { at }),
        1..=ACTOR_BYTES => Ok(actor),
        size => Err(Fault::TooLarge { size, limit: ACTOR_BYTES }),
    }
}

/// A number that counts from one.
fn number(cursor: &mut Cursor<'_>) -> Result<u32, Fault> {
    let at = cursor.at();
    match cursor.u64()? {
        0 => Err(Fault::Empty { at }),
        number if number <= COUNTER_MAX => Ok(number as u32),
        _ => Err(Fault::Clock { at }),
    }
}

fn others<'a>(cursor: &mut Cursor<'a>, own: &[u8], limits: &Limits) -> Result<Vec<&'a [u8]>, Fault> {
    let count = cursor.count(2)?;
    if count > limits.actors {
        return Err(Fault::TooMany { what: Counted::Actors, limit: limits.actors });
    }
    let mut others: Vec<&[u8]> = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let at = cursor.at();
        let other = actor(cursor)?;
        if other == own || others.last().is_some_and(|last| *last >= other) {
            return Err(Fault::Unordered { at });
        }
        others.push(other);
    }
    Ok(others)
}

/// Where each column lies; an absent one lies nowhere. The columns fill the change to its end.
fn columns(cursor: &mut Cursor<'_>, end: usize) -> Result<[(usize, usize); COLUMNS], Fault> {
    let count = cursor.count(2)?;
    let mut lengths = [0; COLUMNS];
    let mut known = 0..COLUMNS;
    for _ in 0..count {
        let at = cursor.at();
        let spec = cursor.u32()?;
        let column = known.find(|column| SPECS[*column] == spec);
        let column = column.ok_or(Fault::Unsupported { what: Unsupported::Column, at })?;
        lengths[column] = cursor.u64()?;
        if lengths[column] == 0 {
            return Err(Fault::Empty { at });
        }
    }
    let mut ranges = [(0, 0); COLUMNS];
    let mut at = cursor.at();
    for (range, length) in ranges.iter_mut().zip(lengths) {
        let room = (end - at) as u64;
        if length > room {
            return Err(Fault::Truncated { at });
        }
        *range = (at, at + length as usize);
        at = range.1;
    }
    if at < end {
        return Err(Fault::Unsupported { what: Unsupported::ExtraBytes, at });
    }
    Ok(ranges)
}

const MAGIC: [u8; 4] = [0x85, 0x6F, 0x4A, 0x83];
const PLAIN_CHANGE: u8 = 1;
pub(super) const HASH: usize = 32;
