//! What a proof of a replica signs.

use crate::ids::RoomId;

/// The bytes to sign: a label that keeps this signature from meaning anything else, the home's nonce, the room.
pub fn proof_bytes(nonce: &[u8; 32], room: &RoomId) -> Vec<u8> {
    [b"causeway replica proof 1\0".as_slice(), nonce, room.as_str().as_bytes()].concat()
}
