//! The archive: entries below a snapshot, in compressed segments, in their order of arrival (rule 9).

use bytes::Bytes;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::limits::{CATCH_UP_BYTES, FRAME_BYTES, FRAME_ENTRIES};
use crate::log::Entry;
use crate::wire::{self, FrameError};

/// A run of entries, compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Arrival number of the entry behind its last.
    pub end: u64,
    /// The entries as the body of a frame, deflated.
    pub bytes: Vec<u8>,
}

/// Why a segment cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// It does not inflate, or to more than a segment holds.
    #[error("a segment of the archive cannot be inflated")]
    Inflate,
    /// What it holds are no entries.
    #[error("a segment of the archive holds no entries: {0}")]
    Entries(#[from] FrameError),
}

/// Packs entries that arrived one after the other from `first` on, a frame's worth to a segment.
pub(super) fn pack(first: u64, entries: &[Entry]) -> Vec<Segment> {
    let mut segments = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, entry) in entries.iter().enumerate() {
        let size = entry.bytes().len();
        if at > start && (bytes + size > CATCH_UP_BYTES || at - start == FRAME_ENTRIES) {
            segments.push(segment(first + at as u64, &entries[start..at]));
            (start, bytes) = (at, 0);
        }
        bytes += size;
    }
    if start < entries.len() {
        segments.push(segment(first + entries.len() as u64, &entries[start..]));
    }
    segments
}

fn segment(end: u64, entries: &[Entry]) -> Segment {
    Segment { end, bytes: compress_to_vec(&wire::frame::entries_body(entries), LEVEL) }
}

/// The entries of a segment, byte for byte as they were packed.
///
/// # Errors
/// See [`SegmentError`].
pub fn unpack(segment: &[u8]) -> Result<Vec<Entry>, SegmentError> {
    let body = decompress_to_vec_with_limit(segment, FRAME_BYTES).map_err(|_| SegmentError::Inflate)?;
    Ok(wire::frame::decode_entries(Bytes::from(body))?)
}

/// Of 1 to 10; above 6 it takes twice as long for a hundredth less.
const LEVEL: u8 = 6;
