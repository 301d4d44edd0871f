//! The chains of a stream that are on the disk, their digest, and the digests there were: a reader that comes back says
//! the digest it left with, and the home knows what has arrived since.

use std::collections::{BTreeMap, VecDeque};

use crate::home::held::Groups;
use crate::ids::ReplicaId;
use crate::limits::{COMPARED_WHOLE, DIGESTS_KEPT};
use crate::log::{Digest, Entry, Group, Head, groups_of};

/// Chains on the disk.
#[derive(Debug)]
pub(super) struct Durable {
    chains: BTreeMap<ReplicaId, (u64, Head)>,
    groups: BTreeMap<Group, Digest>,
    /// Groups whose chains grew since they were hashed.
    stale: Groups,
    digest: Digest,
    /// Digests and how many entries had arrived then, the newest last.
    before: VecDeque<(Digest, u64)>,
}

impl Default for Durable {
    fn default() -> Self {
        Self {
            chains: BTreeMap::new(),
            groups: BTreeMap::new(),
            stale: Groups::default(),
            digest: Digest::NOTHING,
            before: VecDeque::new(),
        }
    }
}

impl Durable {
    /// A chain as read from the disk. [`Durable::settle`] follows.
    pub(super) fn restore(&mut self, replica: ReplicaId, seq: u64, head: Head) {
        self.chains.insert(replica, (seq, head));
        self.stale.insert(Group::of(&replica));
    }

    /// The next entry of a chain is on the disk. [`Durable::settle`] follows.
    pub(super) fn extend(&mut self, entry: &Entry) {
        let name = entry.name();
        let before = self.chains.get(&name.replica).map_or(Head::START, |(_, head)| *head);
        self.restore(name.replica, name.seq, before.next(entry));
    }

    /// Takes the digest of what is here, which is all that has arrived before `arrivals`.
    pub(super) fn settle(&mut self, arrivals: u64) {
        if self.stale == Groups::default() {
            return;
        }
        for group in (0..=u8::MAX).map(Group).filter(|group| self.stale.contains(*group)) {
            let chains = self.chains.range(group.first()..=group.last());
            let chains: Vec<_> = chains.map(|(replica, (seq, head))| (*replica, *seq, *head)).collect();
            self.groups.extend(groups_of(&chains));
        }
        self.stale = Groups::default();
        let groups: Vec<(Group, Digest)> =
            self.groups.iter().map(|(group, digest)| (*group, *digest)).collect();
        self.digest = Digest::of_groups(&groups);
        if self.before.len() == DIGESTS_KEPT {
            self.before.pop_front();
        }
        self.before.push_back((self.digest, arrivals));
    }

    /// Up to where a chain is on the disk, and the head there.
    pub(super) fn get(&self, replica: &ReplicaId) -> Option<(u64, Head)> {
        self.chains.get(replica).copied()
    }

    /// The chains of a group.
    pub(super) fn in_group(&self, group: Group) -> impl Iterator<Item = (ReplicaId, u64)> {
        self.chains.range(group.first()..=group.last()).map(|(replica, (seq, _))| (*replica, *seq))
    }

    /// The digest of it all.
    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// How many entries had arrived when the digest was this one; `None` if it never was, or too long ago.
    pub(super) fn place_of(&self, digest: &Digest) -> Option<u64> {
        if *digest == Digest::NOTHING {
            return Some(0);
        }
        self.before.iter().rev().find(|(was, _)| was == digest).map(|(_, arrivals)| *arrivals)
    }

    /// The groups for another side to compare with, from one on. Of so few chains that they are told sooner than
    /// compared: none, which means that all differ.
    pub(super) fn compared(&self, from: Group) -> Vec<(Group, Digest)> {
        if self.chains.len() <= COMPARED_WHOLE {
            return Vec::new();
        }
        self.groups.range(from..).map(|(group, digest)| (*group, *digest)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(number: u32) -> ReplicaId {
        ReplicaId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes())
    }

    #[test]
    fn rule_5_the_digest_that_grows_is_the_digest_of_the_whole() {
        let mut durable = Durable::default();
        assert_eq!(durable.digest(), Digest::of_chains(&[]));
        for round in 1..=3u64 {
            for number in 0..500 {
                durable.restore(replica(number), round, Head::from_bytes([round as u8; 32]));
                if number % 7 == 0 {
                    durable.settle(round * 500 + u64::from(number));
                }
            }
        }
        durable.settle(2_000);
        let chains = durable.chains.iter().map(|(replica, (seq, head))| (*replica, *seq, *head));
        assert_eq!(durable.digest(), Digest::of_chains(&chains.collect::<Vec<_>>()));
        assert_eq!(durable.place_of(&durable.digest()), Some(2_000));
        assert_eq!(durable.place_of(&Digest::NOTHING), Some(0));
        assert!(durable.before.len() <= DIGESTS_KEPT);
        let in_groups: usize = (0..=u8::MAX).map(|group| durable.in_group(Group(group)).count()).sum();
        assert_eq!(in_groups, 500);
    }
}
