//! Digests: equal digests mean equal content, which equal versions alone do not.

use serde::{Deserialize, Serialize};

use crate::ids::{Hex, ReplicaId, StreamId};
use crate::log::Head;

/// Hash over (replica, seq, head) of every chain of a stream, or over the digests of a room's streams.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these chains, which must come in the order of their replicas.
    pub fn of_chains<'a>(chains: impl Iterator<Item = (&'a ReplicaId, u64, &'a Head)>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for (replica, seq, head) in chains {
            hasher.update(replica.as_bytes()).update(&seq.to_le_bytes()).update(head.as_bytes());
        }
        Self(*hasher.finalize().as_bytes())
    }
}

/// One digest for a room: over its streams' digests, which must come in the order of their names.
pub fn digest_of_room(streams: impl Iterator<Item = (StreamId, Digest)>) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for (stream, digest) in streams {
        hasher.update(&stream.to_bytes()).update(&digest.0);
    }
    Digest(*hasher.finalize().as_bytes())
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", Hex(&self.0[..8]))
    }
}
