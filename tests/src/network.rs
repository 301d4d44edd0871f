//! A few devices and a home, joined by links that a story moves by hand.
//!
//! Disks answer at once unless a story holds them; bytes wait on their links until the story lets them go. Time passes
//! only when it is told to.

mod pages;
mod pump;
mod relay;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use causeway_core::device::{Config, Event, Input, Output, Receipt, ReceiptState, Room};
use causeway_core::home::{self, Lane};
use causeway_core::ids::{ConnId, EditorId, RoomId, SiblingId, StreamId};
use causeway_core::storage::{Commit, FailureKind, Scan, StoreFailure};
use causeway_core::time::{Millis, Now};
use causeway_core::wire::{self, Message};
use causeway_core::write_queue::OpId;

use crate::disk::Disk;
use crate::mirror::Mirror;

use pages::Channel;

pub use relay::Relay;

/// The one editor of each device in stories.
pub const EDITOR: EditorId = EditorId(1);

/// A device of a story.
#[derive(Debug)]
pub struct Device {
    /// The room itself, for everything a story wants to look at.
    pub room: Room,
    /// What this device holds.
    pub disk: Disk,
    /// Events told so far and not looked at.
    pub events: Vec<Event>,
    /// How wrong its wall clock is, in milliseconds.
    pub wall_offset: i64,
    /// Whether it can reach the home.
    pub online: bool,
    /// Whether its disk answers; until then commits wait.
    pub disk_answers: bool,
    /// Whether its disk answers what is read; until then reads wait.
    pub disk_reads: bool,
    /// Whether its disk refuses every commit.
    pub disk_full: bool,
    /// Commits its disk was asked for.
    pub commits: usize,
    /// Frames it has sent, in order.
    pub sent: Vec<Message>,
    mirrors: BTreeMap<StreamId, Mirror>,
    held: VecDeque<(OpId, Commit)>,
    held_reads: VecDeque<(OpId, Scan)>,
    link: Option<ConnId>,
    dialling: bool,
    /// Where its disk is: its own number, or that of the page of this device that came first.
    disk_of: usize,
    joining: bool,
    asleep: bool,
    mail: Vec<Input>,
}

impl Device {
    /// Its link, by the home's number.
    pub fn link(&self) -> Option<ConnId> {
        self.link
    }
}

/// Devices and their home.
#[derive(Debug)]
pub struct Network {
    /// The devices, in the order they came.
    pub devices: Vec<Device>,
    /// The home.
    pub relay: Relay,
    /// Whether what is sent to the home is lost.
    pub home_is_deaf: bool,
    /// The world's clock.
    pub now: u64,
    to_home: VecDeque<(ConnId, Bytes)>,
    to_device: VecDeque<(ConnId, Bytes)>,
    /// Frames between pages, and the page they go to.
    to_page: VecDeque<(SiblingId, usize, Bytes)>,
    channels: Vec<Channel>,
    /// Which page of a device leads.
    leaders: BTreeMap<usize, usize>,
    next: u64,
}

/// Messages one story may take to become quiet.
const ENOUGH: usize = 100_000;

impl Network {
    /// So many devices, not started on anything yet, and a home with an empty disk.
    pub fn new(devices: usize) -> Self {
        let mut network = Self {
            devices: Vec::new(),
            relay: Relay::new(room()),
            home_is_deaf: false,
            now: 1_000,
            to_home: VecDeque::new(),
            to_device: VecDeque::new(),
            to_page: VecDeque::new(),
            channels: Vec::new(),
            leaders: BTreeMap::new(),
            next: 0,
        };
        for _ in 0..devices {
            network.join();
        }
        network
    }

    /// The same, online, with the room's first document open everywhere.
    pub fn with_document(devices: usize) -> (Self, StreamId) {
        let mut network = Self::new(devices);
        let stream = StreamId::first_document(&room());
        for device in 0..devices {
            network.open(device, stream);
        }
        network.settle();
        (network, stream)
    }

    /// One more device; answers its number.
    pub fn join(&mut self) -> usize {
        self.next += 1;
        let room = fresh(self.next);
        self.devices.push(Device::new(room, self.devices.len()));
        self.devices.len() - 1
    }

    /// The app of a device dies; what its disk has not answered for is carried out or not.
    pub fn restart(&mut self, device: usize, carry_out: bool) {
        self.drop_link(device);
        self.next += 1;
        let fresh = fresh(self.next);
        let device = &mut self.devices[device];
        for (_, commit) in std::mem::take(&mut device.held) {
            if carry_out {
                device.disk.commit(&commit).expect("nobody else writes here");
            }
        }
        device.room = fresh;
        device.dialling = false;
        device.joining = false;
        device.mirrors.clear();
        device.events.clear();
    }

    /// Opens a text.
    pub fn open(&mut self, device: usize, stream: StreamId) {
        self.devices[device].room.open_text(stream).expect("a text");
    }

    /// Puts text in.
    pub fn insert(&mut self, device: usize, stream: StreamId, at: u32, text: &str) -> Receipt {
        let now = self.clock(device);
        let room = &mut self.devices[device].room;
        room.open_editor(stream, EDITOR).expect("the document is open");
        room.edit(stream, Some(EDITOR), now, |edit| edit.insert(at, text)).expect("inside the text")
    }

    /// Puts a word at the beginning so many times, each time as an entry of its own.
    pub fn insert_times(&mut self, times: usize, device: usize, stream: StreamId, word: &str) {
        for _ in 0..times {
            self.insert(device, stream, 0, word);
            self.settle();
            self.wait(60);
        }
    }

    /// Takes text out.
    pub fn delete(&mut self, device: usize, stream: StreamId, at: u32, length: u32) -> Receipt {
        let now = self.clock(device);
        let room = &mut self.devices[device].room;
        room.edit(stream, Some(EDITOR), now, |edit| edit.delete(at, length)).expect("inside the text")
    }

    /// The text on a device, which must be what an editor that follows its events shows.
    pub fn text(&mut self, device: usize, stream: StreamId) -> String {
        self.pump_device(device);
        let device = &self.devices[device];
        let text = device.room.text(stream).expect("the document is open");
        let shown = device.mirrors.get(&stream).and_then(Mirror::text);
        assert_eq!(shown.as_deref(), Some(text.as_str()), "an editor shows what the room holds");
        text
    }

    /// Where an edit is.
    pub fn receipt(&self, device: usize, receipt: &Receipt) -> ReceiptState {
        self.devices[device].room.receipt(receipt)
    }

    /// A device loses its link and cannot get another.
    pub fn go_offline(&mut self, device: usize) {
        self.devices[device].online = false;
        self.drop_link(device);
        self.pump();
    }

    /// A device can reach the home again and tries at once.
    pub fn go_online(&mut self, device: usize) {
        self.devices[device].online = true;
        self.tell(device, Input::Reconnect);
    }

    /// Both ends notice that a link is gone; what was on its way is lost.
    pub fn drop_link(&mut self, device: usize) {
        let Some(conn) = self.devices[device].link.take() else { return };
        self.to_home.retain(|(on, _)| *on != conn);
        self.to_device.retain(|(on, _)| *on != conn);
        self.tell(device, Input::Closed(None));
        self.tell_home(home::Input::Closed(conn));
    }

    /// Time passes; timers ring, bytes do not move.
    pub fn wait(&mut self, span: u64) {
        let end = self.now + span;
        loop {
            let devices = self.devices.iter().filter_map(Device::due);
            let next = devices.chain(self.relay.due()).min().unwrap_or(u64::MAX);
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            for device in 0..self.devices.len() {
                self.tell(device, Input::Tick);
            }
            self.tell_home(home::Input::Tick);
        }
        self.now = end;
    }

    /// A device's timer rings once, and no time passes.
    pub fn tick(&mut self, device: usize) {
        self.tell(device, Input::Tick);
    }

    /// Everything on its way arrives, and what answers it, until nothing moves. No time passes.
    pub fn settle(&mut self) {
        self.settle_seeing(|_| {});
    }

    /// The same, and how things stand is looked at after each step.
    pub fn settle_seeing(&mut self, mut look: impl FnMut(&Self)) {
        for _ in 0..ENOUGH {
            self.pump();
            look(self);
            if let Some((conn, bytes)) = self.to_home.pop_front() {
                if !self.home_is_deaf {
                    self.tell_home(home::Input::Received(conn, bytes));
                }
            } else if let Some((conn, bytes)) = self.to_device.pop_front() {
                if let Some(device) = self.on_link(conn) {
                    self.tell(device, Input::Received(bytes));
                }
            } else if !self.pass_between_pages() && !self.dial() && !self.join_leaders() {
                return;
            }
        }
        panic!("they talk without end");
    }

    /// Settles, lets a moment pass, and settles again: long enough for every seal, journal and count.
    pub fn rest(&mut self) {
        for _ in 0..20 {
            self.settle();
            self.wait(50);
        }
        self.settle();
    }

    /// Lets bytes go until a device's frames have reached the home, but not what the home answers.
    pub fn deliver_to_home(&mut self) {
        self.pump();
        while let Some((conn, bytes)) = self.to_home.pop_front() {
            self.tell_home(home::Input::Received(conn, bytes));
        }
    }

    /// How many frames of the home wait on a device's link.
    pub fn waiting_for(&self, device: usize) -> usize {
        let link = self.devices[device].link;
        self.to_device.iter().filter(|(conn, _)| Some(*conn) == link).count()
    }

    /// Lets the first `frames` of what waits for a device arrive there; what it answers waits in turn.
    pub fn deliver_to_device(&mut self, device: usize, frames: usize) {
        for _ in 0..frames {
            let link = self.devices[device].link;
            let Some(at) = self.to_device.iter().position(|(conn, _)| Some(*conn) == link) else { return };
            let (_, bytes) = self.to_device.remove(at).expect("it was just found there");
            self.tell(device, Input::Received(bytes));
        }
    }

    /// Whoever runs the home has looked at a stream in quarantine.
    pub fn release(&mut self, stream: StreamId) {
        self.tell_home(home::Input::Release(stream));
    }

    /// Puts bytes on a device's link as if it had sent them: a device that is not ours.
    pub fn inject(&mut self, device: usize, bytes: Bytes) {
        let conn = self.devices[device].link.expect("the device is online");
        self.to_home.push_back((conn, bytes));
    }

    /// Hands a device a message as if its home had sent it.
    pub fn hand_to_device(&mut self, device: usize, message: &Message) {
        self.tell(device, Input::Received(wire::encode(message)));
    }

    /// Loses what is on its way to the home.
    pub fn lose_what_is_on_its_way(&mut self) {
        self.pump();
        self.to_home.clear();
        self.to_device.clear();
    }

    /// The home dies and starts again over its disk.
    pub fn restart_home(&mut self) {
        for device in 0..self.devices.len() {
            self.drop_link(device);
        }
        self.relay.restart();
        self.pump();
    }

    /// The events of a device since they were last looked at.
    pub fn events(&mut self, device: usize) -> Vec<Event> {
        self.pump_device(device);
        std::mem::take(&mut self.devices[device].events)
    }

    /// A device's disk answers what it was asked while it was held.
    pub fn release_disk(&mut self, device: usize) {
        self.devices[device].disk_answers = true;
        while let Some((op, commit)) = self.devices[device].held.pop_front() {
            self.store(device, op, &commit);
        }
        self.pump();
    }

    /// A device's disk answers what was read while it was held.
    pub fn release_reads(&mut self, device: usize) {
        self.devices[device].disk_reads = true;
        while let Some((op, scan)) = self.devices[device].held_reads.pop_front() {
            self.read(device, op, &scan);
        }
        self.pump();
    }

    /// A device's disk answers the first commit it was asked for, and then no more.
    pub fn answer_commit(&mut self, device: usize) {
        self.devices[device].disk_answers = false;
        if let Some((op, commit)) = self.devices[device].held.pop_front() {
            self.store(device, op, &commit);
        }
    }

    /// A device's disk answers the first it was asked to read, and then no more; whether there was one.
    pub fn answer_read(&mut self, device: usize) -> bool {
        self.devices[device].disk_reads = false;
        let Some((op, scan)) = self.devices[device].held_reads.pop_front() else { return false };
        self.read(device, op, &scan);
        true
    }

    /// The first that a device's disk was asked to read cannot be read; whether there was one.
    pub fn fail_read(&mut self, device: usize) -> bool {
        let Some((op, _)) = self.devices[device].held_reads.pop_front() else { return false };
        let failure = StoreFailure::new(FailureKind::Busy, "the disk of this story does not feel well");
        self.tell(device, Input::Scanned(op, Err(failure)));
        true
    }

    /// A device that has just started does so many steps with its disk, and then waits for the story.
    pub fn step_disk(&mut self, number: usize, steps: usize) {
        for _ in 0..steps {
            let now = self.clock(number);
            let device = &mut self.devices[number];
            match device.room.poll_output() {
                Some(Output::Commit(op, commit)) => {
                    let result = device.disk.commit(&commit);
                    device.room.handle(Input::Stored(op, result), now);
                }
                Some(Output::Scan(op, scan)) => {
                    let result = device.disk.scan(&scan);
                    device.room.handle(Input::Scanned(op, result), now);
                }
                Some(Output::Connect) => device.dialling = true,
                Some(Output::Send(_) | Output::Close | Output::Page(_)) | None => {}
            }
        }
    }

    /// The clocks of a device.
    pub fn clock(&self, device: usize) -> Now {
        let wall = (WALL + self.now).saturating_add_signed(self.devices[device].wall_offset);
        Now { monotonic: Millis(self.now), wall: Millis(wall) }
    }

    /// What the home's clocks say.
    pub fn home_clock(&self) -> Now {
        let wall = (WALL + self.now).saturating_add_signed(self.relay.wall_offset);
        Now { monotonic: Millis(self.now), wall: Millis(wall) }
    }

    /// The home's disk answers what it was asked while it was held.
    pub fn release_home_disk(&mut self) {
        (self.relay.disk_answers, self.relay.keeps_quiet_of_drops) = (true, false);
        for (op, result) in std::mem::take(&mut self.relay.unanswered) {
            self.tell_home(home::Input::Stored(op, result));
        }
        for (op, commit) in std::mem::take(&mut self.relay.held) {
            let result = self.relay.disk.commit(&commit);
            self.tell_home(home::Input::Stored(op, result));
        }
    }

    /// The home's disk answers one commit, and then no more.
    pub fn step_home_disk(&mut self) {
        self.relay.disk_answers = false;
        if !self.relay.held.is_empty() {
            let (op, commit) = self.relay.held.remove(0);
            let result = self.relay.disk.commit(&commit);
            self.tell_home(home::Input::Stored(op, result));
        }
    }

    /// Links that took nothing take everything again.
    pub fn drain(&mut self) {
        self.relay.slow = false;
        self.trickle();
    }

    /// What waits for links is taken; what comes after it waits if they are slow.
    pub fn trickle(&mut self) {
        for device in 0..self.devices.len() {
            if let Some(conn) = self.devices[device].link {
                for (_, bytes) in self.relay.take_queued(conn) {
                    self.to_device.push_back((conn, bytes));
                }
                for lane in Lane::ALL {
                    self.tell_home(home::Input::Drained(conn, lane));
                }
            }
        }
    }
}

/// The room of all stories.
pub fn room() -> RoomId {
    "harbour".parse().expect("a room name")
}

fn fresh(number: u64) -> Room {
    Room::new(Config { room: room(), seed: seed(number), agent: "story".into() })
}

fn seed(number: u64) -> [u8; 32] {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    seed
}

impl Device {
    fn new(room: Room, disk_of: usize) -> Self {
        Self {
            room,
            disk: Disk::default(),
            events: Vec::new(),
            wall_offset: 0,
            online: true,
            disk_answers: true,
            disk_reads: true,
            disk_full: false,
            commits: 0,
            sent: Vec::new(),
            mirrors: BTreeMap::new(),
            held: VecDeque::new(),
            held_reads: VecDeque::new(),
            link: None,
            dialling: false,
            disk_of,
            joining: false,
            asleep: false,
            mail: Vec::new(),
        }
    }

    fn due(&self) -> Option<u64> {
        self.room.poll_timeout().filter(|_| !self.asleep).map(|(at, _)| at.0)
    }
}

/// The world's wall clock at its beginning.
const WALL: u64 = 1_780_000_000_000;
