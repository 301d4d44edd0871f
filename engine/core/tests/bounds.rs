//! A home whose links ask for more than they may, driven by hand: what one of them costs, and what others notice.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use causeway_core::home::{Home, Input, Lane, Output};
use causeway_core::ids::{ConnId, ReplicaId, RoomId, StreamId};
use causeway_core::limits::{
    BOARD_CHANGES, FRAME_BYTES, LINK_PARK_BYTES, LINK_PARK_STREAMS, LINK_REPLICAS, PARK_ENTRIES,
    ROOM_PARK_BYTES, ROOM_STREAMS,
};
use causeway_core::log::{Digest, Entry, EntryKind, EntryName, Header};
use causeway_core::person::PersonKey;
use causeway_core::presence::{State, Status};
use causeway_core::replica::Identity;
use causeway_core::storage::{Commit, Page, Scan};
use causeway_core::stored;
use causeway_core::time::{Millis, Now};
use causeway_core::wire::{self, Body, ErrorCode, Hello, Message, Need, Subscribe, VERSION};
use causeway_core::write_queue::OpId;

/// A home, its disk and what it has said.
struct Hall {
    home: Home,
    disk: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Rows of it that do not fit their sums.
    bent: BTreeSet<Vec<u8>>,
    disk_answers: bool,
    held: Vec<(OpId, Commit)>,
    held_scans: Vec<(OpId, Scan)>,
    scans: usize,
    /// Whether links take what they are sent.
    drains: bool,
    sent: Vec<(ConnId, Lane, Message)>,
    closed: Vec<(ConnId, ErrorCode)>,
    nonces: BTreeMap<ConnId, [u8; 32]>,
    now: Now,
}

fn room() -> RoomId {
    "harbour".parse().expect("a room name")
}

fn key(number: u8) -> Identity {
    Identity::from_secret(&[number; 32])
}

fn stream(number: u32) -> StreamId {
    let mut id = [7; 16];
    id[..4].copy_from_slice(&number.to_le_bytes());
    StreamId::ydoc(id)
}

/// The entry of a chain that repeats what its first one says, which every stream takes.
fn entry(stream: StreamId, replica: ReplicaId, seq: u64, payload: &[u8]) -> Entry {
    build(stream, replica, seq, EntryKind::Create, None, payload)
}

fn build(
    stream: StreamId,
    replica: ReplicaId,
    seq: u64,
    kind: EntryKind,
    target: Option<EntryName>,
    payload: &[u8],
) -> Entry {
    let (deps, logical, time) = (Vec::new(), seq, Millis(0));
    let (key_epoch, payload_hash) = (0, [0; 32]);
    let header = Header { stream, replica, seq, deps, logical, time, kind, target, key_epoch, payload_hash };
    wire::entry::build(header, payload)
}

fn subscribe(stream: StreamId) -> Message {
    Subscribe { stream, question: 1, digest: Digest::NOTHING, newest_but: None }.into()
}

impl Hall {
    fn new() -> Self {
        let mut hall = Self::unread();
        hall.disk_answers = true;
        hall.release();
        hall
    }

    /// A home that still waits for the first row of its room.
    fn unread() -> Self {
        let mut hall = Self {
            home: Home::new(room(), &[9; 32]),
            disk: BTreeMap::new(),
            bent: BTreeSet::new(),
            disk_answers: false,
            held: Vec::new(),
            held_scans: Vec::new(),
            scans: 0,
            drains: true,
            sent: Vec::new(),
            closed: Vec::new(),
            nonces: BTreeMap::new(),
            now: Now { monotonic: Millis(1_000), wall: Millis(1_700_000_000_000) },
        };
        hall.settle();
        hall
    }

    fn settle(&mut self) {
        while let Some(output) = self.home.poll_output() {
            match output {
                Output::Send(to, lane, bytes) => {
                    let messages = wire::decode(&bytes).expect("our own frames can be read");
                    for conn in to {
                        self.sent.extend(messages.iter().map(|message| (conn, lane, message.clone())));
                        if self.drains {
                            self.home.handle(Input::Drained(conn, lane), self.now);
                        }
                    }
                }
                Output::Close(conn, code) => self.closed.push((conn, code)),
                Output::Commit(op, commit) => self.held.push((op, commit)),
                Output::Scan(op, scan) => {
                    self.scans += 1;
                    self.held_scans.push((op, scan));
                }
                Output::Materialise(..) => panic!("nothing here is long enough for a snapshot"),
            }
            if self.disk_answers {
                self.answer();
            }
        }
    }

    fn answer(&mut self) {
        for (op, commit) in std::mem::take(&mut self.held) {
            let goes = |key: &Vec<u8>| {
                commit.delete.contains(key)
                    || commit.delete_prefix.iter().any(|prefix| key.starts_with(prefix))
            };
            self.disk.retain(|key, _| !goes(key));
            self.disk.extend(commit.put);
            self.home.handle(Input::Stored(op, Ok(())), self.now);
        }
        for (op, scan) in std::mem::take(&mut self.held_scans) {
            let rows = self.disk.range(scan.start..scan.end).map(|(key, value)| (key.clone(), value.clone()));
            let (bent, rows): (Vec<_>, Vec<_>) = rows.partition(|(key, _)| self.bent.contains(key));
            let damaged = bent.into_iter().map(|(key, _)| key).collect();
            let page = Page { rows, damaged, more: None };
            self.home.handle(Input::Scanned(op, Ok(page)), self.now);
        }
    }

    /// The disk answers what it was asked, and from now on at once.
    fn release(&mut self) {
        self.disk_answers = true;
        self.answer();
        self.settle();
    }

    fn wait(&mut self, span: u64) {
        self.now.monotonic = self.now.monotonic.after(Millis(span));
        self.home.handle(Input::Tick, self.now);
        self.settle();
    }

    fn hello() -> Bytes {
        let (digest, agent) = (Digest::NOTHING, "test".into());
        wire::encode(&Hello { oldest: VERSION, newest: VERSION, room: room(), digest, agent }.into())
    }

    fn greet(&mut self, number: u64) -> ConnId {
        let conn = ConnId(number);
        self.home.handle(Input::Opened(conn), self.now);
        self.home.handle(Input::Received(conn, Self::hello()), self.now);
        self.settle();
        let welcome = self.sent.iter().rev().find_map(|(_, _, message)| match message {
            Message::Other(Body::Welcome(welcome)) => Some(welcome.nonce),
            Message::Other(_) | Message::Entries(_) => None,
        });
        self.nonces.insert(conn, welcome.expect("everybody is welcome"));
        conn
    }

    /// A link that has proven a replica.
    fn join(&mut self, number: u64, identity: &Identity) -> ConnId {
        let conn = self.greet(number);
        self.tell(conn, &identity.prove(&self.nonces[&conn], &room()).into());
        conn
    }

    fn tell(&mut self, conn: ConnId, message: &Message) {
        self.home.handle(Input::Received(conn, wire::encode(message)), self.now);
        self.settle();
    }

    fn bring(&mut self, conn: ConnId, entries: &[Entry]) {
        self.home.handle(Input::Received(conn, wire::encode_entries(entries)), self.now);
        self.settle();
    }

    fn told(&self, conn: ConnId, is_it: impl Fn(&Message) -> bool) -> usize {
        self.sent.iter().filter(|(to, _, message)| *to == conn && is_it(message)).count()
    }

    fn entries_on_disk(&self) -> usize {
        self.disk.keys().filter(|key| key[0] == b'e').count()
    }
}

fn is_later(message: &Message) -> bool {
    matches!(message, Message::Other(Body::Later(_)))
}

fn is_saved(message: &Message) -> bool {
    matches!(message, Message::Other(Body::Saved(_)))
}

#[test]
fn rl8_streams_of_which_only_the_end_is_there_do_not_fill_a_room() {
    let mut hall = Hall::new();
    let (greedy, honest) = (key(1), key(2));
    let link = hall.join(1, &greedy);
    for number in 0..ROOM_STREAMS as u32 {
        hall.bring(link, &[entry(stream(number), greedy.id(), 2, b"")]);
    }
    assert!(hall.told(link, is_later) >= ROOM_STREAMS - LINK_PARK_STREAMS, "it is asked to come later");
    let other = hall.join(2, &honest);
    let fresh = stream(u32::MAX);
    hall.tell(other, &subscribe(fresh));
    hall.bring(other, &[entry(fresh, honest.id(), 1, b"")]);
    assert_eq!(hall.closed, [], "nobody else notices");
    assert_eq!(hall.entries_on_disk(), 1);
}

#[test]
fn rl8_what_waits_for_one_link_is_bounded_over_all_streams() {
    let mut hall = Hall::new();
    let greedy = key(1);
    let link = hall.join(1, &greedy);
    let large = vec![0; 1 << 20];
    let fits = LINK_PARK_BYTES >> 20;
    for number in 0..2 * fits as u32 {
        hall.bring(link, &[entry(stream(number), greedy.id(), 2, &large)]);
    }
    assert!(hall.told(link, is_later) > fits, "the rest comes later");
    assert_eq!(hall.closed, []);
}

#[test]
fn rl8_what_waits_in_a_room_is_bounded_over_all_links() {
    let mut hall = Hall::new();
    let (each, links) = (LINK_PARK_BYTES >> 20, ROOM_PARK_BYTES / LINK_PARK_BYTES + 2);
    let large = vec![0; (1 << 20) - 1_000];
    let join = |hall: &mut Hall, number: usize| {
        let author = key(number as u8);
        let link = hall.join(number as u64, &author);
        for at in 0..each {
            let stream = stream((number * each + at) as u32);
            hall.bring(link, &[entry(stream, author.id(), 2, &large)]);
        }
        link
    };
    let links: Vec<ConnId> = (0..links).map(|number| join(&mut hall, number)).collect();
    let later = |hall: &Hall, link: ConnId| hall.told(link, is_later);
    assert_eq!(later(&hall, links[0]), 0, "one that brings no more than it may is not asked to come later");
    assert!(later(&hall, links[links.len() - 1]) == each, "but the last is");
    // Who leaves takes along what waited for it.
    hall.home.handle(Input::Closed(links[0]), hall.now);
    let next = join(&mut hall, links.len());
    assert_eq!(later(&hall, next), 0);
    assert_eq!(hall.closed, []);
}

#[test]
fn rl8_what_has_landed_makes_room_for_what_waits() {
    let mut hall = Hall::new();
    let author = key(1);
    let link = hall.join(1, &author);
    for number in 0..2 * LINK_PARK_STREAMS as u32 {
        hall.bring(link, &[entry(stream(number), author.id(), 2, b"")]);
        hall.bring(link, &[entry(stream(number), author.id(), 1, b"")]);
    }
    assert_eq!(hall.told(link, is_later), 0);
    assert_eq!(hall.entries_on_disk(), 4 * LINK_PARK_STREAMS);
}

#[test]
fn rl8_a_full_room_asks_those_who_bring_another_stream_to_come_later() {
    let mut hall = Hall::new();
    let author = key(1);
    let link = hall.join(1, &author);
    for number in 0..ROOM_STREAMS as u32 {
        hall.bring(link, &[entry(stream(number), author.id(), 1, b"")]);
    }
    let one_more = stream(ROOM_STREAMS as u32);
    hall.tell(link, &subscribe(one_more));
    hall.bring(link, &[entry(one_more, author.id(), 1, b"")]);
    assert_eq!(hall.closed, [], "its other streams go on");
    assert_eq!(hall.told(link, is_later), 1);
}

#[test]
fn rl8_proofs_are_checked_so_often_and_no_more() {
    let mut hall = Hall::new();
    let link = hall.join(1, &key(1));
    let proof = key(1).prove(&hall.nonces[&link], &room());
    for _ in 0..10 * LINK_REPLICAS {
        hall.tell(link, &proof.clone().into());
    }
    assert_eq!(hall.closed, [], "what is proven already costs nothing");
    let person = PersonKey::from_secret(&[5; 32]).introduce(&hall.nonces[&link], &room());
    for _ in 0..10 * LINK_REPLICAS {
        hall.tell(link, &person.clone().into());
    }
    assert_eq!(hall.closed, [(link, ErrorCode::TooMuch)]);
}

#[test]
fn rl8_entries_that_wait_for_each_other_in_turn_all_land() {
    let mut hall = Hall::new();
    let (a, b) = (key(1), key(2));
    let link = hall.join(1, &a);
    hall.tell(link, &b.prove(&hall.nonces[&link], &room()).into());
    let half = PARK_ENTRIES as u64 / 2 - 1;
    let zigzag = |replica: ReplicaId, other: ReplicaId, behind: u64| {
        move |seq: u64| {
            let target = (seq > behind).then(|| EntryName { replica: other, seq: seq - behind });
            build(stream(1), replica, seq, EntryKind::Create, target, b"")
        }
    };
    let (ours, theirs) = (zigzag(a.id(), b.id(), 1), zigzag(b.id(), a.id(), 0));
    let late: Vec<Entry> = (2..=half).rev().flat_map(|seq| [theirs(seq), ours(seq)]).collect();
    for frame in late.chunks(512) {
        hall.bring(link, frame);
    }
    hall.bring(link, &[theirs(1)]);
    assert_eq!(hall.entries_on_disk(), 0);
    hall.bring(link, &[ours(1)]);
    assert_eq!(hall.entries_on_disk() as u64, 2 * half);
}

#[test]
fn rl8_what_is_sent_again_while_the_disk_is_silent_is_kept_once() {
    let mut hall = Hall::new();
    let author = key(1);
    let link = hall.join(1, &author);
    hall.disk_answers = false;
    let first = entry(stream(1), author.id(), 1, b"");
    hall.bring(link, std::slice::from_ref(&first));
    let before = hall.home.waiting_for_disk();
    for _ in 0..500 {
        hall.bring(link, std::slice::from_ref(&first));
    }
    assert!(hall.home.waiting_for_disk() <= before + 1, "{}", hall.home.waiting_for_disk());
    hall.release();
    assert!(hall.told(link, is_saved) >= 1);
}

#[test]
fn sy3_synced_comes_behind_entries_that_wait_for_the_same_link() {
    let mut hall = Hall::new();
    let (author, reader) = (key(1), key(2));
    let (writes, reads) = (hall.join(1, &author), hall.join(2, &reader));
    hall.bring(writes, &[entry(stream(1), author.id(), 1, b"")]);
    hall.tell(reads, &subscribe(stream(1)));
    hall.drains = false;
    hall.sent.clear();
    hall.bring(writes, &[entry(stream(1), author.id(), 2, b"")]);
    let in_entries = |(to, lane, _): &&(ConnId, Lane, Message)| *to == reads && *lane == Lane::Entries;
    assert_eq!(hall.sent.iter().filter(in_entries).count(), 1, "it waits in the lane");
    hall.tell(reads, &Need { stream: stream(1), replica: author.id(), from: 1, to: 1 }.into());
    let in_bulk = |(to, lane, _): &&(ConnId, Lane, Message)| *to == reads && *lane == Lane::Bulk;
    assert_eq!(hall.sent.iter().filter(in_bulk).count(), 0, "nothing goes past it");
    hall.drains = true;
    hall.home.handle(Input::Drained(reads, Lane::Entries), hall.now);
    hall.settle();
    assert!(hall.sent.iter().filter(in_bulk).count() > 0);
}

#[test]
fn rl8_what_comes_before_the_room_is_read_is_bounded_in_bytes() {
    let mut hall = Hall::unread();
    let conn = ConnId(1);
    hall.home.handle(Input::Opened(conn), hall.now);
    hall.home.handle(Input::Received(conn, Hall::hello()), hall.now);
    let frame = Bytes::from(vec![0; FRAME_BYTES / 2]);
    hall.home.handle(Input::Received(conn, frame.clone()), hall.now);
    hall.settle();
    assert_eq!(hall.closed, []);
    hall.home.handle(Input::Received(conn, frame), hall.now);
    hall.settle();
    assert_eq!(hall.closed, [(conn, ErrorCode::Full)]);
}

#[test]
fn pr1_everybody_who_changes_at_once_is_told_in_frames_of_bounded_length() {
    let mut hall = Hall::new();
    let people = 2 * BOARD_CHANGES as u64 + 1;
    for number in 0..people {
        let conn = hall.greet(number);
        let (name, colour) = (format!("number {number}"), 0);
        let state = State { name, colour, status: Status::Idle, cursor: None, typing: None };
        hall.tell(conn, &state.into());
    }
    hall.sent.clear();
    hall.wait(1_000);
    let told =
        hall.sent.iter().filter(|(to, ..)| *to == ConnId(0)).filter_map(|(_, _, message)| match message {
            Message::Other(Body::Board(changes)) => Some(changes.len()),
            Message::Other(_) | Message::Entries(_) => None,
        });
    let told: Vec<usize> = told.collect();
    assert!(told.iter().all(|changes| *changes <= BOARD_CHANGES), "{told:?}");
    assert_eq!(told.iter().sum::<usize>() as u64, people, "and of everybody");
}

/// A home with one stream of three entries, of which the row of the second is damaged and known to be.
fn with_hole() -> (Hall, ConnId, Identity, Entry) {
    let mut hall = Hall::new();
    let author = key(1);
    let writes = hall.join(1, &author);
    let entries: Vec<Entry> = (1..=3).map(|seq| entry(stream(1), author.id(), seq, b"")).collect();
    hall.bring(writes, &entries);
    hall.disk.insert(stored::entry_key(&stream(1), 1), b"damaged".to_vec());
    let reads = hall.greet(2);
    hall.tell(reads, &subscribe(stream(1)));
    assert_eq!(hall.home.figures().entries_damaged, 1);
    (hall, writes, author, entries[1].clone())
}

#[test]
fn rule_16_a_hole_is_mended_once_however_often_the_entry_comes() {
    let (mut hall, writes, _, lost) = with_hole();
    hall.disk_answers = false;
    let before = hall.scans;
    for _ in 0..100 {
        hall.bring(writes, std::slice::from_ref(&lost));
    }
    assert_eq!(hall.scans - before, 0, "the chain still knows what stood there");
    assert_eq!(hall.home.waiting_for_disk(), 1);
    hall.release();
    assert!(stored::decode_entry(hall.disk[&stored::entry_key(&stream(1), 1)].clone()).is_ok());
}

#[test]
fn rule_16_a_deleted_stream_has_no_holes_and_gets_no_rows_back() {
    let (mut hall, writes, author, lost) = with_hole();
    hall.disk_answers = false;
    hall.bring(writes, &[lost]);
    hall.bring(writes, &[build(stream(1), author.id(), 4, EntryKind::Delete, None, b"")]);
    hall.release();
    assert_eq!(hall.entries_on_disk(), 0);
    let late = hall.greet(3);
    hall.tell(late, &subscribe(stream(1)));
    let is_lost = |message: &Message| matches!(message, Message::Other(Body::Lost(_)));
    assert_eq!(hall.told(late, is_lost), 0, "nothing of it is missed");
}

/// A home that was started again over the disk of another, of which these rows are bent.
fn restarted(before: Hall, bent: impl IntoIterator<Item = Vec<u8>>) -> Hall {
    let mut hall = Hall::unread();
    hall.disk = before.disk;
    hall.bent = bent.into_iter().collect();
    hall.release();
    hall
}

#[test]
fn st3_a_bent_tip_costs_its_stream_and_no_other() {
    let mut hall = Hall::new();
    let author = key(1);
    let link = hall.join(1, &author);
    for number in 1..=2 {
        hall.bring(link, &[entry(stream(number), author.id(), 1, b"")]);
    }
    let mut hall = restarted(hall, [stored::tip_key(&stream(1), &author.id())]);
    let link = hall.join(1, &author);
    hall.bring(link, &[entry(stream(1), author.id(), 2, b"")]);
    assert_eq!((hall.told(link, is_later), hall.told(link, is_saved)), (1, 0), "nothing is built on damage");
    hall.bring(link, &[entry(stream(2), author.id(), 2, b"")]);
    assert_eq!(hall.told(link, is_saved), 1);
}

#[test]
fn st3_bent_rows_at_both_ends_of_a_page_are_passed_over() {
    let mut hall = Hall::new();
    let author = key(1);
    let link = hall.join(1, &author);
    let entries: Vec<Entry> = (1..=4).map(|seq| entry(stream(1), author.id(), seq, b"")).collect();
    hall.bring(link, &entries);
    let mut hall = restarted(hall, [0, 3].map(|arrival| stored::entry_key(&stream(1), arrival)));
    let reads = hall.greet(2);
    hall.tell(reads, &subscribe(stream(1)));
    assert_eq!(hall.told(reads, |message| *message == Message::Entries(entries[1..3].to_vec())), 1);
    assert_eq!(hall.told(reads, |message| matches!(message, Message::Other(Body::Lost(_)))), 2);
    assert_eq!(hall.told(reads, |message| matches!(message, Message::Other(Body::Synced(_)))), 1);
}
