//! What proofs of replicas and persons sign. A label keeps each signature from meaning anything else.

use crate::ids::{ReplicaId, RoomId, StreamId};
use crate::log::Head;

/// A device holds the key of a replica: the home's nonce, the room.
pub fn proof_bytes(nonce: &[u8; 32], room: &RoomId) -> Vec<u8> {
    [b"causeway replica proof 1\0".as_slice(), nonce, room.as_str().as_bytes()].concat()
}

/// A replica has written a chain up to a head: stream, number, head, room.
pub fn head_bytes(stream: &StreamId, seq: u64, head: &Head, room: &RoomId) -> Vec<u8> {
    let label = b"causeway head 1\0".as_slice();
    [label, &stream.to_bytes(), &seq.to_be_bytes(), head.as_bytes(), room.as_str().as_bytes()].concat()
}

/// A device speaks for a person: the home's nonce, the room.
pub fn person_bytes(nonce: &[u8; 32], room: &RoomId) -> Vec<u8> {
    [b"causeway person proof 1\0".as_slice(), nonce, room.as_str().as_bytes()].concat()
}

/// A person writes under a replica.
pub fn introduction_bytes(replica: &ReplicaId) -> Vec<u8> {
    [b"causeway introduction 1\0".as_slice(), replica.as_bytes()].concat()
}
