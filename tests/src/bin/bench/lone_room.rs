//! A device's room and its home in one thread, each with a store in memory: what the engine itself costs, without
//! sockets, tasks and disks. The home's share is timed apart and taken off.

use std::time::{Duration, Instant};

use bytes::Bytes;
use causeway_core::chat::Post;
use causeway_core::device::{self, Room};
use causeway_core::home::{self, Home, Lane};
use causeway_core::ids::{ConnId, RoomId, StreamId, StreamKind};
use causeway_core::limits;
use causeway_core::person::PersonKey;
use causeway_core::storage::Scan;
use causeway_core::stored::Prefix;
use causeway_core::time::{Millis, Now};
use causeway_store::{MemoryStore, Space, Store};

use crate::stopwatch::Stopwatch;

/// The pair.
pub(crate) struct Pair {
    room: Room,
    home: Home,
    /// The document, or the channel, that the room has.
    document: StreamId,
    at_room: MemoryStore,
    at_home: MemoryStore,
    space: Space,
    began: Instant,
    /// What the clocks are ahead of the machine's: a story that took hours is typed in seconds.
    ahead: Millis,
    link: ConnId,
    /// Bytes of the home's answers.
    pub(crate) answered: usize,
    /// Processor time spent in the home.
    pub(crate) in_home: Duration,
}

/// A device that is no more, and its disk if that is gone as well.
pub(crate) struct Past(#[expect(dead_code)] Room, #[expect(dead_code)] Option<MemoryStore>);

impl Pair {
    /// A room that is online, with its first document open.
    pub(crate) fn online() -> Self {
        Self::with(StreamId::first_document(&name()))
    }

    /// The same with its main channel open.
    pub(crate) fn talking() -> Self {
        Self::with(StreamId::main_channel(&name()))
    }

    fn with(document: StreamId) -> Self {
        let home = Home::new(name(), &[1; 32]);
        Self::of(document, home, MemoryStore::new(), MemoryStore::new(), 2).synced()
    }

    /// The same home, and a device that has nothing yet: until it shows what the home has. What was the device before is
    /// handed back, as its end is not the newcomer's work.
    pub(crate) fn newcomer(self) -> (Self, Past) {
        let ahead = self.now().monotonic;
        let past = Past(self.room, Some(self.at_room));
        (
            Self { ahead, ..Self::of(self.document, self.home, self.at_home, MemoryStore::new(), 3) }
                .synced(),
            past,
        )
    }

    /// The same device after a restart and without a link: until it shows what its disk has.
    pub(crate) fn restarted(self) -> (Self, Past) {
        let ahead = self.now().monotonic;
        let past = Past(self.room, None);
        let mut pair = Self { ahead, ..Self::of(self.document, self.home, self.at_home, self.at_room, 4) };
        while !pair.is_open() {
            pair.room.handle(device::Input::Tick, pair.now());
            pair.carry_out();
        }
        (pair, past)
    }

    fn of(document: StreamId, home: Home, at_home: MemoryStore, at_room: MemoryStore, number: u8) -> Self {
        let mut room = Room::new(device::Config { room: name(), seed: [number; 32], agent: "bench".into() });
        if document.kind() == StreamKind::Chat {
            let key = PersonKey::from_secret(&[number; 32]);
            room.set_person(key, format!("person {number}"), 0x33_66_99).expect("a short name");
            room.open_channel(document).expect("a channel");
        } else {
            room.open_text(document).expect("the first document is a text");
        }
        Self {
            room,
            home,
            document,
            at_room,
            at_home,
            space: Space::new(name().as_str()).expect("a short name"),
            began: Instant::now(),
            ahead: Millis(0),
            link: ConnId(u64::from(number)),
            answered: 0,
            in_home: Duration::ZERO,
        }
    }

    fn synced(mut self) -> Self {
        while !self.room.is_synced(self.document) {
            self.room.handle(device::Input::Tick, self.now());
            self.home.handle(home::Input::Tick, self.now());
            self.carry_out();
        }
        self
    }

    /// Time passes that nobody waits for.
    pub(crate) fn skip(&mut self, span: Millis) {
        self.ahead = self.ahead.after(span);
    }

    /// The home makes the snapshots that are due.
    pub(crate) fn compact(&mut self) {
        let mut made = None;
        while made != Some(self.home.figures().snapshots_made) {
            made = Some(self.home.figures().snapshots_made);
            self.skip(limits::SNAPSHOT_QUIET);
            self.pass_on(home::Input::Tick);
        }
    }

    /// One keystroke, and whatever it leads to.
    pub(crate) fn type_one(&mut self, at: u32, deleted: u32, inserted: &str) {
        let now = self.now();
        let typed = self.room.edit(self.document, None, now, |text| {
            text.delete(at, deleted)?;
            text.insert(at, inserted)
        });
        typed.expect("a recorded keystroke fits");
        if self.room.poll_timeout().is_some_and(|(due, _)| due <= now.monotonic) {
            self.room.handle(device::Input::Tick, now);
        }
        self.carry_out();
    }

    fn is_open(&self) -> bool {
        self.room.is_open(self.document) || self.room.channel_state(self.document).is_ok()
    }

    /// One post.
    pub(crate) fn say(&mut self, text: String) {
        self.room.post(self.document, text, None, self.now()).expect("the channel is open");
        self.carry_out();
    }

    /// The posts that are in memory.
    pub(crate) fn posts(&self) -> Vec<Post> {
        self.room.posts(self.document).expect("the channel is open")
    }

    /// What is left to read.
    pub(crate) fn unread(&self) -> usize {
        self.room.unread(self.document).count
    }

    /// Bytes of the rows of one kind on the device's disk, the longest of them first.
    pub(crate) fn rows(&self, prefix: Prefix) -> Vec<Vec<u8>> {
        let (start, end) = prefix.range();
        let scan = Scan { start, end, max_bytes: usize::MAX, max_rows: usize::MAX };
        let rows = self.at_room.scan(&self.space, &scan).expect("a store in memory").rows;
        let mut rows: Vec<Vec<u8>> = rows.into_iter().map(|(_, row)| row).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.len()));
        rows
    }

    pub(crate) fn text(&self) -> String {
        self.room.text(self.document).expect("it is open")
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.room.poll_output() {
            match output {
                device::Output::Connect => {
                    self.room.handle(device::Input::Opened, self.now());
                    self.pass_on(home::Input::Opened(self.link));
                }
                device::Output::Send(frames) => self.pass_on(home::Input::Received(self.link, frames)),
                device::Output::Close => panic!("the link holds"),
                device::Output::Page(output) => panic!("there is one page: {output:?}"),
                device::Output::Commit(op, commit) => {
                    let stored = self.at_room.apply(&self.space, &commit);
                    self.room.handle(device::Input::Stored(op, stored), self.now());
                }
                device::Output::Scan(op, scan) => {
                    let page = self.at_room.scan(&self.space, &scan);
                    self.room.handle(device::Input::Scanned(op, page), self.now());
                }
            }
        }
        while self.room.poll_event().is_some() {}
    }

    fn pass_on(&mut self, input: home::Input) {
        let watch = Stopwatch::start();
        let mut answers: Vec<Bytes> = Vec::new();
        self.home.handle(input, self.now());
        // What has drained lets the home go on with what it had put off.
        while self.carry_out_home(&mut answers) {
            for lane in Lane::ALL {
                self.home.handle(home::Input::Drained(self.link, lane), self.now());
            }
        }
        self.in_home += watch.read();
        self.answered += answers.iter().map(Bytes::len).sum::<usize>();
        for frames in answers {
            self.room.handle(device::Input::Received(frames), self.now());
        }
    }

    /// Whether there was anything to do.
    fn carry_out_home(&mut self, answers: &mut Vec<Bytes>) -> bool {
        let mut any = false;
        while let Some(output) = self.home.poll_output() {
            any = true;
            match output {
                // Whoever was here before has gone without a word.
                home::Output::Send(to, _, frames) => {
                    answers.extend(to.contains(&self.link).then_some(frames));
                }
                home::Output::Close(link, _) => assert_ne!(link, self.link, "the home is content"),
                home::Output::Commit(op, commit) => {
                    let stored = self.at_home.apply(&self.space, &commit);
                    self.home.handle(home::Input::Stored(op, stored), self.now());
                }
                home::Output::Materialise(op, job) => {
                    let done = job.run(&mut || true);
                    self.home.handle(home::Input::Materialised(op, done), self.now());
                }
                home::Output::Scan(op, scan) => {
                    let page = self.at_home.scan(&self.space, &scan);
                    self.home.handle(home::Input::Scanned(op, page), self.now());
                }
            }
        }
        any
    }

    fn now(&self) -> Now {
        let monotonic = self.ahead.after(Millis(self.began.elapsed().as_millis() as u64));
        Now { monotonic, wall: Millis(1_700_000_000_000 + monotonic.0) }
    }
}

fn name() -> RoomId {
    "bench".parse().expect("a name")
}
