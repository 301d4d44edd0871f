//! What people who talk write, some of them apart from the others.

use causeway_core::chat::{Channel, ChatOp, Post, Saved};
use causeway_core::ids::{ReplicaId, RoomId, StreamId};
use causeway_core::log::{Entry, EntryKind, EntryName, Header, StreamLog, Verdict};
use causeway_core::person::PersonKey;
use causeway_core::time::Millis;
use causeway_core::wire;
use proptest::prelude::*;

const EMOJIS: [&str; 3] = ["👍", "🌊", "👩‍🚀"];

pub(crate) fn stream() -> StreamId {
    let room: RoomId = "harbour".parse().expect("a room name");
    StreamId::main_channel(&room)
}

pub(crate) fn person(number: u8) -> PersonKey {
    PersonKey::from_secret(&[number + 1; 32])
}

/// Writers 0 and 1 are one person on two devices.
pub(crate) fn person_of(writer: u8) -> PersonKey {
    person(writer.saturating_sub(1))
}

pub(crate) fn replica(writer: u8) -> ReplicaId {
    ReplicaId::from_bytes([0x10 + writer; 32])
}

/// What one writer does. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Post { reply: u8 },
    Amend { post: u8 },
    Retract { post: u8 },
    React { post: u8, emoji: u8, on: bool },
    Rename { name: u8 },
    Hear { from: u8 },
}

pub(crate) fn act() -> impl Strategy<Value = (u8, Act, u64)> {
    let what = prop_oneof![
        4 => any::<u8>().prop_map(|reply| Act::Post { reply }),
        2 => any::<u8>().prop_map(|post| Act::Amend { post }),
        1 => any::<u8>().prop_map(|post| Act::Retract { post }),
        3 => (any::<u8>(), 0..3u8, any::<bool>()).prop_map(|(post, emoji, on)| Act::React { post, emoji, on }),
        1 => (0..3u8).prop_map(|name| Act::Rename { name }),
        4 => (0..4u8).prop_map(|from| Act::Hear { from }),
    ];
    // Clocks differ by minutes; one in ten is years ahead.
    let time = prop_oneof![9 => 1_000..900_000u64, 1 => Just(4_000_000_000_000)];
    (0..4u8, what, time)
}

/// One writer with the log and the channel of their device.
pub(crate) struct Writer {
    number: u8,
    pub(crate) log: StreamLog,
    pub(crate) channel: Channel,
    pub(crate) held: Vec<Entry>,
}

impl Writer {
    pub(crate) fn new(number: u8) -> Self {
        let channel = Channel::new(Some(person_of(number).id()));
        Self { number, log: StreamLog::new(stream()), channel, held: Vec::new() }
    }

    pub(crate) fn take(&mut self, entry: &Entry) -> bool {
        match self.log.judge(entry) {
            Verdict::Fresh(accepted) => {
                self.log.extend(entry, accepted);
                self.channel.apply(entry);
                self.held.push(entry.clone());
                true
            }
            Verdict::Known => true,
            Verdict::Waits(_) => false,
            Verdict::Refused(refusal) => panic!("an honest entry is refused: {refusal}"),
        }
    }

    pub(crate) fn write(
        &mut self,
        kind: EntryKind,
        target: Option<EntryName>,
        payload: &[u8],
        time: u64,
    ) -> Entry {
        let replica = replica(self.number);
        let (deps, logical) = self.log.next_place(&replica);
        let header = Header {
            stream: stream(),
            replica,
            seq: self.log.tip(&replica).seq + 1,
            deps,
            logical,
            time: Millis(time),
            kind,
            target,
            key_epoch: 0,
            payload_hash: [0; 32],
        };
        let entry = wire::entry::build(header, payload);
        assert!(self.take(&entry));
        entry
    }

    pub(crate) fn say(&mut self, op: &ChatOp, target: Option<EntryName>, time: u64) -> Entry {
        self.write(op.kind(), target, &wire::payload::encode_chat(op), time)
    }

    pub(crate) fn introduce(&mut self, name: String, time: u64) -> Entry {
        let introduction = person_of(self.number).introduction(&replica(self.number), name, 0x33_66_99);
        self.say(&ChatOp::Introduce(introduction), None, time)
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        self.channel.posts(&|_| Saved::Relay)
    }

    /// A post of the right people.
    fn some_post(&self, number: u8, mine: bool) -> Option<EntryName> {
        let posts: Vec<EntryName> =
            self.posts().iter().filter(|post| !mine || post.is_mine).map(|post| post.name).collect();
        (!posts.is_empty()).then(|| posts[usize::from(number) % posts.len()])
    }
}

/// Carries a script out, and answers every entry that was written, in an order that respects what they build on. What is
/// said has so many bytes more than its words.
pub(crate) fn history(acts: &[(u8, Act, u64)], more: usize) -> Vec<Entry> {
    let mut writers: Vec<Writer> = (0..4).map(Writer::new).collect();
    let mut written = Vec::new();
    for (number, act, time) in acts {
        let number = usize::from(*number);
        if let Act::Hear { from } = act {
            let news = writers[usize::from(*from)].held.clone();
            assert!(news.iter().all(|entry| writers[number].take(entry)));
            continue;
        }
        let writer = &mut writers[number];
        if !writer.log.is_born() {
            written.push(writer.write(EntryKind::Create, None, &[], *time));
        }
        if writer.log.tip(&replica(writer.number)).introduced.is_none() {
            written.push(writer.introduce(format!("writer {number}"), *time));
        }
        let text = format!("words {}{}", written.len(), "~".repeat(more));
        let (op, target) = match act {
            Act::Post { reply } => (
                ChatOp::Post {
                    text,
                    reply_to: writer.some_post(*reply, false).filter(|_| reply % 3 == 0),
                    after: writer.channel.latest(),
                },
                None,
            ),
            Act::Amend { post } => (ChatOp::Amend { text }, writer.some_post(*post, true)),
            Act::Retract { post } => (ChatOp::Retract, writer.some_post(*post, true)),
            Act::React { post, emoji, on } => {
                let emoji = EMOJIS[usize::from(*emoji)].to_owned();
                (ChatOp::React { emoji, on: *on }, writer.some_post(*post, false))
            }
            Act::Rename { name } => {
                written.push(writer.introduce(format!("name {name}"), *time));
                continue;
            }
            Act::Hear { .. } => continue,
        };
        if target.is_some() || matches!(op, ChatOp::Post { .. }) {
            written.push(writer.say(&op, target, *time));
        }
    }
    written
}

/// The same entries in another order that respects what they build on.
pub(crate) fn shuffled(entries: &[Entry], mut seed: u64) -> Vec<Entry> {
    let mut log = StreamLog::new(stream());
    let mut left: Vec<Entry> = entries.to_vec();
    let mut order = Vec::new();
    while !left.is_empty() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let start = (seed >> 33) as usize % left.len();
        let ready = (0..left.len()).map(|step| (start + step) % left.len()).find_map(|at| {
            match log.judge(&left[at]) {
                Verdict::Fresh(accepted) => Some((at, accepted)),
                Verdict::Waits(_) => None,
                verdict => panic!("an honest entry in another order: {verdict:?}"),
            }
        });
        let (at, accepted) = ready.expect("something can always come next");
        let entry = left.swap_remove(at);
        log.extend(&entry, accepted);
        order.push(entry);
    }
    order
}
