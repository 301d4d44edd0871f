//! Layout of an entry: `varint n, n bytes of header, payload`.

use bytes::{BufMut, Bytes, BytesMut};

use crate::limits::{ENTRY_HEADER_BYTES, ENTRY_PAYLOAD_BYTES};
use crate::log::{Entry, Header};
use crate::wire::frame::{put_varint, take_varint};

/// Why bytes are no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// They end too early.
    #[error("an entry ends too early")]
    Truncated,
    /// The header cannot be read.
    #[error("the header of an entry cannot be read")]
    Header,
    /// Header or payload is beyond the bound.
    #[error("an entry is larger than {ENTRY_PAYLOAD_BYTES} bytes")]
    TooLarge,
    /// The payload is not the one the header names.
    #[error("the payload of an entry is not the one its header names")]
    Hash,
}

/// Puts an entry together; `header.payload_hash` is set to that of the payload.
pub fn build(mut header: Header, payload: &[u8]) -> Entry {
    header.payload_hash = *blake3::hash(payload).as_bytes();
    let encoded = postcard::to_allocvec(&header).expect("a header has no part that cannot be written");
    let mut bytes = BytesMut::with_capacity(encoded.len() + payload.len() + 4);
    put_varint(&mut bytes, encoded.len() as u64);
    let header_at = bytes.len();
    bytes.put_slice(&encoded);
    let payload_at = bytes.len();
    bytes.put_slice(payload);
    Entry::from_parts(header, bytes.freeze(), header_at, payload_at)
}

/// Reads an entry and checks its payload against its header.
///
/// # Errors
/// See [`EntryError`].
pub fn decode(bytes: Bytes) -> Result<Entry, EntryError> {
    let entry = split(bytes)?;
    if blake3::hash(entry.payload()).as_bytes() != &entry.header().payload_hash || entry.header().seq == 0 {
        return Err(EntryError::Hash);
    }
    Ok(entry)
}

/// A planted bug: [`decode`] without the check.
#[cfg(feature = "planted-bugs")]
pub fn decode_unchecked(bytes: Bytes) -> Result<Entry, EntryError> {
    split(bytes)
}

fn split(bytes: Bytes) -> Result<Entry, EntryError> {
    let mut rest: &[u8] = &bytes;
    let length = take_varint(&mut rest).ok_or(EntryError::Truncated)?;
    let length = usize::try_from(length).map_err(|_| EntryError::TooLarge)?;
    if length > ENTRY_HEADER_BYTES {
        return Err(EntryError::TooLarge);
    }
    let header_at = bytes.len() - rest.len();
    let encoded = rest.get(..length).ok_or(EntryError::Truncated)?;
    let payload = &rest[length..];
    if payload.len() > ENTRY_PAYLOAD_BYTES {
        return Err(EntryError::TooLarge);
    }
    let header: Header = postcard::from_bytes(encoded).map_err(|_| EntryError::Header)?;
    Ok(Entry::from_parts(header, bytes, header_at, header_at + length))
}
