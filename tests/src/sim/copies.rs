//! Disks that are copied while their device lives (rule 12): both go on from the same rows, under names that only one of them
//! can have.

use causeway_core::device::{ForkId, Role};
use causeway_core::ids::StreamId;

use crate::disk::Disk;
use crate::sim::device::End;
use crate::sim::plan::Trouble;
use crate::sim::tally::Fault;
use crate::sim::world::{Apart, Happening, World};

/// Longest time forks that were put back may need to reach everybody.
const RETURNED_WITHIN: u64 = 60_000;

impl World {
    /// In half of the worlds somebody copies a disk.
    pub(crate) fn plan_copy(&mut self) {
        if self.rng.chance(50) && !self.machines.is_empty() {
            let machine = self.rng.index(self.machines.len());
            let at = self.rng.between(self.plan.trouble / 4, self.plan.trouble * 3 / 4);
            self.plan(at, Happening::CopyDisk(machine));
            if self.rng.chance(60) {
                // What is written without a link stands on the disk and nowhere else, and both copies have it.
                let before = at.saturating_sub(self.rng.between(200, 4_000));
                self.plan(before, Happening::LeaveNetwork(machine));
            }
        }
    }

    /// All that the disk has answered for, or as much of it as would outlive the power, as a copying tool finds it.
    pub(crate) fn copy_disk(&mut self, machine: usize) {
        if !self.troubled {
            return;
        }
        let mut disk: Disk = self.machines[machine].disk.clone();
        let read = self.machines[machine].read.clone();
        self.tally.note(Fault::DiskCopied);
        self.chronicle.line(self.now, || format!("the disk of device {machine} is copied"));
        let first = self.machines[machine].leader.unwrap_or(self.machines[machine].pages[0]);
        let life = self.devices[first].life;
        self.apart(Apart::Copy, |world| {
            world.add_machine(1);
            if world.rng.chance(20) {
                disk.cut_power(0);
            }
            if world.rng.chance(60) {
                // Both copies seal what this page leaves.
                let end = world.now + world.rng.between(200, 6_000);
                world.plan(end, Happening::EndDevice(first, life, End::Killed));
            }
        });
        self.machines[machine].is_copied = true;
        if let Some(copy) = self.machines.last_mut() {
            (copy.disk, copy.read, copy.is_vague, copy.is_copied) = (disk, read, true, true);
        }
    }

    pub(crate) fn leave_network(&mut self, machine: usize) {
        for page in self.machines[machine].pages.clone() {
            self.go_offline(page);
        }
    }

    pub(crate) fn is_copied(&self, page: usize) -> bool {
        self.machines[self.devices[page].machine].is_copied
    }

    /// What two copies have written under one name stands in the text once; the other's is a fork.
    pub(crate) fn note_copied(&mut self) {
        // A home that was put back to yesterday may have taken the other copy's words for those it had called saved.
        let is_saved_for_good = !self.plan.kinds.contains(&Trouble::Restore);
        let pages: Vec<usize> = (0..self.devices.len()).filter(|page| self.is_copied(*page)).collect();
        for stream in self.documents.clone() {
            let text = self.shown(stream);
            for page in &pages {
                self.ledger.take_for_forked(*page, stream, &text, is_saved_for_good);
            }
        }
    }

    /// A text as the first page shows it; all show the same when it is asked for.
    fn shown(&self, stream: StreamId) -> String {
        let room = self.devices.iter().find_map(|device| device.room.as_ref());
        room.and_then(|room| room.text(stream).ok()).unwrap_or_default()
    }

    /// Rule 12: whoever wrote what became a fork does it again, under a new name: then it is in a text, and everybody sees it.
    pub(crate) fn put_copies_back(&mut self) {
        if self.failure.is_some() {
            return;
        }
        let documents = self.documents.clone();
        let lost: Vec<(usize, char)> =
            documents.iter().flat_map(|stream| self.ledger.forked(*stream, &self.shown(*stream))).collect();
        let leads = |world: &Self, page: usize| {
            let room = world.devices[page].room.as_ref();
            world.is_copied(page) && room.is_some_and(|room| room.role() == Role::Leading)
        };
        let leaders: Vec<usize> = (0..self.devices.len()).filter(|page| leads(self, *page)).collect();
        let mut made = Vec::new();
        for page in &leaders {
            made.extend(self.put_back_forks(*page));
        }
        self.open_on_all(&made);
        let begun = self.now;
        while self.failure.is_none() && leaders.iter().any(|page| !self.has_no_forks(*page)) {
            if self.now - begun > RETURNED_WITHIN {
                return self.fail(|| "forks that were put back do not go".into());
            }
            self.run_until(self.now + 250);
        }
        self.run_until(self.now + 3_000);
        let texts: Vec<String> =
            documents.iter().chain(&made).map(|stream| self.shown_anywhere(*stream)).collect();
        let copied = lost.into_iter().filter(|(page, _)| self.is_copied(*page));
        if let Some((page, _)) =
            copied.into_iter().find(|(_, mark)| !texts.iter().any(|text| text.contains(*mark)))
        {
            self.fail(|| format!("work of page {page} was put back and is in no text"));
        }
    }

    /// Answers the documents that whole texts become.
    fn put_back_forks(&mut self, page: usize) -> Vec<StreamId> {
        let now = self.devices[page].now(self.now);
        let Some(room) = self.devices[page].room.as_mut() else { return Vec::new() };
        let ids: Vec<ForkId> = room.forks().iter().map(|fork| fork.id).collect();
        let mut made = Vec::new();
        for (number, id) in ids.into_iter().enumerate() {
            // Drafts of posts are the composer's.
            if let Ok(target) = room.reapply_fork(id, &format!("rescued {page} {number}"), now) {
                made.extend(Some(target).filter(|target| *target != id.stream));
            }
        }
        self.tally.add(Fault::CopyPutBack, made.len() as u64);
        self.settle_device(page);
        made
    }

    fn open_on_all(&mut self, documents: &[StreamId]) {
        for page in 0..self.devices.len() {
            let Some(room) = self.devices[page].room.as_mut() else { continue };
            for document in documents {
                room.open_text(*document).expect("a text");
            }
            self.settle_device(page);
        }
    }

    fn has_no_forks(&self, page: usize) -> bool {
        self.devices[page].room.as_ref().is_none_or(|room| room.forks().is_empty())
    }

    fn shown_anywhere(&self, stream: StreamId) -> String {
        let rooms = self.devices.iter().filter_map(|device| device.room.as_ref());
        rooms.filter_map(|room| room.text(stream).ok()).collect()
    }
}
