//! Frames: messages as bytes and back.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::limits::{FRAME_BYTES, FRAME_ENTRIES};
use crate::log::Entry;
use crate::wire::entry::{self, EntryError};
use crate::wire::message::{Body, Message};

/// Why bytes are no frame. Its sender is told, and its link closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes end inside a frame.
    #[error("a frame ends too early")]
    Truncated,
    /// Longer than a frame may be.
    #[error("a frame is longer than {FRAME_BYTES} bytes")]
    TooLarge,
    /// The body of a known type cannot be read.
    #[error("the body of a frame of type {0} cannot be read")]
    Body(u64),
    /// An entry inside a frame cannot be read.
    #[error(transparent)]
    Entry(#[from] EntryError),
}

/// One message as a frame.
pub fn encode(message: &Message) -> Bytes {
    match message {
        Message::Entries(entries) => encode_entries(entries),
        Message::Other(body) => frame(body.frame_type(), &body.encode()),
    }
}

/// Entries as one frame: their bytes as they are, each behind its length.
pub fn encode_entries<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Bytes {
    frame(ENTRIES, &entries_body(entries))
}

/// The body of such a frame.
pub(crate) fn entries_body<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> BytesMut {
    let mut body = BytesMut::new();
    for entry in entries {
        put_varint(&mut body, entry.bytes().len() as u64);
        body.put_slice(entry.bytes());
    }
    body
}

/// Reads the messages in `bytes`, passing over frames of unknown type. Entries share the memory of `bytes`.
///
/// # Errors
/// See [`FrameError`]; nothing of `bytes` is then to be used.
pub fn decode(bytes: &Bytes) -> Result<Vec<Message>, FrameError> {
    let mut messages = Vec::new();
    let mut rest = bytes.clone();
    while !rest.is_empty() {
        let frame_type = advance_varint(&mut rest)?;
        let length = usize::try_from(advance_varint(&mut rest)?).map_err(|_| FrameError::TooLarge)?;
        if length > FRAME_BYTES {
            return Err(FrameError::TooLarge);
        }
        if length > rest.len() {
            return Err(FrameError::Truncated);
        }
        let body = rest.split_to(length);
        if frame_type == ENTRIES {
            messages.push(Message::Entries(decode_entries(body)?));
        } else if let Some(body) = Body::decode(frame_type, &body).ok_or(FrameError::Body(frame_type))? {
            messages.push(Message::Other(body));
        }
    }
    Ok(messages)
}

/// Reverses [`entries_body`].
pub(crate) fn decode_entries(mut body: Bytes) -> Result<Vec<Entry>, FrameError> {
    let mut entries = Vec::new();
    while !body.is_empty() {
        let length = usize::try_from(advance_varint(&mut body)?).map_err(|_| FrameError::TooLarge)?;
        if length > body.len() {
            return Err(FrameError::Truncated);
        }
        if entries.len() == FRAME_ENTRIES {
            return Err(FrameError::TooLarge);
        }
        entries.push(entry::decode(body.split_to(length))?);
    }
    Ok(entries)
}

fn frame(frame_type: u64, body: &[u8]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(body.len() + 6);
    put_varint(&mut bytes, frame_type);
    put_varint(&mut bytes, body.len() as u64);
    bytes.put_slice(body);
    bytes.freeze()
}

fn advance_varint(bytes: &mut Bytes) -> Result<u64, FrameError> {
    let mut rest: &[u8] = bytes;
    let value = take_varint(&mut rest).ok_or(FrameError::Truncated)?;
    let read = bytes.len() - rest.len();
    bytes.advance(read);
    Ok(value)
}

/// Seven bits a byte, least first, the high bit says that more follow.
pub(super) fn put_varint(bytes: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        bytes.put_u8((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    bytes.put_u8(value as u8);
}

/// Reverses [`put_varint`]; `None` if the bytes end or the number has more than 64 bits.
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        if shift == 63 && *first > 1 {
            return None;
        }
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Type of the frame that carries entries; its body is no record but a run of entries.
const ENTRIES: u64 = 5;
