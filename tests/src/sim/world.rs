//! The world: one clock, one agenda, and nothing happens twice in two different ways.

use std::collections::{BTreeMap, BTreeSet};

use causeway_core::device::{self, Config, Room};
use causeway_core::home;
use causeway_core::ids::{RoomId, StreamId};
use causeway_core::planted::Planted;

use crate::disk::Disk;
use crate::sim::Options;
use crate::sim::agenda::{Apart, Happening};
use crate::sim::chronicle::Chronicle;
use crate::sim::copied::Copies;
use crate::sim::departure::Copied;
use crate::sim::device::Device;
use crate::sim::hub::School;
use crate::sim::ledger::Ledger;
use crate::sim::liar::Liar;
use crate::sim::link::Link;
use crate::sim::pages::{Channel, Machine};
use crate::sim::plan::Plan;
use crate::sim::relay::{At, Relay};
use crate::sim::rng::Rng;
use crate::sim::talk::Talk;
use crate::sim::tally::{Fault, Tally};

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) room: RoomId,
    seed: u64,
    pub(crate) rng: Rng,
    pub(crate) plan: Plan,
    /// Strokes of fate so far.
    pub(crate) strokes: u64,
    /// What people did.
    pub(crate) acts: Vec<u64>,
    /// Copies of disks, by their number.
    pub(crate) copies_made: Vec<u64>,
    pub(crate) now: u64,
    agenda: BTreeMap<(u64, u64), Happening>,
    appointments: u64,
    steps_now: u32,
    /// Pages; those of one device share a machine.
    pub(crate) devices: Vec<Device>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) channels: BTreeMap<u64, Channel>,
    pub(crate) relay: Relay,
    /// A relay in the pocket of those who do not reach the other.
    pub(crate) hub: Relay,
    pub(crate) school: School,
    pub(crate) copies: Copies,
    pub(crate) links: BTreeMap<u64, Link>,
    pub(crate) next_link: u64,
    pub(crate) documents: Vec<StreamId>,
    pub(crate) ledger: Ledger,
    pub(crate) tally: Tally,
    pub(crate) chronicle: Chronicle,
    pub(crate) troubled: bool,
    pub(crate) liar: Liar,
    /// A copy of the relay's disk that it is put back to in the end.
    pub(crate) copied: Option<Copied>,
    pub(crate) paths: u64,
    /// Stores so far that began or were put back.
    pub(crate) stores: u64,
    pub(crate) failure: Option<String>,
}

/// Ten times what a run with all its trouble and three pages a device needs; whoever needs more answers answers.
const EVENTS_OF_A_RUN: u64 = 80_000;

/// More than any honest burst at one moment; whoever needs more is turning on the spot.
const STEPS_AT_ONE_MOMENT: u32 = 50_000;

impl World {
    pub(crate) fn new(seed: u64, options: &Options) -> Self {
        let room: RoomId = "harbour".parse().expect("a room name");
        let mut rng = Rng::new(seed);
        let mut plan = Plan::draw(&mut rng, &room);
        plan.devices = plan.devices.min(options.cuts.devices.unwrap_or(usize::MAX));
        plan.trouble = plan.trouble.min(options.cuts.trouble.unwrap_or(u64::MAX));
        let mut world = Self {
            seed,
            strokes: 0,
            acts: Vec::new(),
            copies_made: Vec::new(),
            options: options.clone(),
            documents: plan.documents.clone(),
            room,
            now: 0,
            agenda: BTreeMap::new(),
            appointments: 0,
            steps_now: 0,
            devices: Vec::new(),
            machines: Vec::new(),
            channels: BTreeMap::new(),
            relay: Relay::new(),
            hub: Relay::new(),
            school: School::default(),
            copies: Copies::default(),
            links: BTreeMap::new(),
            next_link: 0,
            ledger: Ledger::default(),
            tally: Tally::default(),
            chronicle: Chronicle::new(options.lines),
            troubled: true,
            liar: Liar::default(),
            copied: None,
            paths: 0,
            stores: 0,
            failure: None,
            plan,
            rng,
        };
        world.populate();
        world
    }

    fn populate(&mut self) {
        self.apart(Apart::History, Self::draw_history);
        self.apart(Apart::Lies, Self::draw_lies);
        self.apart(Apart::Lessons, Self::draw_lessons);
        self.apart(Apart::Departure, Self::draw_departure);
        self.apart(Apart::Copies, Self::draw_copies);
        self.begin_relay(Disk::default());
        self.copies.note_relay(self.relay.epoch);
        self.start_home(At::Relay);
        for machine in 0..self.plan.devices {
            self.apart(Apart::Machine(machine as u64), |world| {
                let pages = if world.rng.chance(60) { 1 } else { world.rng.between(2, 4) };
                world.add_machine(pages);
            });
        }
        let first = self.rng.between(500, 3_000);
        self.plan(first, Happening::Fate);
    }

    pub(crate) fn add_machine(&mut self, pages: u64) {
        let day = 24 * 60 * 60 * 1000;
        let wall_offset = self.rng.below(2 * day) as i64 - day as i64;
        if wall_offset.unsigned_abs() > 3_600_000 {
            self.tally.note(Fault::ClockWrong);
        }
        let machine = self.machines.len();
        self.machines.push(Machine { person: machine / 2, ..Machine::default() });
        for _ in 0..pages {
            self.add_page(machine, wall_offset);
        }
    }

    /// Somebody who was not there before reads everything from the home.
    pub(crate) fn add_newcomer(&mut self) {
        self.add_machine(1);
    }

    fn add_page(&mut self, machine: usize, wall_offset: i64) {
        let number = self.devices.len();
        self.machines[machine].pages.push(number);
        self.devices.push(Device {
            number,
            machine,
            life: 0,
            acts: 0,
            room: None,
            pending: None,
            link: None,
            connecting: false,
            asked: 0,
            joining: false,
            channel: None,
            mirrors: BTreeMap::new(),
            durable: BTreeMap::new(),
            monotonic_offset: self.rng.below(1_000_000),
            wall_offset,
            offline_until: 0,
            failing_until: 0,
            slow_disk_until: 0,
            presence: None,
            doom: None,
            moved: BTreeSet::new(),
            looks: 0,
            asleep_until: 0,
            mail: Vec::new(),
            contested_until: 0,
            gone: false,
            talk: Talk::default(),
        });
        let start = self.rng.below(3_000);
        self.plan(start, Happening::StartDevice(number));
    }

    /// What has chance of its own: what is left out elsewhere does not change it.
    pub(crate) fn apart(&mut self, what: Apart, happens: impl FnOnce(&mut Self)) {
        let own = Rng::new(self.seed ^ what.number().wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let shared = std::mem::replace(&mut self.rng, own);
        happens(self);
        self.rng = shared;
    }

    pub(crate) fn plan(&mut self, at: u64, happening: Happening) {
        self.appointments += 1;
        self.agenda.insert((at.max(self.now), self.appointments), happening);
    }

    /// Whether there is more to be seen.
    pub(crate) fn goes_on(&self) -> bool {
        self.failure.is_none() && !self.copies.have_parted()
    }

    pub(crate) fn fail(&mut self, why: impl FnOnce() -> String) {
        if self.goes_on() {
            let why = why();
            self.chronicle.line(self.now, || format!("FAILED: {why}"));
            self.failure = Some(why);
        }
    }

    /// Lets time pass until `end`, or until something is found to be wrong.
    pub(crate) fn run_until(&mut self, end: u64) {
        while self.goes_on() {
            let agenda = self.agenda.keys().next().map(|(at, _)| *at);
            let home = At::ALL.into_iter().filter_map(|at| Some((self.at(at).due()?, at))).min();
            let device = self.devices.iter().filter_map(|device| Some((device.due()?, device.number))).min();
            let Some(next) =
                [agenda, home.map(|(at, _)| at), device.map(|(at, _)| at)].into_iter().flatten().min()
            else {
                break;
            };
            if next > end {
                break;
            }
            if next > self.now {
                self.now = next;
                self.steps_now = 0;
            }
            self.steps_now += 1;
            if self.chronicle.events > EVENTS_OF_A_RUN {
                return self.fail(|| "they talk without end".into());
            }
            if self.steps_now > STEPS_AT_ONE_MOMENT {
                let turning =
                    self.devices.iter().filter(|device| device.due().is_some_and(|due| due <= next));
                let why: Vec<_> = turning
                    .map(|device| (device.number, device.room.as_ref().and_then(Room::poll_timeout)))
                    .collect();
                return self.fail(|| format!("somebody turns on the spot: home {home:?}, pages {why:?}"));
            }
            if agenda.is_some_and(|at| at <= self.now) {
                let (_, happening) = self.agenda.pop_first().expect("the agenda was just looked at");
                self.happen(happening);
            } else if let Some((_, home)) = home.filter(|(at, _)| *at <= self.now) {
                self.tell_home(home, home::Input::Tick);
            } else if let Some((_, number)) = device {
                self.tell_device(number, device::Input::Tick);
            }
        }
        self.now = self.now.max(end);
        self.steps_now = 0;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::ToHome(link, bytes) => self.deliver_to_home(link, bytes),
            Happening::ToDevice(link, bytes) => self.deliver_to_device(link, bytes),
            Happening::Call(device, life) => self.call(device, life),
            Happening::ClosedAtDevice(link, code) => self.close_at_device(link, code),
            Happening::ClosedAtHome(link) => self.close_at_home(link),
            Happening::Write(link) => self.write_out(link),
            Happening::DeviceStored(device, life) => self.device_stored(device, life),
            Happening::DeviceScanned(device, life, op, scan) => self.device_scanned(device, life, op, &scan),
            Happening::HomeStored(at, life) => self.home_stored(at, life),
            Happening::HomeScanned(at, life, op, scan) => self.home_scanned(at, life, op, &scan),
            Happening::HomeMaterialised(at, life, op, job) => self.home_materialised(at, life, op, *job),
            Happening::Person(device) => self.act(device),
            Happening::Fate => self.strike(),
            Happening::StartDevice(device) => self.start_device(device),
            Happening::StartHome(at) => self.start_home(at),
            Happening::EndHome(at, life) if life == self.at(at).life => {
                self.note_hub_killed(at);
                self.kill_home(at);
            }
            Happening::EndDevice(device, life, end) if life == self.devices[device].life => {
                self.end_life(device, end);
            }
            Happening::EndHome(..) | Happening::EndDevice(..) => {}
            Happening::CutLink(link) => self.cut(link),
            Happening::Join(page, life) => self.join(page, life),
            Happening::BetweenPages { channel, to_leader, bytes } => {
                self.deliver_between_pages(channel, to_leader, bytes);
            }
            Happening::ChannelClosed { id, follower, leader } => self.channel_closed(id, follower, leader),
            Happening::Elect(machine) => self.elect(machine),
            Happening::Wake(page, life) => self.wake(page, life),
            Happening::Usurp(page, life) if life == self.devices[page].life => self.usurp(page),
            Happening::Usurp(..) => {}
            Happening::LookAgain(page, life) => self.look_again(page, life),
            Happening::RelayClock(ahead) => self.set_relay_clock(ahead),
            Happening::Lie(number) => self.lie_apart(number),
            Happening::Copy => self.copy_relay(),
            Happening::Bell(bell) => self.ring(bell),
            Happening::Copied(step) => self.copied(step),
        }
    }

    pub(crate) fn start_device(&mut self, number: usize) {
        let mut seed = self.rng.seed();
        if self.options.bug == Some(Planted::ReplicaReused) {
            seed = [number as u8; 32];
        }
        let device = &mut self.devices[number];
        if device.room.is_some() || device.gone {
            return;
        }
        device.life += 1;
        device.mirrors.clear();
        device.durable.clear();
        device.presence = None;
        device.asleep_until = 0;
        device.joining = false;
        device.channel = None;
        device.mail.clear();
        device.contested_until = 0;
        let life = device.life;
        let config = Config { room: self.room.clone(), seed, agent: "sim".into() };
        let mut room = Room::following(config);
        if let Some(bug) = self.options.bug {
            room.plant(bug);
        }
        if self.seed % DEAR_WORLDS == DEAR_WORLDS - 1 {
            room.take_short_steps();
        }
        self.begin_talk(number);
        self.introduce(number, &mut room, 0);
        let looks = !self.school.looks_at_nothing();
        if self.rng.chance(80) && looks {
            room.open_channel(self.channel()).expect("a channel");
        }
        // Some people look at one document only; in the end everybody looks at all.
        let opened: Vec<StreamId> =
            self.documents.iter().copied().filter(|_| looks && self.rng.chance(80)).collect();
        for document in opened {
            room.open_text(document).expect("a text");
        }
        self.devices[number].room = Some(room);
        if !self.troubled && looks {
            self.open_everything(number);
        }
        self.chronicle.line(self.now, || format!("device {number} starts its life {life}"));
        self.settle_device(number);
        let machine = self.devices[number].machine;
        self.elect_soon(machine, 100);
        let first = self.now + self.rng.between(50, 2_000);
        self.plan(first, Happening::Person(number));
    }

    /// Hands an input to a device and carries out what it wants.
    pub(crate) fn tell_device(&mut self, number: usize, input: device::Input) {
        let device = &mut self.devices[number];
        let now = device.now(self.now);
        if device.asleep_until > self.now {
            return device.mail.push((device.asked, input));
        }
        if let Some(room) = &mut device.room {
            room.handle(input, now);
            self.settle_device(number);
        }
    }

    pub(crate) fn settle_device(&mut self, number: usize) {
        while let Some(output) = self.devices[number].room.as_mut().and_then(Room::poll_output) {
            self.carry_out_for_device(number, output);
        }
        while let Some(event) = self.devices[number].room.as_mut().and_then(Room::poll_event) {
            self.watch(number, &event);
        }
        self.check_mirrors(number);
    }

    fn carry_out_for_device(&mut self, number: usize, output: device::Output) {
        match output {
            device::Output::Connect => self.dial(number),
            device::Output::Send(bytes) => {
                if !self.send_to_leader(number, &bytes) {
                    self.send_to_home(number, &bytes);
                }
            }
            device::Output::Close => {
                self.devices[number].connecting = false;
                self.devices[number].joining = false;
                self.devices[number].channel = None;
                self.hang_up_on_leader(number);
                self.hang_up(number);
            }
            device::Output::Page(output) => self.carry_out_for_page(number, output),
            device::Output::Commit(op, commit) => self.device_commits(number, op, commit),
            device::Output::Scan(op, scan) => {
                let at = self.now + self.device_disk_delay(number);
                let life = self.devices[number].life;
                self.plan(at, Happening::DeviceScanned(number, life, op, scan));
            }
        }
    }
}

/// In one world of so many each change of a text is dear, and a step of its own.
const DEAR_WORLDS: u64 = 4;
