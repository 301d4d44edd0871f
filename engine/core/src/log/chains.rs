//! The chains of a stream in the order of their replicas, which is also that of their yrs clients.
//!
//! They may be tens of thousands and come in any order, so they stand in sorted runs of bounded length: a new one shifts
//! what stands behind it in its run and nothing else.

use crate::ids::ReplicaId;
use crate::log::Chain;

/// Chains by replica.
#[derive(Clone, Debug, Default)]
pub(super) struct Chains {
    /// None is empty; all keys of one come before those of the next.
    runs: Vec<Vec<(ReplicaId, Chain)>>,
}

impl Chains {
    pub(super) fn get(&self, replica: &ReplicaId) -> Option<&Chain> {
        let run = self.runs.get(self.run_of(replica))?;
        let at = run.binary_search_by(|(other, _)| other.cmp(replica)).ok()?;
        Some(&run[at].1)
    }

    /// The chain of a replica, an empty one if there is none yet.
    pub(super) fn entry(&mut self, replica: ReplicaId) -> &mut Chain {
        let mut at_run = self.run_of(&replica);
        if self.runs.is_empty() {
            self.runs.push(Vec::new());
        }
        if self.runs[at_run].len() == RUN && self.get(&replica).is_none() {
            // Chains read from a disk or a snapshot come in order: their runs stay full.
            let last = at_run + 1 == self.runs.len() && self.runs[at_run][RUN - 1].0 < replica;
            let rest = if last { Vec::new() } else { self.runs[at_run].split_off(RUN / 2) };
            let beyond = rest.first().is_none_or(|(first, _)| *first <= replica);
            self.runs.insert(at_run + 1, rest);
            at_run += usize::from(beyond);
        }
        let run = &mut self.runs[at_run];
        let at = run.binary_search_by(|(other, _)| other.cmp(&replica)).unwrap_or_else(|at| {
            run.insert(at, (replica, Chain::default()));
            at
        });
        &mut run[at].1
    }

    /// Who writes under a yrs client id, and their chain.
    pub(super) fn of_client(&self, client: u64) -> Option<(ReplicaId, &Chain)> {
        let run = self.runs.partition_point(|run| run.last().is_some_and(|(last, _)| last.client() < client));
        let run = self.runs.get(run)?;
        let at = run.partition_point(|(replica, _)| replica.client() < client);
        let (replica, chain) = run.get(at)?;
        (replica.client() == client).then_some((*replica, chain))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ReplicaId, &Chain)> {
        self.runs.iter().flatten().map(|(replica, chain)| (replica, chain))
    }

    /// The run that holds a replica's chain, or would.
    fn run_of(&self, replica: &ReplicaId) -> usize {
        self.runs.partition_point(|run| run[0].0 <= *replica).saturating_sub(1)
    }
}

/// Chains of one run: some tens of kilobytes to shift.
const RUN: usize = 256;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn replica(number: u16) -> ReplicaId {
        let mut name = [7; 32];
        name[..2].copy_from_slice(&number.to_be_bytes());
        ReplicaId::from_bytes(name)
    }

    proptest! {
        #[test]
        fn chains_stand_in_order_and_are_found_by_replica_and_by_client(
            numbers in prop::collection::vec(0..2_000u16, 0..3_000),
            ascending in any::<bool>(),
        ) {
            let mut numbers = numbers;
            if ascending {
                numbers.sort_unstable();
            }
            let (mut chains, mut tree) = (Chains::default(), BTreeMap::new());
            for (seq, number) in numbers.iter().enumerate() {
                chains.entry(replica(*number)).seq = seq as u64;
                tree.insert(replica(*number), seq as u64);
            }
            prop_assert!(chains.iter().map(|(replica, chain)| (*replica, chain.seq)).eq(tree.clone()));
            prop_assert!(chains.runs.iter().all(|run| (1..=RUN).contains(&run.len())));
            for number in 0..2_000 {
                let replica = replica(number);
                let expected = tree.get(&replica).copied();
                prop_assert_eq!(chains.get(&replica).map(|chain| chain.seq), expected);
                let found = chains.of_client(replica.client());
                prop_assert_eq!(found.map(|(of, chain)| (of, chain.seq)), expected.map(|seq| (replica, seq)));
            }
        }
    }
}
