//! What happens on the way between a device and the relay.

use bytes::Bytes;
use causeway_core::home::{self, Lane};
use causeway_core::limits::FRAME_BYTES;
use causeway_core::{device, ids::ConnId};

use crate::sim::agenda::Happening;
use crate::sim::link::{Link, may_suffer};
use crate::sim::relay::At;
use crate::sim::tally::Fault;
use crate::sim::telling::tell;
use crate::sim::world::World;

/// One link may cost this much, and one entry larger than its lane.
const QUEUE_MOST: usize = 512 * 1024 + FRAME_BYTES;

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    ToHome,
    ToDevice,
}

impl World {
    pub(crate) fn dial(&mut self, number: usize) {
        self.forget_link(number);
        if std::mem::replace(&mut self.devices[number].connecting, true) {
            self.fail(|| format!("device {number} dials twice at once"));
        }
        let at = self.now + self.rng.between(1, 150);
        let life = self.devices[number].life;
        self.plan(at, Happening::Call(number, life));
    }

    pub(crate) fn call(&mut self, number: usize, life: u32) {
        let device = &mut self.devices[number];
        if device.life != life || device.room.is_none() || !device.connecting {
            return;
        }
        device.connecting = false;
        let offline = device.offline_until > self.now;
        let to = self.reaches(number);
        if offline || self.at(to).home.is_none() {
            return self.tell_device(number, device::Input::Closed(None));
        }
        self.next_link += 1;
        let id = self.next_link;
        let delay = match to {
            At::Relay => self.rng.between(1, 80),
            At::Hub => self.rng.between(1, 5),
        };
        self.links.insert(id, Link::new(number, to, delay));
        self.devices[number].link = Some(id);
        self.chronicle.trace(self.now, "open", id, &[]);
        self.chronicle.line(self.now, || format!("device {number} opens link {id} to {to}"));
        self.tell_home(to, home::Input::Opened(ConnId(id)));
        self.tell_device(number, device::Input::Opened);
    }

    pub(crate) fn send_to_home(&mut self, number: usize, bytes: &Bytes) {
        let Some(id) = self.devices[number].link else { return };
        self.check_sent_by_device(number, bytes);
        self.travel(id, bytes, Way::ToHome);
    }

    pub(crate) fn send_to_device(&mut self, at: At, id: u64, lane: Lane, bytes: Bytes) {
        self.check_sent_by_home(at, id, &bytes);
        let jitter = self.rng.below(3);
        let Some(link) = self.links.get_mut(&id) else { return };
        link.queue.push((lane, bytes));
        let queued = link.queued_bytes();
        if !std::mem::replace(&mut link.writing, true) {
            let at = link.slow_until.max(self.now + jitter);
            self.plan(at, Happening::Write(id));
        }
        if queued > QUEUE_MOST {
            self.fail(|| format!("the home queues {queued} bytes for link {id}"));
        }
    }

    pub(crate) fn write_out(&mut self, id: u64) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.slow_until > self.now {
            let at = link.slow_until;
            return self.plan(at, Happening::Write(id));
        }
        let Some((lane, bytes)) = link.take_next(&mut self.rng) else {
            link.writing = false;
            return;
        };
        let drained = link.at_home && !link.waits_in(lane);
        let home = link.to;
        self.travel(id, &bytes, Way::ToDevice);
        if drained {
            self.tell_home(home, home::Input::Drained(ConnId(id), lane));
        }
        // Mostly at once; sometimes the socket takes no more for a moment.
        let pause = if self.rng.below(8) == 0 { self.rng.below(20) } else { 0 };
        self.plan(self.now + pause, Happening::Write(id));
    }

    /// Puts a frame on the way, unless fate takes it.
    fn travel(&mut self, id: u64, bytes: &Bytes, way: Way) {
        let jitter = self.rng.below(5);
        let Some(link) = self.links.get_mut(&id) else { return };
        if !link.alive {
            return;
        }
        let mut copies = 1;
        if may_suffer(bytes) {
            if link.to_lose > 0 {
                link.to_lose -= 1;
                self.tally.note(Fault::FrameLost);
                self.chronicle.line(self.now, || format!("a frame on link {id} is lost: {}", tell(bytes)));
                return;
            }
            if link.to_repeat > 0 {
                link.to_repeat -= 1;
                copies = 2;
                self.tally.note(Fault::FrameTwice);
            }
        }
        let last = match way {
            Way::ToHome => &mut link.last_to_home,
            Way::ToDevice => &mut link.last_to_device,
        };
        let at = (*last).max(self.now + link.delay + jitter);
        *last = at;
        for _ in 0..copies {
            let bytes = bytes.clone();
            let arrival = match way {
                Way::ToHome => Happening::ToHome(id, bytes),
                Way::ToDevice => Happening::ToDevice(id, bytes),
            };
            self.plan(at, arrival);
        }
    }

    pub(crate) fn deliver_to_home(&mut self, id: u64, bytes: Bytes) {
        let Some(link) = self.links.get(&id) else { return };
        if !link.alive || !link.at_home {
            return self.tally.note(Fault::LostInFlight);
        }
        let (number, home) = (link.device, link.to);
        self.chronicle.trace(self.now, "to home", id, &bytes);
        self.chronicle.line(self.now, || format!("{number} -> {home} on {id}: {}", tell(&bytes)));
        self.tell_home(home, home::Input::Received(ConnId(id), bytes));
    }

    pub(crate) fn deliver_to_device(&mut self, id: u64, bytes: Bytes) {
        let Some(link) = self.links.get(&id) else { return };
        if !link.alive || !link.at_device {
            return self.tally.note(Fault::LostInFlight);
        }
        let (number, home) = (link.device, link.to);
        self.chronicle.trace(self.now, "to device", id, &bytes);
        self.chronicle.line(self.now, || format!("{home} -> {number} on {id}: {}", tell(&bytes)));
        self.tell_device(number, device::Input::Received(bytes));
    }

    /// A device hangs up: it hears of the end at once or a little later, the home after the way.
    pub(crate) fn hang_up(&mut self, number: usize) {
        let Some(id) = self.devices[number].link else { return };
        let soon = self.now + self.rng.below(30);
        self.plan(soon, Happening::ClosedAtDevice(id, None));
        self.end_at_home_later(id);
    }

    /// Whoever asks for another link has forgotten the one before.
    pub(crate) fn forget_link(&mut self, number: usize) {
        self.devices[number].asked += 1;
        if let Some(id) = self.devices[number].link.take()
            && let Some(link) = self.links.get_mut(&id)
            && std::mem::take(&mut link.at_device)
        {
            self.end_at_home_later(id);
        }
    }

    fn end_at_home_later(&mut self, id: u64) {
        if let Some(link) = self.links.get(&id).filter(|link| link.alive) {
            let at = link.last_to_home.max(self.now + link.delay);
            self.plan(at, Happening::ClosedAtHome(id));
        }
    }

    /// The home ends a link once what was sent before is written out.
    pub(crate) fn home_closes(&mut self, id: u64, code: u16) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.slow_until = 0;
        let mut queue = std::mem::take(&mut link.queue);
        queue.sort_by_key(|(lane, _)| *lane);
        for (_, bytes) in queue {
            self.travel(id, &bytes, Way::ToDevice);
        }
        let Some(link) = self.links.get(&id) else { return };
        if link.alive {
            let at = link.last_to_device.max(self.now + link.delay);
            self.plan(at, Happening::ClosedAtDevice(id, Some(code)));
        }
        self.plan(self.now, Happening::ClosedAtHome(id));
    }

    /// Both ends are told that a link is gone; what is on its way is lost.
    pub(crate) fn cut(&mut self, id: u64) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.alive = false;
        self.chronicle.line(self.now, || format!("link {id} is cut"));
        let (device, home) = (self.now + self.rng.below(200), self.now + self.rng.below(200));
        self.plan(device, Happening::ClosedAtDevice(id, None));
        self.plan(home, Happening::ClosedAtHome(id));
    }

    pub(crate) fn close_at_device(&mut self, id: u64, code: Option<u16>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if !std::mem::take(&mut link.at_device) {
            return;
        }
        let number = link.device;
        self.chronicle.trace(self.now, "closed at device", id, &[]);
        self.chronicle
            .line(self.now, || format!("device {number} hears that link {id} has ended ({code:?})"));
        if self.devices[number].link == Some(id) {
            self.devices[number].link = None;
            self.tell_device(number, device::Input::Closed(code));
        }
        self.bury(id);
    }

    pub(crate) fn close_at_home(&mut self, id: u64) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if !std::mem::take(&mut link.at_home) {
            return;
        }
        link.queue.clear();
        let home = link.to;
        self.chronicle.trace(self.now, "closed at home", id, &[]);
        self.tell_home(home, home::Input::Closed(ConnId(id)));
        self.bury(id);
    }

    fn bury(&mut self, id: u64) {
        if self.links.get(&id).is_some_and(|link| !link.at_device && !link.at_home) {
            self.links.remove(&id);
        }
    }
}
