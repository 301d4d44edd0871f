//! Signed heads: whoever forwards what somebody else wrote shows that they wrote it (rule 11).

use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::ids::{ReplicaId, RoomId, StreamId};
use crate::log::{EntryName, Head};
use crate::wire::Prove;
use crate::wire::proof::head_bytes;

/// A head with its author's signature: vouches for a chain up to there, whoever brings it. A replica is named by the hash of
/// its key, so nothing else has to be known to check it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// The stream.
    pub stream: StreamId,
    /// The entry the head belongs to.
    pub name: EntryName,
    /// The chain's head there.
    pub head: Head,
    /// The replica's key, and its signature over stream, number, head and room.
    pub proof: Prove,
}

impl SignedHead {
    /// Whether the replica that it names has signed it, in this room. Costs some 60 µs.
    pub fn is_signed(&self, room: &RoomId) -> bool {
        let Prove { public_key, signature_r, signature_s } = &self.proof;
        let signature = Signature::from_components(*signature_r, *signature_s);
        let bytes = head_bytes(&self.stream, self.name.seq, &self.head, room);
        let holds = |key: VerifyingKey| key.verify_strict(&bytes, &signature).is_ok();
        ReplicaId::of_key(public_key) == self.name.replica
            && VerifyingKey::from_bytes(public_key).is_ok_and(holds)
    }
}
