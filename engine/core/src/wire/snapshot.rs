//! A snapshot on its way: `varint n, n bytes of signed root, page`, cut into chunks of one size.

use bytes::{BufMut, Bytes, BytesMut};

use crate::snapshot::Root;
use crate::wire::frame::{encode, put_varint, take_varint};
use crate::wire::message::Chunk;

/// The frames that carry a snapshot, each with at most `size` bytes of it.
pub fn frames(root: &Root, record: &[u8], page: &[u8], size: usize) -> Vec<Bytes> {
    let mut whole = BytesMut::with_capacity(record.len() + page.len() + 4);
    put_varint(&mut whole, record.len() as u64);
    whole.put_slice(record);
    whole.put_slice(page);
    let (stream, snapshot, total) = (root.stream, root.id(), whole.len() as u64);
    let chunk = |(n, bytes): (usize, &[u8])| {
        let at = (n * size) as u64;
        encode(&Chunk { stream, snapshot, at, total, bytes: bytes.to_vec() }.into())
    };
    whole.chunks(size).enumerate().map(chunk).collect()
}

/// Root and page of a snapshot that has arrived whole.
pub fn split(whole: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = whole;
    let length = usize::try_from(take_varint(&mut rest)?).ok()?;
    rest.split_at_checked(length)
}
