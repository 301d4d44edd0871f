//! Two devices and a home, joined by hand: the shortest way a keystroke can take.

use std::collections::{BTreeMap, VecDeque};

use causeway_core::device::{self, Room};
use causeway_core::home::{self, Home};
use causeway_core::ids::{ConnId, EditorId, RoomId, StreamId};
use causeway_core::storage::{Commit, CommitError, Page, Scan};
use causeway_core::time::{Millis, Now};

/// A disk that does what it is asked at once.
#[derive(Default)]
struct Disk(BTreeMap<Vec<u8>, Vec<u8>>);

impl Disk {
    fn commit(&mut self, commit: Commit) -> Result<(), CommitError> {
        for expect in &commit.expect {
            if self.0.get(&expect.key) != expect.value.as_ref() {
                return Err(CommitError::Conflict { key: expect.key.clone() });
            }
        }
        self.0.retain(|key, _| {
            !commit.delete.contains(key) && !commit.delete_prefix.iter().any(|prefix| key.starts_with(prefix))
        });
        self.0.extend(commit.put);
        Ok(())
    }

    fn scan(&self, scan: &Scan) -> Page {
        if scan.start >= scan.end {
            return Page::default();
        }
        let mut rows = self.0.range(scan.start.clone()..scan.end.clone());
        let page = rows.by_ref().take(scan.max_rows.max(1)).map(|(k, v)| (k.clone(), v.clone())).collect();
        Page { rows: page, damaged: Vec::new(), more: rows.next().map(|(key, _)| key.clone()) }
    }
}

struct Device {
    room: Room,
    disk: Disk,
    link: Option<ConnId>,
}

struct World {
    home: Home,
    home_disk: Disk,
    devices: Vec<Device>,
    now: Now,
    next_conn: u64,
}

fn room_id() -> RoomId {
    "harbour".parse().expect("a room name")
}

impl World {
    fn new(devices: usize) -> Self {
        let device = |n: usize| Device {
            room: Room::new(device::Config {
                room: room_id(),
                seed: [n as u8 + 1; 32],
                agent: "test".into(),
            }),
            disk: Disk::default(),
            link: None,
        };
        let mut world = Self {
            home: Home::new(room_id(), &[99; 32]),
            home_disk: Disk::default(),
            devices: (0..devices).map(device).collect(),
            now: Now { monotonic: Millis(1_000), wall: Millis(1_700_000_000_000) },
            next_conn: 0,
        };
        world.run(2_000);
        world
    }

    /// Lets so many milliseconds pass.
    fn run(&mut self, ms: u64) {
        for _ in 0..ms / 5 {
            self.settle();
            self.now.monotonic = self.now.monotonic.after(Millis(5));
            self.now.wall = self.now.wall.after(Millis(5));
            if self.home.poll_timeout().is_some_and(|at| at <= self.now.monotonic) {
                self.home.handle(home::Input::Tick, self.now);
            }
            for device in &mut self.devices {
                if device.room.poll_timeout().is_some_and(|(at, _)| at <= self.now.monotonic) {
                    device.room.handle(device::Input::Tick, self.now);
                }
            }
        }
    }

    fn settle(&mut self) {
        let mut busy = true;
        while busy {
            busy = false;
            for at in 0..self.devices.len() {
                while let Some(output) = self.devices[at].room.poll_output() {
                    busy = true;
                    self.carry_out(at, output);
                }
            }
            let mut to_devices = VecDeque::new();
            while let Some(output) = self.home.poll_output() {
                busy = true;
                match output {
                    home::Output::Send(to, lane, bytes) => {
                        to_devices.extend(to.into_iter().map(|conn| (conn, lane, bytes.clone())));
                    }
                    home::Output::Close(conn, code) => panic!("{conn:?} closed: {code:?}"),
                    home::Output::Commit(op, commit) => {
                        let result = self.home_disk.commit(commit);
                        self.home.handle(home::Input::Stored(op, result), self.now);
                    }
                    home::Output::Materialise(op, job) => {
                        let done = job.run(&mut || true);
                        self.home.handle(home::Input::Materialised(op, done), self.now);
                    }
                    home::Output::Scan(op, scan) => {
                        let page = self.home_disk.scan(&scan);
                        self.home.handle(home::Input::Scanned(op, Ok(page)), self.now);
                    }
                }
            }
            for (conn, lane, bytes) in to_devices {
                self.home.handle(home::Input::Drained(conn, lane), self.now);
                if let Some(device) = self.devices.iter_mut().find(|device| device.link == Some(conn)) {
                    device.room.handle(device::Input::Received(bytes), self.now);
                }
            }
        }
    }

    fn carry_out(&mut self, at: usize, output: device::Output) {
        let now = self.now;
        let device = &mut self.devices[at];
        match output {
            device::Output::Connect => {
                self.next_conn += 1;
                let conn = ConnId(self.next_conn);
                device.link = Some(conn);
                self.home.handle(home::Input::Opened(conn), now);
                device.room.handle(device::Input::Opened, now);
            }
            device::Output::Send(bytes) => {
                let conn = device.link.expect("a device sends on an open link only");
                self.home.handle(home::Input::Received(conn, bytes), now);
            }
            device::Output::Page(output) => panic!("there is one page: {output:?}"),
            device::Output::Close => {
                if let Some(conn) = device.link.take() {
                    self.home.handle(home::Input::Closed(conn), now);
                }
                device.room.handle(device::Input::Closed(None), now);
            }
            device::Output::Commit(op, commit) => {
                let result = device.disk.commit(commit);
                device.room.handle(device::Input::Stored(op, result), now);
            }
            device::Output::Scan(op, scan) => {
                let page = device.disk.scan(&scan);
                device.room.handle(device::Input::Scanned(op, Ok(page)), now);
            }
        }
    }

    fn write(&mut self, at: usize, doc: StreamId, index: u32, text: &str) {
        let now = self.now;
        let room = &mut self.devices[at].room;
        room.edit(doc, Some(EditorId(1)), now, |edit| edit.insert(index, text)).expect("an open text");
    }

    fn text(&self, at: usize, doc: StreamId) -> String {
        self.devices[at].room.text(doc).expect("an open text")
    }
}

#[test]
fn a_keystroke_reaches_the_other_device_and_is_called_saved() {
    let mut world = World::new(2);
    let doc = StreamId::first_document(&room_id());
    for device in &mut world.devices {
        device.room.open_text(doc).unwrap();
    }
    world.run(100);
    for device in &mut world.devices {
        device.room.open_editor(doc, EditorId(1)).unwrap();
    }
    world.write(0, doc, 0, "Hello");
    world.run(100);
    assert_eq!(world.text(1, doc), "Hello");
    assert_eq!(world.devices[0].room.save_status(doc).unsaved_on_relay, 0);
    world.write(1, doc, 5, " world 🌍");
    world.run(600);
    world.write(0, doc, 0, "> ");
    world.run(1_000);
    assert_eq!(world.text(0, doc), "> Hello world 🌍");
    assert_eq!(world.text(1, doc), world.text(0, doc));
    assert_eq!(world.devices[0].room.save_status(doc).seen_by, 1);
    let now = world.now;
    world.devices[0].room.undo(doc, EditorId(1), now).unwrap();
    world.run(1_000);
    assert_eq!(world.text(1, doc), "Hello world 🌍");
    assert_eq!(world.text(0, doc), "Hello world 🌍");
    let made = world.devices[0].room.create_text("src/main.py", now).unwrap();
    world.run(1_000);
    assert_eq!(world.devices[1].room.directory()[0].document, made);
}
