//! The chains of a stream in the order of their replicas, which is also that of their yrs clients.
//!
//! They may be tens of thousands and come in any order, so they stand in sorted runs of bounded length: a new one shifts
//! what stands behind it in its run and nothing else.

use crate::ids::ReplicaId;
use crate::log::{Chain, Tip};

/// Chains by replica.
#[derive(Clone, Debug, Default)]
pub(super) struct Chains {
    /// None is empty; all keys of one come before those of the next.
    runs: Vec<Vec<(ReplicaId, Chain)>>,
}

impl Chains {
    pub(super) fn get(&self, replica: &ReplicaId) -> Option<&Chain> {
        let (run, at) = self.place(replica);
        let (found, chain) = self.runs.get(run)?.get(at)?;
        (found == replica).then_some(chain)
    }

    /// The chain of a replica, an empty one if there is none yet.
    pub(super) fn entry(&mut self, replica: ReplicaId) -> &mut Chain {
        let (mut run, mut at) = self.place(&replica);
        if self.runs.is_empty() {
            self.runs.push(Vec::new());
        }
        if self.runs[run].get(at).is_none_or(|(found, _)| *found != replica) {
            if self.runs[run].len() == RUN {
                // Chains read from a disk or a snapshot come in order: their runs stay full.
                let half = if at == RUN { RUN } else { RUN / 2 };
                let rest = self.runs[run].split_off(half);
                self.runs.insert(run + 1, rest);
                if at >= half {
                    (run, at) = (run + 1, at - half);
                }
            }
            self.runs[run].insert(at, (replica, Chain::default()));
        }
        &mut self.runs[run][at].1
    }

    /// Who writes under a yrs client id, and their chain.
    pub(super) fn of_client(&self, client: u64) -> Option<(ReplicaId, &Chain)> {
        let (run, at) = self.place(&ReplicaId::first_of_client(client));
        let here = self.runs.get(run)?.get(at);
        let (replica, chain) = here.or_else(|| self.runs.get(run + 1)?.first())?;
        (replica.client() == client).then_some((*replica, chain))
    }

    pub(super) fn tips(&self) -> Tips<'_> {
        Tips { chains: self, run: 0, at: 0 }
    }

    /// The run that holds a replica's chain, or would, and the place there.
    #[inline(never)]
    fn place(&self, replica: &ReplicaId) -> (usize, usize) {
        let run = self.runs.partition_point(|run| run[0].0 <= *replica).saturating_sub(1);
        let at = self.runs.get(run).map_or(0, |run| run.partition_point(|(other, _)| other < replica));
        (run, at)
    }
}

/// Where chains stand, in the order of their replicas. A type of its own, so that pages carry the loop once.
#[derive(Debug)]
pub struct Tips<'a> {
    chains: &'a Chains,
    run: usize,
    at: usize,
}

impl Iterator for Tips<'_> {
    type Item = (ReplicaId, Tip);

    #[inline(never)]
    fn next(&mut self) -> Option<Self::Item> {
        let run = self.chains.runs.get(self.run)?;
        let (replica, chain) = &run[self.at];
        self.at += 1;
        if self.at == run.len() {
            (self.run, self.at) = (self.run + 1, 0);
        }
        Some((*replica, chain.tip()))
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
            prop_assert!(chains.tips().map(|(replica, tip)| (replica, tip.seq)).eq(tree.clone()));
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
