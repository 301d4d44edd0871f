//! How a row of ours lies in the one tree of an embedded database.
//!
//! ```text
//! ledger 00                                    →  see `ledger`
//! row    01 ‖ length of space ‖ space ‖ key      →  sum (16) ‖ 00 ‖ value
//!                                                or  sum (16) ‖ 01 ‖ id (8) ‖ length (8) ‖ sum of value (16)
//! piece  02 ‖ id (8) ‖ index (4)                 →  a piece of a long value
//! ```
//!
//! Numbers are big endian. A sum is the first 16 bytes of BLAKE3; that of a row covers its key and all that follows, so
//! neither a flipped bit nor a value under the wrong key passes, and no damaged row can name pieces of another.

use crate::Space;
use crate::limits::{INLINE_VALUE_BYTES, MAX_VALUE_BYTES};

/// The tree key of the last batch's number.
pub(crate) const NUMBER_KEY: &[u8] = &[0];
const ROW: u8 = 1;
const PIECE: u8 = 2;

const INLINE: u8 = 0;
const LONG: u8 = 1;

pub(crate) const SUM_BYTES: usize = 16;
pub(crate) type Sum = [u8; SUM_BYTES];
const LONG_BYTES: usize = 8 + 8 + SUM_BYTES;

/// Where a key of a space lies in the tree.
pub(crate) fn key(space: &Space, key: &[u8]) -> Vec<u8> {
    let mut tree_key = prefix(space);
    tree_key.extend_from_slice(key);
    tree_key
}

/// The caller's key in a tree key of this space.
pub(crate) fn key_in_space<'a>(space: &Space, tree_key: &'a [u8]) -> &'a [u8] {
    &tree_key[2 + space.as_bytes().len()..]
}

/// The caller's key in the tree key of a row.
pub(crate) fn key_of(tree_key: &[u8]) -> &[u8] {
    let length = tree_key.get(1).map_or(0, |length| usize::from(*length));
    tree_key.get(2 + length..).unwrap_or_default()
}

/// The space that a tree key belongs to; `None` where it is no row.
pub(crate) fn space_of(tree_key: &[u8]) -> Option<Space> {
    let (&kind, rest) = tree_key.split_first()?;
    let (&length, rest) = rest.split_first()?;
    (kind == ROW).then_some(())?;
    Space::new(rest.get(..usize::from(length))?).ok()
}

/// The first tree key of any row.
pub(crate) fn first_key() -> Vec<u8> {
    vec![ROW]
}

/// The tree key at which all rows have ended.
pub(crate) fn end_of_rows() -> Vec<u8> {
    vec![PIECE]
}

/// The first tree key behind every key of a space.
pub(crate) fn key_behind(space: &Space) -> Vec<u8> {
    behind(prefix(space))
}

/// The first key behind every key that begins with this row prefix.
pub(crate) fn behind(mut prefix: Vec<u8>) -> Vec<u8> {
    while prefix.last() == Some(&u8::MAX) {
        prefix.pop();
    }
    // The first byte of a row's tree key is `ROW`, so something below 0xff is left.
    *prefix.last_mut().expect("a row's tree key begins with its kind") += 1;
    prefix
}

/// The number that the next long value may use, given the last key of the tree.
pub(crate) fn next_long(last_key: Option<&[u8]>) -> u64 {
    match last_key {
        Some([PIECE, id @ ..]) => {
            let id = id.first_chunk().map_or(0, |id| u64::from_be_bytes(*id));
            id.saturating_add(1)
        }
        Some(_) | None => 0,
    }
}

fn prefix(space: &Space) -> Vec<u8> {
    let name = space.as_bytes();
    let length = u8::try_from(name.len()).expect("a space's name is at most 128 bytes");
    let mut prefix = Vec::with_capacity(2 + name.len());
    prefix.extend_from_slice(&[ROW, length]);
    prefix.extend_from_slice(name);
    prefix
}

pub(crate) fn sum(parts: &[&[u8]]) -> Sum {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    *hasher.finalize().as_bytes().first_chunk().expect("a BLAKE3 hash has 32 bytes")
}

/// The sum that a row begins with, and by which it is known from every other: it covers key and value.
pub(crate) fn sum_of_row(raw: &[u8]) -> Sum {
    raw.first_chunk().copied().unwrap_or_default()
}

/// Whether a tree key is that of a row, and not of a piece or of the store's own.
pub(crate) fn is_row(tree_key: &[u8]) -> bool {
    tree_key.first() == Some(&ROW)
}

/// Whether a tree key is that of a piece.
pub(crate) fn is_piece(tree_key: &[u8]) -> bool {
    tree_key.first() == Some(&PIECE) && tree_key.len() == 1 + 8 + 4
}

/// A value as it is written: one row, and the pieces it is cut into where it is long.
pub(crate) struct Written {
    pub(crate) row: Vec<u8>,
    pub(crate) pieces: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Encodes a value for this tree key; `long_id` hands out a fresh number if the value is long.
pub(crate) fn encode(tree_key: &[u8], value: &[u8], long_id: impl FnOnce() -> u64) -> Written {
    if value.len() <= INLINE_VALUE_BYTES {
        return Written { row: seal(tree_key, INLINE, value), pieces: Vec::new() };
    }
    let long = Long { id: long_id(), length: value.len(), sum: sum(&[value]) };
    let pieces = long.piece_keys().zip(value.chunks(INLINE_VALUE_BYTES).map(<[u8]>::to_vec)).collect();
    Written { row: seal(tree_key, LONG, &long.encode()), pieces }
}

fn seal(tree_key: &[u8], kind: u8, body: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(SUM_BYTES + 1 + body.len());
    row.extend_from_slice(&sum(&[tree_key, &[kind], body]));
    row.push(kind);
    row.extend_from_slice(body);
    row
}

/// Encodes a few bytes of a store's own for this key.
pub(crate) fn encode_own(key: &[u8], body: &[u8]) -> Vec<u8> {
    seal(key, INLINE, body)
}

/// Encodes a number for this key.
pub(crate) fn encode_number(key: &[u8], number: u64) -> Vec<u8> {
    encode_own(key, &number.to_be_bytes())
}

/// Reads a number; `None` where it is not what was written under this key.
pub(crate) fn decode_number(key: &[u8], raw: &[u8]) -> Option<u64> {
    match Stored::decode(key, raw)? {
        Stored::Inline(number) => number.try_into().ok().map(u64::from_be_bytes),
        Stored::Long(_) => None,
    }
}

/// A row whose sum was right.
pub(crate) enum Stored<'a> {
    /// The value lies in the row.
    Inline(&'a [u8]),
    /// The value lies in pieces.
    Long(Long),
}

impl<'a> Stored<'a> {
    /// Reads a row; `None` where it is not what was written under this key.
    pub(crate) fn decode(tree_key: &[u8], raw: &'a [u8]) -> Option<Self> {
        let (found, rest) = raw.split_first_chunk::<SUM_BYTES>()?;
        let (&kind, body) = rest.split_first()?;
        if *found != sum(&[tree_key, &[kind], body]) {
            return None;
        }
        match kind {
            INLINE => Some(Self::Inline(body)),
            LONG => Long::decode(body).map(Self::Long),
            _ => None,
        }
    }

    /// The length of the value, known without its pieces.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Inline(value) => value.len(),
            Self::Long(long) => long.length,
        }
    }

    /// The whole value; `None` where a piece is missing or is not what was written.
    pub(crate) fn assemble<B: AsRef<[u8]>, E>(
        &self,
        mut read: impl FnMut(&[u8]) -> Result<Option<B>, E>,
    ) -> Result<Option<Vec<u8>>, E> {
        let long = match self {
            Self::Inline(value) => return Ok(Some(value.to_vec())),
            Self::Long(long) => long,
        };
        let mut value = Vec::with_capacity(long.length);
        for key in long.piece_keys() {
            let Some(piece) = read(&key)? else { return Ok(None) };
            value.extend_from_slice(piece.as_ref());
        }
        Ok((value.len() == long.length && sum(&[&value]) == long.sum).then_some(value))
    }
}

/// Where the pieces of a long value lie.
pub(crate) struct Long {
    id: u64,
    length: usize,
    sum: Sum,
}

impl Long {
    /// The tree keys of the pieces, in order.
    pub(crate) fn piece_keys(&self) -> impl Iterator<Item = Vec<u8>> + use<> {
        let count = self.length.div_ceil(INLINE_VALUE_BYTES);
        let count = u32::try_from(count).expect("a value is at most 64 MiB");
        let id = self.id;
        (0..count).map(move |index| {
            let mut key = Vec::with_capacity(1 + 8 + 4);
            key.push(PIECE);
            key.extend_from_slice(&id.to_be_bytes());
            key.extend_from_slice(&index.to_be_bytes());
            key
        })
    }

    fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(LONG_BYTES);
        body.extend_from_slice(&self.id.to_be_bytes());
        body.extend_from_slice(&(self.length as u64).to_be_bytes());
        body.extend_from_slice(&self.sum);
        body
    }

    fn decode(body: &[u8]) -> Option<Self> {
        let (id, rest) = body.split_first_chunk::<8>()?;
        let (length, sum) = rest.split_first_chunk::<8>()?;
        let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
        let sum = sum.try_into().ok()?;
        (length <= MAX_VALUE_BYTES).then_some(Self { id: u64::from_be_bytes(*id), length, sum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room() -> Space {
        Space::new("room").expect("short")
    }

    #[test]
    fn any_flipped_bit_of_a_row_is_noticed() {
        let tree_key = key(&room(), b"k");
        let row = encode(&tree_key, b"value", || 0).row;
        assert!(matches!(Stored::decode(&tree_key, &row), Some(Stored::Inline(b"value"))));
        for bit in 0..row.len() * 8 {
            let mut bent = row.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(Stored::decode(&tree_key, &bent).is_none(), "bit {bit} passed");
        }
    }

    #[test]
    fn a_row_under_another_key_is_noticed() {
        let row = encode(&key(&room(), b"a"), b"value", || 0).row;
        assert!(Stored::decode(&key(&room(), b"b"), &row).is_none());
    }

    #[test]
    fn every_shortened_row_is_noticed() {
        let tree_key = key(&room(), b"k");
        let row = encode(&tree_key, &[7; INLINE_VALUE_BYTES + 1], || 3).row;
        assert!((0..row.len()).all(|end| Stored::decode(&tree_key, &row[..end]).is_none()));
    }

    #[test]
    fn the_layout_on_disk_stays_as_it_is() {
        let tree_key = key(&room(), b"k");
        assert_eq!(tree_key, b"\x01\x04roomk");
        let row = encode(&tree_key, b"v", || 0).row;
        let hex: String = row.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "9724ae1c5c2c502f12dc2a9aaa54a8980076");
        let long = encode(&tree_key, &[1; INLINE_VALUE_BYTES + 1], || 258);
        assert_eq!(long.row[16..25], [1, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(long.pieces[1], (b"\x02\0\0\0\0\0\0\x01\x02\0\0\0\x01".to_vec(), vec![1]));
    }

    #[test]
    fn the_end_of_a_prefix_passes_its_tail_of_ff() {
        assert_eq!(behind(vec![1, 2, 0xff, 0xff]), [1, 3]);
        assert_eq!(behind(vec![1, 0xff]), [2]);
    }
}
