//! Trouble: what the world does to devices, links and the relay.

use causeway_core::device::{Role, Room};
use causeway_core::home;
use causeway_core::ids::StreamId;
use causeway_core::time::Millis;

use crate::disk::Disk;
use crate::sim::agenda::{Apart, Happening};
use crate::sim::device::End;
use crate::sim::ledger::Fate;
use crate::sim::plan::Trouble;
use crate::sim::relay::At;
use crate::sim::tally::Fault;
use crate::sim::world::World;

impl World {
    /// One stroke of fate, and an appointment for the next.
    pub(crate) fn strike(&mut self) {
        if !self.troubled {
            return;
        }
        self.strokes += 1;
        let number = self.strokes;
        self.apart(Apart::Stroke(number), |world| {
            let next = world.now + world.rng.between(world.plan.calm / 4, world.plan.calm * 2);
            world.plan(next, Happening::Fate);
            if !world.plan.kinds.is_empty() && !world.options.cuts.strokes.contains(&number) {
                world.fall();
            }
        });
    }

    fn fall(&mut self) {
        let kind = self.plan.kinds[self.rng.index(self.plan.kinds.len())];
        let device = self.rng.index(self.devices.len());
        match kind {
            Trouble::Cut | Trouble::Lossy | Trouble::Twice | Trouble::HalfOpen | Trouble::SlowReader => {
                if let Some(link) = self.devices[device].link {
                    self.harm_link(link, kind);
                }
            }
            Trouble::Offline => self.go_offline(device),
            Trouble::Kill => self.end_soon(device, End::Killed),
            Trouble::PowerCut => self.end_soon(device, End::PowerCut),
            Trouble::Wipe if self.rng.chance(30) => self.end_soon(device, End::Wiped),
            Trouble::DeviceDisk => {
                self.devices[device].failing_until = self.now + self.rng.between(200, 5_000);
            }
            Trouble::RelayKill if self.rng.chance(60) => self.relay.doomed = true,
            Trouble::RelayKill => self.kill_home(At::Relay),
            Trouble::RelayStop => self.stop_relay(),
            Trouble::RelayDisk => self.relay.failing_until = self.now + self.rng.between(200, 5_000),
            Trouble::Restore => self.back_up_or_restore(),
            Trouble::SlowDisk => {
                let until = self.now + self.rng.between(500, 8_000);
                if self.rng.chance(50) {
                    self.relay.slow_disk_until = until;
                } else {
                    self.devices[device].slow_disk_until = until;
                }
            }
            Trouble::Sleep => self.put_to_sleep(device),
            Trouble::Usurp => self.usurp(device),
            Trouble::Nudge => self.tell_device(device, causeway_core::device::Input::Reconnect),
            Trouble::Rot => self.rot(),
            Trouble::Miswrite => self.relay.miswrites = true,
            Trouble::Wipe => {}
        }
    }

    fn harm_link(&mut self, id: u64, kind: Trouble) {
        let end = self.now + self.rng.between(100, 15_000);
        let few = self.rng.between(1, 5) as u32;
        let device_notices = self.rng.chance(50);
        let Some(link) = self.links.get_mut(&id) else { return };
        match kind {
            Trouble::Lossy => {
                // A byte stream that has lost something has not long to live.
                link.to_lose += few;
                self.plan(end, Happening::CutLink(id));
            }
            Trouble::Twice => link.to_repeat += few,
            Trouble::SlowReader => {
                link.slow_until = end;
                self.tally.note(Fault::SlowReader);
            }
            Trouble::HalfOpen => {
                link.alive = false;
                self.chronicle.line(self.now, || format!("link {id} is half open"));
                let soon = self.now + self.rng.below(500);
                if device_notices {
                    self.tally.note(Fault::HalfOpenHome);
                    self.plan(soon, Happening::ClosedAtDevice(id, None));
                } else {
                    self.tally.note(Fault::HalfOpenDevice);
                    self.plan(soon, Happening::ClosedAtHome(id));
                }
            }
            _ => {
                self.tally.note(Fault::Cut);
                self.cut(id);
            }
        }
    }

    pub(crate) fn go_offline(&mut self, number: usize) {
        self.tally.note(Fault::Offline);
        self.devices[number].offline_until = self.now + self.rng.between(500, 30_000);
        if let Some(link) = self.devices[number].link {
            self.cut(link);
        }
    }

    /// Now, or in the middle of the next commit.
    fn end_soon(&mut self, number: usize, end: End) {
        if self.rng.chance(60) {
            self.devices[number].doom = Some(end);
        } else {
            self.end_life(number, end);
        }
    }

    /// A process is killed alone; the power and the disk go with all pages of the device.
    pub(crate) fn end_life(&mut self, number: usize, end: End) {
        if end == End::Killed {
            return self.end_page(number, end);
        }
        if self.siblings(number).iter().all(|page| self.devices[*page].room.is_none()) {
            return;
        }
        for page in self.siblings(number) {
            self.end_page(page, end);
        }
        match end {
            End::Killed => {}
            End::PowerCut => {
                for page in self.siblings(number) {
                    self.ledger.cut_power(page);
                }
                let kept = self.disk_of(number).above_frontier() + 1;
                let kept = self.rng.index(kept);
                self.disk_of(number).cut_power(kept);
                self.tally.note(Fault::DevicePowerCut);
            }
            End::Wiped => {
                *self.disk_of(number) = Disk::default();
                self.tally.note(Fault::DeviceWiped);
                self.forget_copy(self.devices[number].machine);
                for page in self.siblings(number) {
                    self.ledger.wipe(page);
                }
            }
        }
    }

    fn end_page(&mut self, number: usize, end: End) {
        let device = &mut self.devices[number];
        device.doom = None;
        let Some(room) = device.room.take() else { return };
        let life = device.life();
        self.chronicle.line(self.now, || format!("device {number} dies: {end:?}"));
        if let Some((_, commit)) = self.devices[number].pending.take() {
            if self.rng.chance(50) {
                // Whatever it answers, nobody hears it.
                let _ = self.disk_of(number).commit(&commit);
            } else {
                self.tally.note(Fault::DeviceCommitTorn);
            }
        }
        self.judge_edits(number, &room, life, end);
        if end == End::Killed {
            self.tally.note(Fault::DeviceKilled);
        }
        self.end_channels_of(number);
        let machine = self.devices[number].machine;
        if self.machines[machine].leader == Some(number) {
            self.machines[machine].leader = None;
            self.elect_soon(machine, 3_000);
        }
        let device = &mut self.devices[number];
        device.connecting = false;
        if let Some(id) = device.link.take()
            && let Some(link) = self.links.get_mut(&id)
        {
            link.at_device = false;
            // A dead process has its sockets closed for it; a machine without power tells nobody.
            if end == End::Killed && link.alive {
                let at = link.last_to_home.max(self.now + link.delay);
                self.plan(at, Happening::ClosedAtHome(id));
            } else {
                link.alive = false;
                let late = self.now + 160_000;
                self.plan(late, Happening::ClosedAtHome(id));
            }
        }
        let back = self.now + self.rng.between(50, 15_000);
        self.plan(back, Happening::StartDevice(number));
    }

    fn judge_edits(&mut self, number: usize, room: &Room, life: (usize, u32), end: End) {
        let durable = self.devices[number].durable.clone();
        let synced = |stream: &StreamId, edit: u64| durable.get(stream).is_some_and(|upto| edit <= *upto);
        let follows = room.role() == Role::Following;
        let at_school = self.school.is_held();
        self.ledger.end_of_life(life, |stream, edit| {
            let receipt = causeway_core::device::Receipt { stream, edit };
            let state = room.receipt(&receipt);
            // What a leader calls kept is behind the frontier.
            let held = if follows { state.device } else { synced(&stream, edit) };
            match end {
                End::Killed if state.refused && state.device => Fate::Forked,
                _ if state.refused => Fate::Unsure,
                // A hub may be gone for good with what it called saved: these devices hold it, and do not lose their disks.
                _ if state.relay && !at_school => Fate::Saved,
                End::Killed | End::PowerCut if held => Fate::Held,
                End::Killed if state.device => Fate::Kept,
                End::Killed | End::PowerCut | End::Wiped => Fate::Unsure,
            }
        });
    }

    /// An orderly end: everybody is told, what was taken is answered, then the process goes.
    fn stop_relay(&mut self) {
        if self.relay.home.is_none() {
            return;
        }
        self.tally.note(Fault::RelayStopped);
        self.chronicle.line(self.now, || "the relay is told to stop".into());
        self.tell_home(At::Relay, home::Input::Stop { spread: Millis(3_000) });
        let gone = self.now + self.rng.between(100, 2_000);
        let life = self.relay.life;
        self.plan(gone, Happening::EndHome(At::Relay, life));
    }

    /// Yesterday's copy of the relay's disk, made or put back.
    fn back_up_or_restore(&mut self) {
        if self.relay.backup.is_none() || self.rng.chance(60) {
            let mut copy = self.relay.disk.clone();
            copy.cut_power(0);
            self.relay.backup = Some(copy);
            return;
        }
        self.kill_home(At::Relay);
        let Some(backup) = self.relay.backup.take() else { return };
        self.begin_relay(backup);
        self.relay.was_put_back = true;
        self.tally.note(Fault::RelayRestored);
        self.chronicle.line(self.now, || "the relay's disk is put back".into());
    }

    /// Everything is mended at once.
    pub(crate) fn heal(&mut self) {
        self.troubled = false;
        self.chronicle.line(self.now, || "everything heals".into());
        self.relay.doomed = false;
        self.relay.miswrites = false;
        self.relay.failing_until = 0;
        self.relay.slow_disk_until = 0;
        self.relay.clock_ahead = 0;
        self.end_lessons();
        for id in self.links.keys().copied().collect::<Vec<_>>() {
            self.cut(id);
        }
        self.start_home(At::Relay);
        self.add_newcomer();
        for number in 0..self.devices.len() {
            let device = &mut self.devices[number];
            device.offline_until = 0;
            device.doom = None;
            device.failing_until = 0;
            device.slow_disk_until = 0;
            device.asleep_until = self.now.min(device.asleep_until);
            let life = device.life;
            self.wake(number, life);
            self.start_device(number);
            if !self.school.looks_at_nothing() {
                self.open_everything(number);
            }
        }
    }

    /// One more newcomer, in a world that is quiet.
    pub(crate) fn call_newcomer(&mut self) {
        self.add_newcomer();
        let number = self.devices.len() - 1;
        self.start_device(number);
        self.open_everything(number);
    }

    pub(crate) fn open_everything(&mut self, number: usize) {
        let (documents, channel) = (self.documents.clone(), self.channel());
        if let Some(room) = &mut self.devices[number].room {
            for document in documents {
                room.open_text(document).expect("a text");
            }
            room.open_channel(channel).expect("a channel");
        }
        self.settle_device(number);
    }
}
