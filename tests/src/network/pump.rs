//! Carrying out what devices and the home of a story want.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use causeway_core::device::{Change, Event, Input, Output};
use causeway_core::home;
use causeway_core::ids::ConnId;
use causeway_core::storage::{Commit, CommitError, FailureKind, Scan, StoreFailure};
use causeway_core::wire;
use causeway_core::write_queue::OpId;

use crate::network::{Device, Network};

impl Network {
    pub(super) fn tell(&mut self, device: usize, input: Input) {
        let now = self.clock(device);
        if self.devices[device].asleep {
            // Timers do not gather.
            if !matches!(input, Input::Tick) {
                self.devices[device].mail.push(input);
            }
            return;
        }
        self.devices[device].room.handle(input, now);
        self.pump_device(device);
    }

    pub(super) fn tell_home(&mut self, input: home::Input) {
        let now = self.home_clock();
        self.relay.home.handle(input, now);
        self.pump_home();
    }

    pub(super) fn pump(&mut self) {
        for device in 0..self.devices.len() {
            self.pump_device(device);
        }
        self.pump_home();
    }

    pub(super) fn pump_device(&mut self, number: usize) {
        if self.devices[number].asleep {
            return;
        }
        while let Some(output) = self.devices[number].room.poll_output() {
            let device = &mut self.devices[number];
            match output {
                Output::Connect => device.dialling = true,
                Output::Send(bytes) => {
                    device.sent.extend(wire::decode(&bytes).expect("our own frames can be read"));
                    if !self.send_to_leader(number, &bytes) {
                        let link = self.devices[number].link;
                        self.to_home.extend(link.map(|conn| (conn, bytes)));
                    }
                }
                Output::Close => {
                    (device.dialling, device.joining) = (false, false);
                    self.hang_up_on_leader(number);
                    self.drop_link(number);
                }
                Output::Page(output) => self.carry_out_for_page(number, output),
                Output::Commit(op, commit) => {
                    device.commits += 1;
                    if device.disk_answers {
                        self.store(number, op, &commit);
                    } else {
                        device.held.push_back((op, commit));
                    }
                }
                Output::Scan(op, scan) if device.disk_reads => self.read(number, op, &scan),
                Output::Scan(op, scan) => device.held_reads.push_back((op, scan)),
            }
        }
        while let Some(event) = self.devices[number].room.poll_event() {
            let Device { room, mirrors, events, .. } = &mut self.devices[number];
            if let Event::Text { stream, change, .. } = &event {
                let mirror = mirrors.entry(*stream).or_default();
                mirror.follow(change, || room.text(*stream).unwrap_or_default());
                if *change == Change::Reset {
                    debug_assert!(mirror.text().is_some());
                }
            }
            events.push(event);
        }
    }

    pub(super) fn read(&mut self, number: usize, op: OpId, scan: &Scan) {
        let result = self.devices[self.devices[number].disk_of].disk.scan(scan);
        self.tell(number, Input::Scanned(op, result));
    }

    pub(super) fn store(&mut self, number: usize, op: OpId, commit: &Commit) {
        let device = &mut self.devices[number];
        let disk_of = device.disk_of;
        let result = if device.disk_full {
            Err(CommitError::Failed(StoreFailure::new(FailureKind::Full, "no space is left on this disk")))
        } else {
            self.devices[disk_of].disk.commit(commit)
        };
        self.tell(number, Input::Stored(op, result));
    }

    /// Carries out what the home wants until it wants nothing more. What its disk and its materialiser answer is handed in one
    /// after the other, however often it asks on.
    pub(super) fn pump_home(&mut self) {
        let mut answers: VecDeque<home::Input> = VecDeque::new();
        loop {
            let mut drained = BTreeSet::new();
            while let Some(output) = self.relay.home.poll_output() {
                match output {
                    home::Output::Send(to, lane, bytes) => {
                        for conn in to {
                            self.relay.note_sent(conn, lane, &bytes);
                            if !self.relay.slow {
                                self.to_device.push_back((conn, bytes.clone()));
                                drained.insert((conn, lane));
                            }
                        }
                    }
                    home::Output::Close(conn, code) => self.close_from_home(conn, code as u16),
                    home::Output::Commit(op, commit) => {
                        let result = self.relay.commit(op, commit);
                        answers.extend(result.map(|result| home::Input::Stored(op, result)));
                    }
                    home::Output::Materialise(op, job) => {
                        answers.push_back(home::Input::Materialised(op, self.relay.run(*job)));
                    }
                    home::Output::Scan(op, scan) => {
                        answers.push_back(home::Input::Scanned(op, self.relay.read(&scan)));
                    }
                }
            }
            answers.extend(drained.into_iter().map(|(conn, lane)| home::Input::Drained(conn, lane)));
            let Some(answer) = answers.pop_front() else { return };
            let now = self.home_clock();
            self.relay.home.handle(answer, now);
        }
    }

    pub(super) fn close_from_home(&mut self, conn: ConnId, code: u16) {
        self.relay.closed.push((conn, code));
        if let Some(device) = self.on_link(conn) {
            let left: Vec<Bytes> =
                self.to_device.iter().filter(|(on, _)| *on == conn).map(|(_, bytes)| bytes.clone()).collect();
            self.to_device.retain(|(on, _)| *on != conn);
            for bytes in left {
                self.tell(device, Input::Received(bytes));
            }
            self.devices[device].link = None;
            self.tell(device, Input::Closed(Some(code)));
        }
        self.to_home.retain(|(on, _)| *on != conn);
        self.tell_home(home::Input::Closed(conn));
    }

    pub(super) fn dial(&mut self) -> bool {
        let now = self.now;
        for number in 0..self.devices.len() {
            let device = &self.devices[number];
            let due = device.due().is_some_and(|at| at <= now);
            if due && device.link.is_none() && !device.dialling && !device.joining {
                self.tell(number, Input::Tick);
            }
            if !std::mem::take(&mut self.devices[number].dialling) {
                continue;
            }
            if self.devices[number].online {
                self.next += 1;
                let conn = ConnId(self.next);
                self.devices[number].link = Some(conn);
                self.tell_home(home::Input::Opened(conn));
                self.tell(number, Input::Opened);
            } else {
                self.tell(number, Input::Closed(None));
            }
            return true;
        }
        false
    }

    pub(super) fn on_link(&self, conn: ConnId) -> Option<usize> {
        self.devices.iter().position(|device| device.link == Some(conn))
    }
}
