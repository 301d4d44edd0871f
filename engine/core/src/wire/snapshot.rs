//! A snapshot on its way: the signed root, its first page, and of a channel some of the newest pages, the newest first,
//! each behind its length as a varint; cut into chunks of one size. A page that was asked for travels alone.

use bytes::{BufMut, Bytes, BytesMut};

use crate::ids::StreamId;
use crate::limits::SNAPSHOT_PARTS;
use crate::snapshot::Root;
use crate::wire::frame::{encode, put_varint, take_varint};
use crate::wire::message::{Chunk, Want, Whole};

/// The frames that carry a snapshot, each with at most `size` bytes of it.
pub fn frames(root: &Root, record: &[u8], pages: &[Bytes], size: usize) -> Vec<Bytes> {
    let mut whole = BytesMut::new();
    for part in std::iter::once(record).chain(pages.iter().map(|page| &page[..])) {
        put_varint(&mut whole, part.len() as u64);
        whole.put_slice(part);
    }
    chunks(root.stream, Whole::Snapshot(root.id()), &whole, size)
}

/// The frames that carry a page; of one that is not to be had a single empty one.
pub fn page_frames(want: &Want, page: &[u8], size: usize) -> Vec<Bytes> {
    chunks(want.stream, Whole::Page(want.page), page, size)
}

fn chunks(stream: StreamId, of: Whole, whole: &[u8], size: usize) -> Vec<Bytes> {
    let total = whole.len() as u64;
    let mut frames = Vec::new();
    for at in (0..whole.len().max(1)).step_by(size) {
        let bytes = whole[at..whole.len().min(at + size)].to_vec();
        frames.push(encode(&Chunk { stream, of, at: at as u64, total, bytes }.into()));
    }
    frames
}

/// Root and pages of a snapshot that has arrived whole.
pub fn split(whole: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let mut rest = whole;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        if parts.len() > SNAPSHOT_PARTS {
            return None;
        }
        let length = usize::try_from(take_varint(&mut rest)?).ok()?;
        let (part, after) = rest.split_at_checked(length)?;
        parts.push(part);
        rest = after;
    }
    let record = *parts.first()?;
    parts.remove(0);
    Some((record, parts))
}
