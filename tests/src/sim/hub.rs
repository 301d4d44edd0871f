//! A hub, in some worlds: a device plays relay for those around it who do not reach the relay.
//!
//! A class comes to it and leaves it, everybody by themselves and several times. It dies and comes back with its disk, or another
//! device takes its place with another disk. It makes no snapshots: only the relay does (rule 8). In the end everybody comes
//! back to the relay; and then there is one more lesson, from which one device does not.

use std::collections::BTreeSet;

use causeway_core::home::CompactionPlan;
use causeway_core::log::EntryName;
use causeway_core::stored::{self, TipRecord};

use crate::disk::Disk;
use crate::sim::agenda::{Apart, Happening};
use crate::sim::checks::QUIET_WITHIN;
use crate::sim::device::End;
use crate::sim::plan::{MOST_DEVICES, Trouble};
use crate::sim::relay::At;
use crate::sim::tally::Fault;
use crate::sim::world::World;

/// What is known of the class and its hub.
#[derive(Debug, Default)]
pub(crate) struct School {
    /// Whether this world has one.
    is_held: bool,
    /// Devices that reach the hub and not the relay.
    present: BTreeSet<usize>,
    /// Devices that ever did.
    been: BTreeSet<usize>,
    /// Whether the relay makes snapshots meanwhile. What they cover nobody can bring to a hub that began with nothing.
    has_snapshots: bool,
    /// Whether a hub begins with what the relay had when the first lesson began.
    is_prepared: bool,
    prepared: Option<Disk>,
    is_over: bool,
    /// Whether those who come back look at nothing before all that they wrote is at the relay.
    looks_at_nothing: bool,
}

/// What happens around a hub.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bell {
    /// A lesson begins.
    Begins(u64),
    Comes(usize),
    Leaves(usize),
    /// The hub dies, perhaps in the middle of its next commit, and comes back.
    Dies,
    /// Its disk answers for a while that commits and reads fail.
    Falters,
    /// It is gone for good, and another device plays relay.
    TakenOver,
}

/// Percent of worlds that have a hub.
const SCHOOLS: u64 = 25;
/// Longest time until the relay notices that somebody is gone whose link ended without a word.
const UNNOTICED: u64 = 60_000;
/// Those who start anew end before this, and many at once.
const COME_BACK: u64 = 4_000;
const SHUT_AT_ONCE: u64 = 20;
/// Never: no world has a tail of so many entries.
pub(crate) const NEVER: CompactionPlan = CompactionPlan {
    entries: u64::MAX / 4,
    bytes: u64::MAX / 4,
    quiet: causeway_core::time::Millis(0),
    posts: 1,
    sent: 0,
};

impl School {
    pub(crate) fn is_held(&self) -> bool {
        self.is_held
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(crate) fn looks_at_nothing(&self) -> bool {
        self.looks_at_nothing
    }

    /// When the relay makes snapshots.
    pub(crate) fn snapshots(&self, plan: CompactionPlan, troubled: bool) -> CompactionPlan {
        if self.is_held && troubled && !self.has_snapshots { NEVER } else { plan }
    }
}

impl World {
    pub(crate) fn draw_lessons(&mut self) {
        if !self.rng.chance(SCHOOLS) {
            return;
        }
        self.school.is_held = true;
        self.school.has_snapshots = self.rng.chance(50);
        self.school.is_prepared = self.rng.chance(50);
        // What a hub has called saved may be on the disks of its devices alone when it is gone.
        self.plan.kinds.retain(|kind| *kind != Trouble::Wipe);
        // Who was away for longer than history is kept lacks some of it (rule 9).
        self.plan.history = None;
        let mut begins = self.rng.between(1_000, 6_000);
        for lesson in 0.. {
            let ends = begins + self.rng.between(4_000, 20_000);
            if begins >= self.plan.trouble {
                break;
            }
            self.plan(begins, Happening::Bell(Bell::Begins(lesson)));
            // Drawn for all that there may be: a story with fewer devices is the same story.
            for machine in 0..MOST_DEVICES {
                let goes = self.rng.chance(75) && machine < self.plan.devices;
                let comes = begins + self.rng.below(3_000);
                let leaves = ends + self.rng.below(3_000);
                if goes {
                    self.plan(comes, Happening::Bell(Bell::Comes(machine)));
                    self.plan(leaves, Happening::Bell(Bell::Leaves(machine)));
                }
            }
            for (bell, percent) in [(Bell::Dies, 50), (Bell::Falters, 30), (Bell::TakenOver, 40)] {
                if self.rng.chance(percent) {
                    let at = self.rng.between(begins, ends);
                    self.plan(at, Happening::Bell(bell));
                }
            }
            begins = ends + self.rng.between(1_000, 8_000);
        }
    }

    pub(crate) fn ring(&mut self, bell: Bell) {
        if !self.troubled {
            return;
        }
        match bell {
            Bell::Begins(lesson) => self.apart(Apart::Lesson(lesson), |world| world.begin_lesson(lesson)),
            Bell::Comes(machine) => {
                let came = self.come(machine);
                self.tally.add(Fault::CameToHub, u64::from(came));
            }
            Bell::Leaves(machine) => {
                let left = self.leave(machine);
                self.tally.add(Fault::LeftHub, u64::from(left));
            }
            Bell::Dies if self.rng.chance(60) => self.hub.doomed = true,
            Bell::Dies => {
                self.note_hub_killed(At::Hub);
                self.kill_home(At::Hub);
            }
            Bell::Falters => self.hub.failing_until = self.now + self.rng.between(200, 5_000),
            Bell::TakenOver => self.take_hub_over(),
        }
    }

    fn begin_lesson(&mut self, lesson: u64) {
        if lesson == 0 {
            self.school.prepared = self.school.is_prepared.then(|| self.copy_of_relay());
            self.furnish_hub();
            self.start_home(At::Hub);
        } else if self.rng.chance(30) {
            self.take_hub_over();
        }
    }

    fn copy_of_relay(&self) -> Disk {
        let mut disk = self.relay.disk.clone();
        disk.cut_power(0);
        disk
    }

    fn take_hub_over(&mut self) {
        self.tally.note(Fault::HubTakenOver);
        self.chronicle.line(self.now, || "another device is to be the hub".into());
        self.end_hub();
        self.furnish_hub();
    }

    /// Its disk goes with it, so that is looked at first. What a hub began with may have been the relay's rot.
    fn end_hub(&mut self) {
        self.kill_home(At::Hub);
        let sound = !self.relay.has_rotted && !self.relay.has_miswritten;
        if sound || self.school.prepared.is_none() {
            self.compare_salvage(At::Hub);
        }
    }

    /// In the midst of its work.
    pub(crate) fn note_hub_killed(&mut self, at: At) {
        if at == At::Hub && self.hub.home.is_some() {
            self.tally.note(Fault::HubKilled);
        }
    }

    /// Another hub, in an epoch of its own.
    fn furnish_hub(&mut self) {
        let disk = self.school.prepared.clone().unwrap_or_default();
        self.begin_hub(disk);
    }

    /// Which home a device reaches now.
    pub(crate) fn reaches(&self, number: usize) -> At {
        if self.school.present.contains(&self.devices[number].machine) { At::Hub } else { At::Relay }
    }

    /// Answers whether it was elsewhere.
    fn come(&mut self, machine: usize) -> bool {
        self.school.been.insert(machine);
        let comes = self.school.present.insert(machine);
        if comes {
            self.chronicle.line(self.now, || format!("machine {machine} reaches the hub alone"));
            self.lose_links_of(machine);
        }
        comes
    }

    /// Answers whether it was there.
    fn leave(&mut self, machine: usize) -> bool {
        let leaves = self.school.present.remove(&machine);
        if leaves {
            self.chronicle.line(self.now, || format!("machine {machine} reaches the relay again"));
            self.lose_links_of(machine);
        }
        leaves
    }

    /// The home it had hears of it soon, or finds out much later.
    fn lose_links_of(&mut self, machine: usize) {
        for page in self.machines[machine].pages.clone() {
            let Some(id) = self.devices[page].link else { continue };
            if self.rng.chance(50) {
                self.cut(id);
                continue;
            }
            let (soon, late) = (self.now + self.rng.below(200), self.now + self.rng.below(UNNOTICED));
            if let Some(link) = self.links.get_mut(&id) {
                link.alive = false;
                self.plan(soon, Happening::ClosedAtDevice(id, None));
                self.plan(late, Happening::ClosedAtHome(id));
            }
        }
    }

    /// Everybody reaches the relay again, and the hub is gone. Some come back as they start anew.
    pub(crate) fn end_lessons(&mut self) {
        if !self.school.is_held {
            return;
        }
        self.school.is_over = true;
        self.school.looks_at_nothing = true;
        self.school.present.clear();
        self.end_hub();
        let plan = self.plan.compaction;
        if let Some(home) = &mut self.relay.home {
            home.plan_compaction(plan);
        }
        for number in 0..self.devices.len() {
            // Of those who live some are shut down before they have met the relay, and some when they have only just met it.
            let within = if self.rng.chance(50) { SHUT_AT_ONCE } else { COME_BACK };
            if self.rng.chance(70) {
                let (at, life) = (self.now + self.rng.below(within), self.devices[number].life);
                self.plan(at, Happening::EndDevice(number, life, End::Killed));
            }
        }
    }

    /// Rule 10: all that somebody wrote at the hub gets to the relay, also of documents that nobody looks at.
    pub(crate) fn come_back(&mut self) {
        let begun = self.now;
        self.run_until(begun + COME_BACK);
        while self.goes_on() {
            self.run_until(self.now + 250);
            match self.not_brought() {
                None => break,
                Some(what) if self.now - begun > QUIET_WITHIN => self.fail(|| what),
                Some(_) => {}
            }
        }
        self.school.looks_at_nothing = false;
        for number in 0..self.devices.len() {
            self.open_everything(number);
        }
    }

    /// What stands on its author's disk and not at the relay.
    fn not_brought(&self) -> Option<String> {
        self.machines.iter().enumerate().find_map(|(number, machine)| {
            let disk = &machine.disk;
            if disk.rows_of(b'j').next().is_some() {
                return Some(format!("machine {number}, back at the relay, has not sealed what it wrote"));
            }
            let tips = disk.rows_of(b'c').filter_map(|(key, value)| {
                let (stream, replica) = stored::parse_tip_key(key)?;
                let tip = TipRecord::decode(value).ok()?;
                let is_own = disk.row(&stored::replica_key(&replica)).is_some();
                is_own.then_some((stream, EntryName { replica, seq: tip.seq }))
            });
            tips.into_iter().find_map(|(stream, EntryName { replica, seq })| {
                let here = self.relay.durable_seq(&stream, &replica);
                (here < seq).then(|| {
                    format!(
                        "machine {number} wrote {replica}/{seq} of {stream}, and back at the relay are {here}"
                    )
                })
            })
        })
    }

    /// After everything came together: one more lesson, and one of those who were there does not come back. What the others have of
    /// theirs, up to a signed head, comes back with them.
    pub(crate) fn last_lesson(&mut self) {
        let leaves = self.rng.index(self.machines.len());
        self.school.is_over = false;
        self.school.prepared = self.rng.chance(80).then(|| self.copy_of_relay());
        self.furnish_hub();
        self.start_home(At::Hub);
        for machine in 0..self.machines.len() {
            self.come(machine);
        }
        self.run_until(self.now + 5_000);
        for _ in 0..self.rng.between(10, 40) {
            let number = self.rng.index(self.devices.len());
            self.write(number);
            self.settle_device(number);
            let next = self.now + self.rng.below(800);
            self.run_until(next);
        }
        let ends = self.now + self.rng.below(25_000);
        self.run_until(ends);
        self.tally.note(Fault::LastLesson);
        self.leave_for_good(leaves);
        self.school.is_over = true;
        self.end_hub();
        for machine in 0..self.machines.len() {
            self.leave(machine);
        }
        let brought = self.come_back_without(leaves);
        self.tally.add(Fault::BroughtFromHub, brought);
    }

    pub(crate) fn was_at_hub(&self, number: usize) -> bool {
        self.school.been.contains(&self.devices[number].machine)
    }
}
