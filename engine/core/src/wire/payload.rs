//! Payloads of our own reducers.

use crate::chat::ChatOp;
use crate::directory::{Decision, DirectoryOp};

/// One operation on the directory as the payload of an entry.
pub fn encode_directory(op: &DirectoryOp) -> Vec<u8> {
    postcard::to_allocvec(op).expect("an operation has no part that cannot be written")
}

/// Reverses [`encode_directory`]; `None` for anything else, also for bytes behind the operation.
pub fn decode_directory(payload: &[u8]) -> Option<DirectoryOp> {
    let (op, rest) = postcard::take_from_bytes(payload).ok()?;
    rest.is_empty().then_some(op)
}

/// What an entry of a channel says, as its payload.
pub fn encode_chat(op: &ChatOp) -> Vec<u8> {
    postcard::to_allocvec(op).expect("an operation has no part that cannot be written")
}

/// Reverses [`encode_chat`]; `None` for anything else, also for bytes behind the operation.
pub fn decode_chat(payload: &[u8]) -> Option<ChatOp> {
    let (op, rest) = postcard::take_from_bytes(payload).ok()?;
    rest.is_empty().then_some(op)
}

/// What stands in a directory as the page of a snapshot.
pub fn encode_directory_page(decisions: &[Decision]) -> Vec<u8> {
    postcard::to_allocvec(decisions).expect("a decision has no part that cannot be written")
}

/// Reverses [`encode_directory_page`].
pub fn decode_directory_page(page: &[u8]) -> Option<Vec<Decision>> {
    let (decisions, rest) = postcard::take_from_bytes(page).ok()?;
    rest.is_empty().then_some(decisions)
}
