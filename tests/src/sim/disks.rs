//! What the disks of the world answer, and when.

use causeway_core::snapshot::{Job, JobError};
use causeway_core::storage::{Commit, CommitError, Durability, FailureKind, Scan, StoreFailure};
use causeway_core::write_queue::OpId;
use causeway_core::{device, home};

use crate::sim::agenda::Happening;
use crate::sim::relay::At;
use crate::sim::rows;
use crate::sim::tally::Fault;
use crate::sim::world::World;

impl World {
    pub(crate) fn device_disk_delay(&mut self, number: usize) -> u64 {
        if self.devices[number].slow_disk_until > self.now {
            self.tally.note(Fault::SlowDisk);
            return self.rng.between(50, 1_500);
        }
        self.rng.between(0, 8)
    }

    pub(crate) fn home_disk_delay(&mut self, at: At) -> u64 {
        if self.at(at).slow_disk_until > self.now {
            self.tally.note(Fault::SlowDisk);
            return self.rng.between(50, 1_500);
        }
        self.rng.between(0, 6)
    }

    pub(crate) fn device_commits(&mut self, number: usize, op: OpId, commit: Commit) {
        let at = self.now + self.device_disk_delay(number);
        let device = &mut self.devices[number];
        if device.pending.replace((op, commit)).is_some() {
            self.fail(|| format!("device {number} has two commits under way"));
        }
        let life = self.devices[number].life;
        if let Some(end) = self.devices[number].doom.take() {
            let before = self.rng.between(self.now, at);
            self.plan(before, Happening::EndDevice(number, life, end));
        }
        self.plan(at, Happening::DeviceStored(number, life));
    }

    pub(crate) fn device_stored(&mut self, number: usize, life: u32) {
        let failing = self.devices[number].failing_until > self.now && self.rng.chance(70);
        let carried_out = !failing || self.rng.chance(50);
        let device = &mut self.devices[number];
        if device.life != life {
            return;
        }
        let Some((op, commit)) = device.pending.take() else { return };
        let mut result = if carried_out { self.disk_of(number).commit(&commit) } else { Ok(()) };
        if carried_out
            && result.is_ok()
            && let Some(what) = rows::stored_too_early(self.disk_of(number), &commit)
        {
            self.fail(|| format!("device {number} {what}"));
        }
        if failing {
            self.tally.note(Fault::DeviceDiskFailed);
            self.chronicle.line(self.now, || format!("a commit of device {number} fails ({carried_out})"));
            result = Err(CommitError::Failed(failure()));
        }
        let strict = result.is_ok() && commit.durability == Durability::Strict;
        self.chronicle.trace(self.now, "device stored", number as u64, &[u8::from(result.is_ok())]);
        if let Err(CommitError::Conflict { .. }) = &result
            && self.siblings(number).len() == 1
        {
            self.fail(|| format!("device {number} finds somebody else on its disk"));
        }
        self.tell_device(number, device::Input::Stored(op, result));
        if strict {
            self.note_durable(number);
        }
    }

    /// After a strict commit a power cut takes nothing that was on the disk by now.
    fn note_durable(&mut self, number: usize) {
        for page in self.siblings(number) {
            self.ledger.sync(page);
        }
        let device = &mut self.devices[number];
        let Some(room) = &device.room else { return };
        for (stream, newest) in self.ledger.newest_edits(device.life()) {
            let on_disk = newest.saturating_sub(room.save_status(stream).unsaved_on_device);
            device.durable.insert(stream, on_disk);
        }
    }

    pub(crate) fn device_scanned(&mut self, number: usize, life: u32, op: OpId, scan: &Scan) {
        let failing = self.devices[number].failing_until > self.now && self.rng.chance(20);
        let device = &self.devices[number];
        if device.life != life {
            return;
        }
        let result = if failing {
            self.tally.note(Fault::DeviceReadFailed);
            Err(failure())
        } else {
            self.disk_of(number).scan(scan)
        };
        self.chronicle.trace(self.now, "device scanned", number as u64, &[]);
        self.tell_device(number, device::Input::Scanned(op, result));
    }

    pub(crate) fn home_commits(&mut self, at: At, op: OpId, commit: Commit) {
        let stored = self.now + self.home_disk_delay(at);
        if at == At::Relay {
            self.check_history(&commit);
        }
        self.check_lies(&commit);
        if self.at_mut(at).pending.replace((op, commit)).is_some() {
            self.fail(|| format!("{at} has two commits under way"));
        }
        let life = self.at(at).life;
        if std::mem::take(&mut self.at_mut(at).doomed) {
            let before = self.rng.between(self.now, stored);
            self.plan(before, Happening::EndHome(at, life));
        }
        self.plan(stored, Happening::HomeStored(at, life));
    }

    pub(crate) fn home_stored(&mut self, at: At, life: u32) {
        if self.at(at).life != life || self.at(at).home.is_none() {
            return;
        }
        let failing = self.at(at).failing_until > self.now && self.rng.chance(60);
        let carried_out = !failing || self.rng.chance(50);
        let Some((op, mut commit)) = self.at_mut(at).pending.take() else { return };
        if carried_out && let Some(what) = rows::stored_twice(&self.at(at).disk, &commit) {
            self.fail(|| format!("{at} {what}"));
        }
        if carried_out && !failing && self.at(at).miswrites {
            self.miswrite(&mut commit);
        }
        let mut result = if carried_out { self.at_mut(at).disk.commit(&commit) } else { Ok(()) };
        if carried_out {
            self.note_taken(at, &commit);
        }
        if carried_out && let Some(what) = rows::stored_too_early(&self.at(at).disk, &commit) {
            self.fail(|| format!("{at} {what}"));
        }
        if failing {
            self.tally.note(match at {
                At::Relay => Fault::RelayDiskFailed,
                At::Hub => Fault::HubDiskFailed,
            });
            self.chronicle.line(self.now, || format!("a commit of {at} fails ({carried_out})"));
            result = Err(CommitError::Failed(failure()));
        }
        self.chronicle.trace(self.now, "home stored", op.0, &[u8::from(result.is_ok())]);
        self.tell_home(at, home::Input::Stored(op, result));
    }

    pub(crate) fn home_materialised(&mut self, at: At, life: u32, op: OpId, job: Job) {
        if self.at(at).life != life || self.at(at).home.is_none() {
            return;
        }
        let busy = self.troubled && self.rng.chance(5);
        let result = if busy {
            self.tally.note(Fault::MaterialiserBusy);
            Err(JobError::Busy)
        } else {
            job.run(&mut || true)
        };
        let honest = !self.relay.has_miswritten;
        if let Some(error) = result.as_ref().err().filter(|error| honest && **error != JobError::Busy) {
            self.fail(|| format!("a job of {at} fails: {error}"));
        }
        self.tell_home(at, home::Input::Materialised(op, result));
    }

    pub(crate) fn home_scanned(&mut self, at: At, life: u32, op: OpId, scan: &Scan) {
        if self.at(at).life != life || self.at(at).home.is_none() {
            return;
        }
        let failing = self.at(at).failing_until > self.now && self.rng.chance(20);
        let result = if failing {
            self.tally.note(match at {
                At::Relay => Fault::RelayReadFailed,
                At::Hub => Fault::HubDiskFailed,
            });
            self.chronicle.line(self.now, || format!("a read of {at} fails"));
            Err(failure())
        } else {
            let now = self.now;
            self.at_mut(at).read(scan, now)
        };
        self.tell_home(at, home::Input::Scanned(op, result));
    }
}

fn failure() -> StoreFailure {
    StoreFailure::new(FailureKind::Io, "the disk of this simulated world does not feel well")
}
