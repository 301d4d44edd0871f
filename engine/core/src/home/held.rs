//! What a reader holds of a stream, without a line for every chain: everything up to a place in the order of arrival, but
//! for some groups of chains of which it has told chain by chain.

use std::collections::BTreeMap;

use crate::ids::ReplicaId;
use crate::log::Group;

/// What a reader holds.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Entries that arrived before this are held …
    pub(super) as_of: u64,
    /// … but in these groups.
    apart: Groups,
    /// Up to where chains are held, of those groups or beyond that place. Only chains that are here.
    marks: BTreeMap<ReplicaId, u64>,
}

/// A set of groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Groups([u64; 4]);

impl Held {
    /// A reader that holds nothing.
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    /// A reader that holds exactly what had arrived before a place.
    pub(super) fn all(as_of: u64) -> Self {
        Self { as_of, ..Self::default() }
    }

    /// A reader of which only some groups are known to be as they were at a place.
    pub(super) fn all_but(as_of: u64, apart: Groups) -> Self {
        Self { as_of, apart, ..Self::default() }
    }

    /// The reader has told of chains of these groups.
    pub(super) fn differs_in(&mut self, groups: impl Iterator<Item = Group>) {
        groups.for_each(|group| self.apart.insert(group));
    }

    pub(super) fn note(&mut self, replica: ReplicaId, seq: u64) {
        self.marks.insert(replica, seq);
    }

    /// How many chains it has told of.
    pub(super) fn marks(&self) -> usize {
        self.marks.len()
    }

    /// Before which arrival it held everything, if nothing differed.
    pub(super) fn all_before(&self) -> Option<u64> {
        (self.apart == Groups::default()).then_some(self.as_of)
    }

    /// Whether the reader has nothing from a place on.
    pub(super) fn ends_before(&self, arrival: u64) -> bool {
        self.as_of <= arrival && self.marks.is_empty()
    }

    /// Whether the reader has this entry.
    pub(super) fn has(&self, arrival: u64, replica: &ReplicaId, seq: u64) -> bool {
        (arrival < self.as_of && !self.is_apart(replica)) || self.told(replica) >= seq
    }

    /// Up to where it has told that it holds a chain.
    pub(super) fn told(&self, replica: &ReplicaId) -> u64 {
        self.marks.get(replica).copied().unwrap_or(0)
    }

    pub(super) fn is_apart(&self, replica: &ReplicaId) -> bool {
        self.apart.contains(Group::of(replica))
    }

    /// The groups of which it has told chain by chain.
    pub(super) fn apart(&self) -> impl Iterator<Item = Group> {
        let apart = self.apart;
        (0..=u8::MAX).map(Group).filter(move |group| apart.contains(*group))
    }
}

impl Groups {
    /// All there are.
    pub(super) const ALL: Self = Self([u64::MAX; 4]);

    pub(super) fn insert(&mut self, Group(number): Group) {
        self.0[usize::from(number / 64)] |= 1 << (number % 64);
    }

    pub(super) fn remove(&mut self, Group(number): Group) {
        self.0[usize::from(number / 64)] &= !(1 << (number % 64));
    }

    pub(super) fn contains(self, Group(number): Group) -> bool {
        self.0[usize::from(number / 64)] & (1 << (number % 64)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(group: u8) -> ReplicaId {
        Group(group).first()
    }

    #[test]
    fn rule_5_a_reader_is_known_by_a_place_and_by_marks_where_it_differs() {
        let mut held = Held::all(10);
        assert!(held.has(9, &replica(1), 3) && !held.has(10, &replica(1), 4));
        held.differs_in([Group(1), Group(255)].into_iter());
        assert!(!held.has(9, &replica(1), 3), "what differs is told chain by chain");
        assert!(held.has(9, &replica(2), 1), "and the rest is not");
        held.note(replica(1), 3);
        held.note(replica(2), 7);
        assert!(held.has(9, &replica(1), 3) && !held.has(9, &replica(1), 4));
        assert!(held.has(12, &replica(2), 7), "a mark may reach beyond the place");
        assert_eq!(held.apart().collect::<Vec<_>>(), [Group(1), Group(255)]);
        let mut but_one = Groups::ALL;
        but_one.remove(Group(64));
        assert!(!but_one.contains(Group(64)) && but_one.contains(Group(63)) && but_one.contains(Group(128)));
    }
}
