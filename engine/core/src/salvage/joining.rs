//! Which of the entries that were found join a stream.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::ReplicaId;
use crate::log::{Entry, EntryName, Head, StreamLog, Verdict};

/// Heads of chains that indexes and tips tell of. Where entries give one, all up to there have been let in once, with every
/// word: a head covers them all.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeSet<(EntryName, Head)>);

/// What came of a pool of entries.
pub(super) struct Joined {
    /// In the order in which they joined, each with the head of its chain there.
    pub(super) entries: Vec<(Entry, Head)>,
    /// Those that did not.
    pub(super) left: Vec<EntryName>,
}

impl Told {
    pub(super) fn note(&mut self, replica: ReplicaId, seq: u64, head: Head) {
        self.0.insert((EntryName { replica, seq }, head));
    }

    /// What the home let in once, by the head that it gives: it continues what the log holds and leads to a head that was
    /// told of.
    fn proven(&self, log: &StreamLog, pool: &[(u64, Entry)]) -> BTreeSet<(EntryName, Head)> {
        let mut found: BTreeMap<EntryName, Vec<&Entry>> = BTreeMap::new();
        for (_, entry) in pool {
            let versions = found.entry(entry.name()).or_default();
            if versions.len() < VERSIONS && !versions.contains(&entry) {
                versions.push(entry);
            }
        }
        let mut proven = BTreeSet::new();
        let replicas: BTreeSet<ReplicaId> = found.keys().map(|name| name.replica).collect();
        for replica in replicas {
            let tip = log.tip(&replica);
            self.follow(replica, (tip.seq, tip.head), &found, &mut proven);
        }
        proven
    }

    /// Follows one chain from a place on, in all versions that were found of it.
    fn follow(
        &self,
        replica: ReplicaId,
        (seq, head): (u64, Head),
        found: &BTreeMap<EntryName, Vec<&Entry>>,
        proven: &mut BTreeSet<(EntryName, Head)>,
    ) {
        // For each number behind the beginning the heads that are reached, and from which head.
        let mut steps: Vec<Vec<(Head, Head)>> = Vec::new();
        let mut reached = vec![head];
        for name in (seq + 1..).map(|seq| EntryName { replica, seq }) {
            let Some(versions) = found.get(&name) else { break };
            let step: Vec<(Head, Head)> = reached
                .iter()
                .flat_map(|before| versions.iter().map(|entry| (before.next(entry), *before)))
                .take(VERSIONS)
                .collect();
            reached = step.iter().map(|(head, _)| *head).collect();
            steps.push(step);
        }
        let mut wanted: BTreeSet<Head> = BTreeSet::new();
        for (number, step) in steps.iter().enumerate().rev() {
            let name = EntryName { replica, seq: seq + 1 + number as u64 };
            let right =
                step.iter().filter(|(head, _)| wanted.contains(head) || self.0.contains(&(name, *head)));
            let right: Vec<(Head, Head)> = right.copied().collect();
            proven.extend(right.iter().map(|(head, _)| (name, *head)));
            wanted = right.into_iter().map(|(_, before)| before).collect();
        }
    }
}

/// Lets in what may join, in the order of arrival as far as that is known; what came before what it builds on waits. What is
/// proven by a head that was told of is not judged by what the log remembers: it has been, by a home that may have
/// remembered less.
pub(super) fn join(log: &mut StreamLog, mut pool: Vec<(u64, Entry)>, told: &Told) -> Joined {
    pool.sort_by_key(|(arrival, _)| *arrival);
    let proven = told.proven(log, &pool);
    let mut joined = Joined { entries: Vec::new(), left: Vec::new() };
    loop {
        let before = joined.entries.len();
        let mut waiting = Vec::new();
        for (arrival, entry) in pool {
            let name = entry.name();
            let tip = log.tip(&name.replica);
            let follows = name.seq == tip.seq + 1;
            let verdict = if follows && proven.contains(&(name, tip.head.next(&entry))) {
                log.judge_again(&entry)
            } else {
                log.judge(&entry)
            };
            match verdict {
                Verdict::Fresh(accepted) => {
                    log.extend(&entry, accepted);
                    let head = log.tip(&name.replica).head;
                    joined.entries.push((entry, head));
                }
                Verdict::Waits(_) => waiting.push((arrival, entry)),
                Verdict::Refused(_) => joined.left.push(name),
                Verdict::Known => {}
            }
        }
        pool = waiting;
        if joined.entries.len() == before || pool.is_empty() {
            joined.left.extend(pool.iter().map(|(_, entry)| entry.name()));
            return joined;
        }
    }
}

/// Versions of one entry that are followed: more than a disk has of a row that is written once.
const VERSIONS: usize = 16;
