//! Somebody leaves for good and the relay is put back to before that: what they wrote and signed comes back from others
//! (rules 10 and 11).

use std::collections::{BTreeMap, BTreeSet};

use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::{Entry, EntryName, SignedHead};
use causeway_core::snapshot::SignedRoot;
use causeway_core::stored::{self, TipRecord};

use crate::disk::Disk;
use crate::sim::agenda::{Apart, Happening};
use crate::sim::device::End;
use crate::sim::relay::At;
use crate::sim::tally::Fault;
use crate::sim::world::World;

/// Some rounds of asking one device after the other.
const COME_BACK_WITHIN: u64 = 90_000;

/// A copy of the relay's disk, and the epoch that it is of.
#[derive(Debug)]
pub(crate) struct Copied {
    disk: Disk,
    epoch: u64,
}

/// One chain of one stream.
type Chain = (StreamId, ReplicaId);

impl World {
    pub(crate) fn draw_departure(&mut self) {
        if self.rng.chance(50) && self.plan.history.is_none() && !self.school.is_held() {
            let at = self.rng.between(self.plan.trouble / 2, self.plan.trouble);
            self.plan(at, Happening::Copy);
        }
    }

    /// Yesterday's backup, put aside.
    pub(crate) fn copy_relay(&mut self) {
        let mut disk = self.relay.disk.clone();
        disk.cut_power(0);
        self.copied = Some(Copied { disk, epoch: self.relay.epoch });
    }

    /// After everything came together.
    pub(crate) fn depart_apart(&mut self) {
        let sound = !self.relay.has_rotted && !self.relay.has_miswritten && self.goes_on();
        if sound && self.school.is_held() {
            return self.apart(Apart::LastLesson, Self::last_lesson);
        }
        let copied = self.copied.take().filter(|copied| sound && copied.epoch == self.relay.epoch);
        if let Some(copied) = copied {
            self.apart(Apart::Departure, |world| world.depart(copied.disk));
        }
    }

    fn depart(&mut self, disk: Disk) {
        let leaves = self.rng.index(self.machines.len());
        self.leave_for_good(leaves);
        self.kill_home(At::Relay);
        self.begin_relay(disk);
        self.relay.was_put_back = true;
        self.tally.note(Fault::Departed);
        let brought = self.come_back_without(leaves);
        self.tally.add(Fault::BroughtBack, brought);
    }

    /// A machine is never seen again.
    pub(crate) fn leave_for_good(&mut self, machine: usize) {
        self.chronicle.line(self.now, || format!("machine {machine} leaves for good"));
        for page in self.machines[machine].pages.clone() {
            self.devices[page].gone = true;
            self.end_life(page, End::Killed);
        }
    }

    /// Those who stay bring to the relay what they can. Answers how many entries of whoever left came with them.
    pub(crate) fn come_back_without(&mut self, left: usize) -> u64 {
        let expected = self.comes_back(left);
        let before = at_home(&self.relay.disk);
        self.run_until(self.now + COME_BACK_WITHIN);
        let now = at_home(&self.relay.disk);
        let missing = expected.iter().find(|(chain, seq)| now.get(*chain).copied().unwrap_or(0) < **seq);
        if let Some(((stream, replica), seq)) = missing {
            let had = before.get(&(*stream, *replica)).copied().unwrap_or(0);
            let has = now.get(&(*stream, *replica)).copied().unwrap_or(0);
            self.fail(|| {
                format!("of {replica} in {stream} the relay had {had} and has {has} entries back, of {seq}")
            });
        }
        let disk = &self.machines[left].disk;
        let of_theirs =
            now.iter().filter(|((_, replica), _)| disk.row(&stored::replica_key(replica)).is_some());
        of_theirs.map(|(chain, seq)| seq.saturating_sub(before.get(chain).copied().unwrap_or(0))).sum()
    }

    /// Up to where each chain comes back to the relay: what those who stay have as entries and wrote, or have a signed head for.
    fn comes_back(&self, left: usize) -> BTreeMap<Chain, u64> {
        let mut tips = at_home(&self.relay.disk);
        let stay = self.machines.iter().enumerate().filter(|(number, _)| *number != left);
        let parts: Vec<Part> = stay.flat_map(|(_, machine)| parts(&machine.disk, &tips)).collect();
        loop {
            let before = tips.clone();
            for Part { chain, entries } in &parts {
                for entry in entries {
                    let here = tips.get(chain).copied().unwrap_or(0);
                    if entry.name().seq == here + 1 && stands_on(&tips, entry) {
                        tips.insert(*chain, here + 1);
                    }
                }
            }
            if tips == before {
                return tips;
            }
        }
    }
}

/// Entries of a chain that one device can bring.
struct Part {
    chain: Chain,
    entries: Vec<Entry>,
}

fn parts(disk: &Disk, at_home: &BTreeMap<Chain, u64>) -> Vec<Part> {
    let mut chains: BTreeMap<Chain, BTreeMap<u64, Entry>> = BTreeMap::new();
    for entry in disk.rows_of(b'e').filter_map(|(_, value)| stored::decode_entry(value.to_vec()).ok()) {
        let (stream, EntryName { replica, seq }) = (entry.header().stream, entry.name());
        chains.entry((stream, replica)).or_default().insert(seq, entry);
    }
    let heads = disk.rows_of(b'v').filter_map(|(_, value)| SignedHead::decode(value).ok());
    let heads: BTreeMap<Chain, u64> =
        heads.map(|signed| ((signed.stream, signed.name.replica), signed.name.seq)).collect();
    let roots = disk.rows_of(b'h').filter_map(|(_, value)| SignedRoot::decode(value).ok());
    let roots: Vec<SignedRoot> = roots.collect();
    let own: BTreeSet<ReplicaId> =
        disk.rows_of(b'r').filter_map(|(key, _)| stored::parse_replica_key(key)).collect();
    let part = |(chain, entries): (Chain, BTreeMap<u64, Entry>)| {
        let (stream, replica) = chain;
        let from = at_home.get(&chain).copied().unwrap_or(0) + 1;
        let covered = roots.iter().filter(|root| root.root.stream == stream);
        let covered = covered.map(|root| root.root.covered(&replica)).max().unwrap_or(0);
        let last = match heads.get(&chain) {
            _ if own.contains(&replica) => u64::MAX,
            Some(seq) if covered < from => *seq,
            _ => 0,
        };
        let run = (from..=last).map_while(|seq| entries.get(&seq).cloned());
        let entries: Vec<Entry> = run.collect();
        // What others wrote is let in up to its signed head or not at all.
        let whole = last == u64::MAX || entries.len() as u64 == (last + 1).saturating_sub(from);
        Part { chain, entries: if whole { entries } else { Vec::new() } }
    };
    chains.into_iter().map(part).collect()
}

fn stands_on(tips: &BTreeMap<Chain, u64>, entry: &Entry) -> bool {
    let header = entry.header();
    let deps = header.deps.iter().map(|dep| EntryName { replica: dep.replica, seq: dep.seq });
    let here = |name: EntryName| {
        name.replica == header.replica
            || tips.get(&(header.stream, name.replica)).is_some_and(|tip| *tip >= name.seq)
    };
    deps.chain(header.target).all(here)
}

fn at_home(disk: &Disk) -> BTreeMap<Chain, u64> {
    let rows = disk.rows_of(b'c');
    let tips = rows
        .filter_map(|(key, value)| Some((stored::parse_tip_key(key)?, TipRecord::decode(value).ok()?.seq)));
    tips.collect()
}
