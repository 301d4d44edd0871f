//! The reducer of channels.

use std::sync::OnceLock;

use causeway_core::chat::{Channel, ChatOp, Older, Post, Saved, TimelineChange, Unread};
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::limits::{POST_BYTES, REACTIONS_EACH, REACTIONS_POST};
use causeway_core::log::{Entry, EntryKind, EntryName, Header, StreamLog, Verdict};
use causeway_core::person::PersonKey;
use causeway_core::time::Millis;
use causeway_core::wire;

use crate::pieces::Pieces;

/// Takes each piece for an entry of its author: what it is, what it is about, the author's clock, the payload. What the log
/// lets in is read in several orders.
pub(super) fn judge(input: &[u8]) -> usize {
    let mut writers: Vec<Writer> = (1..=Pieces::AUTHORS).map(Writer::new).collect();
    let mut written: Vec<Entry> = Vec::new();
    for (author, piece) in Pieces::of(input).take(MOST) {
        let [what, about, clock, payload @ ..] = piece else { continue };
        let author = usize::from(author - 1);
        if what & LISTENS != 0 {
            let told = writers[usize::from(about % Pieces::AUTHORS)].held.clone();
            told.iter().for_each(|entry| writers[author].hear(entry));
        }
        written.extend(writers[author].write(*what, *about, *clock, payload));
    }
    let forward = read(written.iter());
    forward.keeps_its_bounds(written.len());
    assert_eq!(read(written.iter().rev()), forward, "the order does not matter");
    let apart = (1..=Pieces::AUTHORS)
        .rev()
        .flat_map(|author| written.iter().filter(move |entry| entry.header().replica == replica(author)));
    assert_eq!(read(apart), forward, "nor does who is heard first");
    written.len()
}

/// One author, and what they have heard.
struct Writer {
    replica: ReplicaId,
    log: StreamLog,
    held: Vec<Entry>,
}

impl Writer {
    fn new(author: u8) -> Self {
        let Beginning { log, entries } = beginning();
        Self { replica: replica(author), log: log.clone(), held: entries.clone() }
    }

    fn hear(&mut self, entry: &Entry) {
        match self.log.judge(entry) {
            Verdict::Fresh(accepted) => {
                self.log.extend(entry, accepted);
                self.held.push(entry.clone());
            }
            Verdict::Known => {}
            Verdict::Waits(missing) => panic!("what was told in order waits for {missing:?}"),
            Verdict::Refused(refusal) => panic!("what one takes another refuses: {refusal}"),
        }
    }

    /// The entry, if it may join.
    fn write(&mut self, what: u8, about: u8, clock: u8, payload: &[u8]) -> Option<Entry> {
        let target = (what & HAS_TARGET != 0).then(|| name(&self.held[usize::from(about) % self.held.len()]));
        let time = Millis(u64::from(clock) << (clock % 56));
        let kind = KINDS[usize::from(what) % KINDS.len()];
        let entry = build(&self.log, self.replica, kind, target, time, payload);
        let Verdict::Fresh(accepted) = self.log.judge(&entry) else { return None };
        let op = wire::payload::decode_chat(payload).expect("the log took it");
        assert_eq!(wire::payload::decode_chat(&wire::payload::encode_chat(&op)), Some(op));
        self.log.extend(&entry, accepted);
        self.held.push(entry.clone());
        Some(entry)
    }
}

/// What somebody sees of a channel.
#[derive(Debug, PartialEq)]
struct Seen {
    posts: Vec<Post>,
    unread: Unread,
    latest: Millis,
}

impl Seen {
    fn keeps_its_bounds(&self, entries: usize) {
        assert!(self.posts.len() <= entries);
        assert_eq!(self.unread.count, self.posts.iter().filter(|post| post.is_unread).count());
        for post in &self.posts {
            assert!(post.text.len() <= POST_BYTES);
            let people = || post.reactions.iter().flat_map(|reaction| &reaction.people);
            assert!(people().count() <= REACTIONS_POST);
            assert!(people().all(|one| people().filter(|other| *other == one).count() <= REACTIONS_EACH));
        }
    }
}

/// Reads entries as they come; what builds on others waits for them. Each is taken twice.
fn read<'a>(entries: impl Iterator<Item = &'a Entry>) -> Seen {
    let Beginning { log, entries: begun } = beginning();
    let mut log = log.clone();
    let mut channel = Channel::new(Some(person(1).id()));
    begun.iter().for_each(|entry| channel.apply(entry));
    let mut left: Vec<&Entry> = entries.collect();
    let mut shown = Vec::new();
    while !left.is_empty() {
        let waiting = left.len();
        left.retain(|entry| match log.judge(entry) {
            Verdict::Fresh(accepted) => {
                log.extend(entry, accepted);
                channel.apply(entry);
                channel.apply(entry);
                follow(&mut channel, &mut shown);
                false
            }
            Verdict::Waits(_) => true,
            Verdict::Known => panic!("no entry is there twice"),
            Verdict::Refused(refusal) => panic!("in another order it is refused: {refusal}"),
        });
        assert!(left.len() < waiting, "something can always come next");
    }
    let posts = channel.posts(&|_| Saved::Relay);
    follow(&mut channel, &mut shown);
    assert_eq!(posts[posts.len() - shown.len()..], shown, "what is told piece by piece is what there is");
    Seen { posts, unread: channel.unread(), latest: channel.latest() }
}

/// Keeps a timeline as an app does: from changes alone.
fn follow(channel: &mut Channel, shown: &mut Vec<Post>) {
    let older = match channel.poll_timeline(&|_| Saved::Relay) {
        Some(TimelineChange::Reset { posts, older }) => {
            *shown = posts;
            older
        }
        Some(TimelineChange::Splice { at, remove, insert, older }) => {
            shown.splice(at..at + remove, insert);
            older
        }
        None => return,
    };
    assert_eq!(older == Older::More, channel.len() > shown.len());
    assert_eq!(channel.poll_timeline(&|_| Saved::Relay), None, "told once");
}

/// A channel in which all have said who they are, and nothing else.
struct Beginning {
    log: StreamLog,
    entries: Vec<Entry>,
}

/// Made once: signatures cost more than all else here.
fn beginning() -> &'static Beginning {
    static BEGINNING: OnceLock<Beginning> = OnceLock::new();
    BEGINNING.get_or_init(|| {
        let mut begun = Beginning { log: StreamLog::new(stream()), entries: Vec::new() };
        begun.push(replica(1), EntryKind::Create, &[]);
        for author in 1..=Pieces::AUTHORS {
            let introduction =
                person(author).introduction(&replica(author), format!("author {author}"), 0x33_66_99);
            let payload = wire::payload::encode_chat(&ChatOp::Introduce(introduction));
            begun.push(replica(author), EntryKind::Introduce, &payload);
        }
        begun
    })
}

impl Beginning {
    fn push(&mut self, replica: ReplicaId, kind: EntryKind, payload: &[u8]) {
        let entry = build(&self.log, replica, kind, None, Millis(1), payload);
        let Verdict::Fresh(accepted) = self.log.judge(&entry) else { panic!("an honest entry") };
        self.log.extend(&entry, accepted);
        self.entries.push(entry);
    }
}

fn build(
    log: &StreamLog,
    replica: ReplicaId,
    kind: EntryKind,
    target: Option<EntryName>,
    time: Millis,
    payload: &[u8],
) -> Entry {
    let (deps, logical) = log.next_place(&replica);
    let seq = log.tip(&replica).seq + 1;
    let (stream, key_epoch, payload_hash) = (stream(), 0, [0; 32]);
    let header = Header { stream, replica, seq, deps, logical, time, kind, target, key_epoch, payload_hash };
    wire::entry::build(header, payload)
}

fn name(entry: &Entry) -> EntryName {
    entry.header().name()
}

fn stream() -> StreamId {
    let room = "harbour".parse().expect("a room name");
    StreamId::main_channel(&room)
}

fn replica(author: u8) -> ReplicaId {
    ReplicaId::from_bytes([0x10 + author; 32])
}

/// Authors 1 and 2 are one person on two devices.
fn person(author: u8) -> PersonKey {
    PersonKey::from_secret(&[author.max(2); 32])
}

/// Flags of what a piece is: its author listens first; it is about an entry.
const LISTENS: u8 = 0x80;
const HAS_TARGET: u8 = 0x40;
const KINDS: [EntryKind; 8] = [
    EntryKind::Post,
    EntryKind::Amend,
    EntryKind::Retract,
    EntryKind::React,
    EntryKind::Introduce,
    EntryKind::Post,
    EntryKind::React,
    EntryKind::Edit,
];
/// Entries of one input: faults show with few, and each round is cheap.
const MOST: usize = 64;
