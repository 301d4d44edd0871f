//! Digests: equal digests mean equal content, which equal versions alone do not.
//!
//! Two steps make one: chains are hashed group by group, and a stream's digest is the hash of its groups. So a chain that
//! grows costs its group and not its stream, and two sides that differ find out where by comparing groups.

use serde::{Deserialize, Serialize};

use crate::ids::{Hex, ReplicaId, StreamId};
use crate::log::Head;

/// Hash over (replica, seq, head) of every chain of a group or stream, or over the digests of a room's streams.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest([u8; 32]);

/// Chains whose replicas' names begin with the same byte: one of 256 parts of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group(pub u8);

impl Digest {
    /// The digest of a stream or room of which nothing is here.
    pub const NOTHING: Self = Self([0; 32]);

    /// The digest of these chains, which must come in the order of their replicas.
    pub fn of_chains(chains: &[(ReplicaId, u64, Head)]) -> Self {
        Self::of_groups(&groups_of(chains))
    }

    /// The digest of a stream of these groups, which must come in their order.
    pub fn of_groups(groups: &[(Group, Self)]) -> Self {
        let mut bytes = Vec::new();
        for (group, digest) in groups {
            bytes.push(group.0);
            bytes.extend_from_slice(&digest.0);
        }
        Self::of(&bytes)
    }

    fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() { Self::NOTHING } else { Self(*blake3::hash(bytes).as_bytes()) }
    }
}

impl Group {
    /// The group of a replica.
    pub fn of(replica: &ReplicaId) -> Self {
        Self(replica.as_bytes()[0])
    }

    /// The first name a replica of this group can have.
    pub fn first(self) -> ReplicaId {
        let mut name = [0; 32];
        name[0] = self.0;
        ReplicaId::from_bytes(name)
    }

    /// The last.
    pub fn last(self) -> ReplicaId {
        let mut name = [0xff; 32];
        name[0] = self.0;
        ReplicaId::from_bytes(name)
    }
}

/// The groups that these chains make, which must come in the order of their replicas. Groups without chains are left out.
pub fn groups_of(chains: &[(ReplicaId, u64, Head)]) -> Vec<(Group, Digest)> {
    let (mut groups, mut bytes) = (Vec::new(), Vec::new());
    for (at, (replica, seq, head)) in chains.iter().enumerate() {
        bytes.extend_from_slice(replica.as_bytes());
        bytes.extend_from_slice(&seq.to_le_bytes());
        bytes.extend_from_slice(head.as_bytes());
        let group = Group::of(replica);
        if chains.get(at + 1).is_none_or(|(next, ..)| Group::of(next) != group) {
            groups.push((group, Digest::of(&bytes)));
            bytes.clear();
        }
    }
    groups
}

/// One digest for a room: over the digests of its streams, which must be added in the order of their names.
#[derive(Debug, Default)]
pub struct RoomDigest {
    bytes: Vec<u8>,
}

impl RoomDigest {
    /// A stream of which something is here.
    pub fn add(&mut self, stream: &StreamId, digest: &Digest) {
        self.bytes.extend_from_slice(&stream.to_bytes());
        self.bytes.extend_from_slice(&digest.0);
    }

    /// The digest of them all.
    pub fn finish(self) -> Digest {
        Digest::of(&self.bytes)
    }
}

/// Groups as one side tells them the other: of each its number and the first half of its digest, which nobody finds a
/// second content for.
pub fn marks_of(groups: &[(Group, Digest)]) -> Vec<u8> {
    let mut marks = Vec::new();
    for (group, digest) in groups {
        marks.push(group.0);
        marks.extend_from_slice(&digest.0[..MARK_BYTES - 1]);
    }
    marks
}

/// Groups, from one on, that are not the same here and there, as each side tells them. Those that nobody names are empty
/// on both sides.
pub fn differing(here: &[u8], there: &[u8], from: Group) -> Vec<u8> {
    let mut groups = Vec::new();
    for group in from.0..=u8::MAX {
        if mark(here, group) != mark(there, group) {
            groups.push(group);
        }
    }
    groups
}

fn mark(marks: &[u8], group: u8) -> Option<&[u8]> {
    marks.chunks_exact(MARK_BYTES).find(|mark| mark[0] == group)
}

/// A group as told.
pub const MARK_BYTES: usize = 17;

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", Hex(&self.0[..8]))
    }
}
