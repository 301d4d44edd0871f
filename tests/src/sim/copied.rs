//! Copied disks, in some worlds (rule 12): an image of a device's disk comes to life beside it, at once or much later, or is put
//! back under the device it was taken of, as somebody does with a backup of their own.
//!
//! What lies in its journals is sealed under the names that wrote it, there as here, so two chains of one name part. No image has
//! the machine's random numbers in it: both would draw the same new names, which is not settled.

use std::collections::{BTreeMap, BTreeSet};

use causeway_core::device::{Receipt, ReceiptState};
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::{Entry, EntryName};
use causeway_core::replica::Identity;
use causeway_core::storage::Commit;
use causeway_core::stored::{self, Prefix, ReplicaRecord};

use crate::disk::Disk;
use crate::sim::agenda::{Apart, Happening};
use crate::sim::checks::QUIET_WITHIN;
use crate::sim::device::{Device, End};
use crate::sim::ledger::{Aside, EditNo};
use crate::sim::pages::Machine;
use crate::sim::plan::Trouble;
use crate::sim::relay::At;
use crate::sim::rows;
use crate::sim::tally::Fault;
use crate::sim::world::World;

/// What is known of copied disks.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    /// Whether this world has any.
    are_made: bool,
    /// The epoch of the relay as it began: in another it was put back.
    first_epoch: u64,
    images: BTreeMap<u64, Image>,
    /// Devices of which another has the disk, or which have another's, or an older one of their own.
    met: BTreeSet<usize>,
    /// What a device that began from an image has on its disk, whoever wrote it.
    holdings: BTreeMap<usize, BTreeSet<EditNo>>,
    /// Streams of which something was set aside on a device that met a copy.
    forked: BTreeSet<(usize, StreamId)>,
    /// What homes have taken under each name, and which of them, in worlds with copies.
    taken: BTreeMap<(StreamId, EntryName), BTreeMap<Keeper, Hash>>,
    /// Names that stood on copied disks: more than one device may write under them.
    names: BTreeSet<ReplicaId>,
    /// Whether homes have taken other words under one of those.
    have_parted: bool,
}

/// A home and its epoch: the relay that was put back is another, and so is each hub.
type Keeper = (At, u64);
type Hash = [u8; 32];

/// A device's disk as it was.
#[derive(Clone, Debug)]
struct Image {
    machine: usize,
    disk: Disk,
    edits: BTreeSet<EditNo>,
}

/// What happens to the copies of a world, by their number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Somebody is about to copy a disk.
    Begins(u64),
    /// The disk of a device is copied.
    Taken(u64, usize),
    /// The image is the disk of a device from now on, for the first time or another.
    Wakes(u64, u64),
}

/// Percent of worlds that have copies, and how many those have at most.
const COPIES: u64 = 17;
const MOST: u64 = 3;
/// More than how often one image wakes.
const WAKES: u64 = 8;
/// How often somebody whose disk was copied may be refused what they write, one attempt after the other.
const ATTEMPTS: u64 = 2;
/// So long somebody without a link has written before their disk is copied.
const APART: u64 = 6_000;
/// Longest time between an image and what becomes of it.
const LATE: u64 = 40_000;

impl Copies {
    /// What others than the two who wrote it do where one home has other words under a name than another had is not settled: a
    /// device gives way for its own names alone (rule 12). There the story ends.
    pub(crate) fn have_parted(&self) -> bool {
        self.have_parted
    }

    /// Whether a home has ever had this very entry.
    pub(crate) fn was_taken(&self, entry: &Entry) -> bool {
        let name = (entry.header().stream, entry.name());
        self.taken.get(&name).is_some_and(|taken| taken.values().any(|held| *held == hash(entry)))
    }

    /// The relay begins.
    pub(crate) fn note_relay(&mut self, epoch: u64) {
        self.first_epoch = epoch;
    }

    /// Work of a device that met a copy was set aside.
    pub(crate) fn note_fork(&mut self, machine: usize, stream: StreamId) {
        self.forked.insert((machine, stream));
    }

    /// Whether the disk of a machine was copied, or comes from a copy.
    pub(crate) fn met(&self, machine: usize) -> bool {
        self.met.contains(&machine)
    }
}

impl World {
    pub(crate) fn draw_copies(&mut self) {
        // Of two homes each may meet another of two copies first, and what others do then is not settled.
        if !self.rng.chance(COPIES) || self.school.is_held() {
            return;
        }
        self.copies.are_made = true;
        // What history has let go of cannot be compared: it stays unsaved on the copy, which asks without end.
        self.plan.history = None;
        for number in 0..self.rng.between(1, MOST) {
            let at = self.rng.between(1_000, self.plan.trouble);
            if !self.options.cuts.copies.contains(&number) {
                self.plan(at, Happening::Copied(Step::Begins(number)));
            }
        }
    }

    pub(crate) fn copied(&mut self, step: Step) {
        if !self.troubled {
            return;
        }
        match step {
            Step::Begins(number) => self.apart(Apart::Image(number), |world| world.begin_copy(number)),
            Step::Taken(number, machine) => {
                self.apart(Apart::ImageTaken(number), |world| world.take_image(number, machine));
            }
            Step::Wakes(number, time) => {
                self.apart(Apart::ImageWakes(number * WAKES + time), |world| world.wake_image(number));
            }
        }
    }

    /// Whether what a copied device has under a name of its own has come from a home.
    pub(crate) fn came_back(&self, machine: usize, stream: &StreamId, name: EntryName) -> bool {
        let disk = &self.machines[machine].disk;
        let held = rows::entry_of(|key| disk.row(key), stream, name);
        let is_at_home = held.is_some_and(|entry| self.copies.was_taken(&entry));
        self.copies.met(machine) && (is_at_home || rows::covers(disk, stream, name))
    }

    /// A home takes what somebody wrote. Never two entries under one name; but of two homes each may have met another of two
    /// copies first.
    pub(crate) fn note_taken(&mut self, at: At, commit: &Commit) {
        if !self.copies.are_made {
            return;
        }
        let keeper = (at, self.at(at).epoch);
        for (_, entry) in commit.put.iter().filter_map(rows::as_entry) {
            let hash = hash(&entry);
            let taken = self.copies.taken.entry((entry.header().stream, entry.name())).or_default();
            let before = taken.insert(keeper, hash);
            if before.is_some_and(|before| before != hash) {
                return self.fail(|| format!("{at} takes other words as {entry:?}"));
            }
            if taken.values().any(|held| *held != hash) && !self.copies.have_parted {
                if !self.copies.names.contains(&entry.name().replica) {
                    return self.fail(|| format!("{at} takes other words than another home as {entry:?}"));
                }
                self.copies.have_parted = true;
                self.tally.note(Fault::HomesParted);
                self.chronicle.line(self.now, || format!("another home has other words as {entry:?}"));
            }
        }
    }

    fn begin_copy(&mut self, number: u64) {
        self.copies_made.push(number);
        // A page that slept while its leader met a copy may show until it is loaded anew what does not stand.
        let alone: Vec<usize> = self.alone().collect();
        if alone.is_empty() {
            return;
        }
        let machine = alone[self.rng.index(alone.len())];
        if self.rng.chance(45) {
            // It is shut first.
            for page in self.machines[machine].pages.clone() {
                self.end_life(page, End::Killed);
            }
            return self.take_image(number, machine);
        }
        let mut at = self.now;
        if self.rng.chance(60) {
            // What is written without a link waits in journals.
            for page in self.machines[machine].pages.clone() {
                self.go_offline(page);
            }
            at += self.rng.below(APART);
        }
        self.plan(at, Happening::Copied(Step::Taken(number, machine)));
    }

    /// Devices with one page.
    fn alone(&self) -> impl Iterator<Item = usize> {
        self.machines
            .iter()
            .enumerate()
            .filter(|(_, machine)| machine.pages.len() == 1)
            .map(|(number, _)| number)
    }

    /// What a power cut would leave.
    fn take_image(&mut self, number: u64, machine: usize) {
        let mut disk = self.machines[machine].disk.clone();
        disk.cut_power(0);
        let mut edits = self.copies.holdings.get(&machine).cloned().unwrap_or_default();
        for page in self.machines[machine].pages.clone() {
            edits.extend(self.ledger.on_disk(self.devices[page].life(), &self.devices[page].durable));
        }
        self.tally.note(Fault::DiskCopied);
        self.chronicle.line(self.now, || {
            format!("the disk of machine {machine} is copied, with {} edits", edits.len())
        });
        self.copies.images.insert(number, Image { machine, disk, edits });
        for time in 0..self.rng.between(1, 4) / 3 + 1 {
            let soon = if self.rng.chance(40) { 1_000 } else { LATE };
            let late = self.plan.trouble.saturating_sub(self.rng.below(8_000));
            let at = (self.now + self.rng.below(soon)).min(late);
            self.plan(at, Happening::Copied(Step::Wakes(number, time)));
        }
    }

    fn wake_image(&mut self, number: u64) {
        let Some(image) = self.copies.images.get(&number).cloned() else { return };
        let records = image.disk.rows_of(Prefix::Replica as u8);
        let records = records.filter_map(|(_, row)| ReplicaRecord::decode(row).ok());
        self.copies.names.extend(records.map(|record| Identity::from_secret(&record.secret).id()));
        if self.rng.chance(50) && self.may_put_back() { self.put_back(image) } else { self.begin_from(image) }
    }

    /// Another machine has the disk.
    fn begin_from(&mut self, image: Image) {
        let (machine, Image { machine: original, disk, edits }) = (self.machines.len(), image);
        self.tally.note(Fault::CopyWoke);
        self.chronicle
            .line(self.now, || format!("machine {machine} begins with the copied disk of {original}"));
        self.copies.met.extend([original, machine]);
        self.copies.holdings.insert(machine, edits);
        let Machine { read, is_vague, person, .. } = &self.machines[original];
        let (read, is_vague, person) = (read.clone(), *is_vague, *person);
        self.add_machine(1);
        let new = &mut self.machines[machine];
        (new.disk, new.read, new.is_vague, new.person) = (disk, read, is_vague, person);
        if self.rng.chance(40) {
            let until = self.now + self.rng.between(500, 20_000);
            for page in self.machines[machine].pages.clone() {
                self.devices[page].offline_until = until;
            }
        }
    }

    /// As with disks that are gone: what a relay that is put back, too, or a hub that is gone once called saved may stand on the
    /// disk that goes alone, and what others wrote upon it waits for it. What has rotted at the relay may stand there alone as well.
    fn may_put_back(&self) -> bool {
        let is_sole = self.school.is_held() || self.plan.kinds.contains(&Trouble::Restore);
        !is_sole && self.unmended().is_none()
    }

    /// The device has its own disk of some time ago.
    fn put_back(&mut self, image: Image) {
        let Image { machine, disk, edits } = image;
        self.tally.note(Fault::DiskPutBack);
        self.chronicle.line(self.now, || format!("the disk of machine {machine} is put back"));
        self.copies.met.insert(machine);
        let pages = self.machines[machine].pages.clone();
        for page in &pages {
            self.end_life(*page, End::Killed);
        }
        for page in pages {
            self.ledger.put_back(page, &edits);
        }
        self.copies.holdings.insert(machine, edits);
        *self.disk_of(self.machines[machine].pages[0]) = disk;
    }

    /// After all is quiet whoever met a copy writes on in every text, and again when the relay has started anew. What is written
    /// first may be refused, as the home takes no more of a chain in which it was brought other words; what comes then is saved.
    pub(crate) fn write_on(&mut self) {
        self.write_on_within(ATTEMPTS);
        if self.goes_on() && self.devices.iter().any(|device| self.copies.met(device.machine)) {
            // A start forgets what was refused, and nobody brings other words any more.
            self.kill_home(At::Relay);
            self.start_home(At::Relay);
            self.write_on_within(1);
        }
    }

    fn write_on_within(&mut self, attempts: u64) {
        let met =
            self.devices.iter().filter(|device| self.copies.met(device.machine) && device.room.is_some());
        let met: Vec<usize> = met.map(|device| device.number).collect();
        let mut refused = None;
        for _ in 0..attempts {
            if !self.goes_on() {
                return;
            }
            refused = self.write_everywhere(&met);
            if refused.is_none() {
                return;
            }
        }
        if let Some((number, stream)) = refused {
            self.fail(|| format!("what device {number} writes in {stream} is refused again and again"));
        }
    }

    /// Answers one of those that were refused.
    fn write_everywhere(&mut self, pages: &[usize]) -> Option<(usize, StreamId)> {
        let mut written = Vec::new();
        for number in pages {
            let now = self.devices[*number].now(self.now);
            for stream in self.documents.clone() {
                let room = self.devices[*number].room.as_mut()?;
                match room.edit(stream, None, now, |edit| edit.insert(0, "on ")) {
                    Ok(receipt) => written.push((*number, receipt)),
                    Err(error) => {
                        self.fail(|| format!("device {number} cannot write on in {stream}: {error}"));
                    }
                }
            }
            self.settle_device(*number);
        }
        let begun = self.now;
        loop {
            self.run_until(self.now + 250);
            let states =
                || written.iter().map(|written| (written.0, written.1.stream, self.state_of(written)));
            let waits = states().find(|(.., state)| !state.relay && !state.refused);
            let refused = states().find(|(.., state)| state.refused);
            match waits {
                None => return refused.map(|(number, stream, _)| (number, stream)),
                Some((number, stream, _)) if self.now - begun > QUIET_WITHIN => {
                    self.fail(|| format!("what device {number} writes on in {stream} is not saved"));
                }
                Some(_) => {}
            }
            if !self.goes_on() {
                return None;
            }
        }
    }

    fn state_of(&self, (number, receipt): &(usize, Receipt)) -> ReceiptState {
        self.devices[*number].room.as_ref().map(|room| room.receipt(receipt)).unwrap_or_default()
    }

    /// A disk is gone, and what it had of a copy.
    pub(crate) fn forget_copy(&mut self, machine: usize) {
        self.copies.holdings.remove(&machine);
    }

    /// Of pages whose disk was copied: the pieces of all forks of a stream on it, one behind the other.
    fn forks_of_copies(&self, stream: StreamId) -> BTreeMap<usize, Vec<u8>> {
        let copied = self.devices.iter().filter(|device| self.copies.met(device.machine));
        copied
            .map(|device| {
                let forks = self.machines[device.machine].disk.rows_of(b'f');
                let of_stream =
                    forks.filter(|(key, _)| stored::parse_fork_key(key).is_some_and(|(of, ..)| of == stream));
                let records = of_stream.filter_map(|(_, row)| stored::ForkRecord::decode(row).ok());
                (device.number, records.flat_map(|record| record.payload).collect())
            })
            .collect()
    }

    /// What copied devices have of a stream beside its text.
    pub(crate) fn aside(&self, stream: StreamId) -> Aside<'_> {
        let holdings = self.copies.holdings.iter();
        let has_forked = |device: &&Device| self.copies.forked.contains(&(device.machine, stream));
        Aside {
            forked: self.devices.iter().filter(has_forked).map(|device| device.number).collect(),
            forks: self.forks_of_copies(stream),
            holdings: holdings.map(|(machine, edits)| (self.machines[*machine].pages[0], edits)).collect(),
            saved_stays: self.relay.epoch == self.copies.first_epoch && !self.school.is_held(),
        }
    }
}

fn hash(entry: &Entry) -> Hash {
    *blake3::hash(entry.bytes()).as_bytes()
}
