//! Channels under every order of arrival: the same timeline, the right count of unread posts, and a shown part that is
//! built from changes alone.

use causeway_core::chat::{Channel, ChatOp, Post, Saved, TimelineChange};
use causeway_core::ids::{ReplicaId, RoomId, StreamId};
use causeway_core::log::{Entry, EntryKind, EntryName, Header, StreamLog, Verdict};
use causeway_core::person::PersonKey;
use causeway_core::time::Millis;
use causeway_core::wire;
use proptest::prelude::*;

const EMOJIS: [&str; 3] = ["👍", "🌊", "👩‍🚀"];

fn stream() -> StreamId {
    let room: RoomId = "harbour".parse().expect("a room name");
    StreamId::main_channel(&room)
}

fn person(number: u8) -> PersonKey {
    PersonKey::from_secret(&[number + 1; 32])
}

/// Writers 0 and 1 are one person on two devices.
fn person_of(writer: u8) -> PersonKey {
    person(writer.saturating_sub(1))
}

fn replica(writer: u8) -> ReplicaId {
    ReplicaId::from_bytes([0x10 + writer; 32])
}

/// What one writer does. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Act {
    Post { reply: u8 },
    Amend { post: u8 },
    Retract { post: u8 },
    React { post: u8, emoji: u8, on: bool },
    Rename { name: u8 },
    Hear { from: u8 },
}

fn act() -> impl Strategy<Value = (u8, Act, u64)> {
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
struct Writer {
    number: u8,
    log: StreamLog,
    channel: Channel,
    held: Vec<Entry>,
}

impl Writer {
    fn new(number: u8) -> Self {
        let channel = Channel::new(Some(person_of(number).id()));
        Self { number, log: StreamLog::new(stream()), channel, held: Vec::new() }
    }

    fn take(&mut self, entry: &Entry) -> bool {
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

    fn write(&mut self, kind: EntryKind, target: Option<EntryName>, payload: &[u8], time: u64) -> Entry {
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

    fn say(&mut self, op: &ChatOp, target: Option<EntryName>, time: u64) -> Entry {
        self.write(op.kind(), target, &wire::payload::encode_chat(op), time)
    }

    fn introduce(&mut self, name: String, time: u64) -> Entry {
        let introduction = person_of(self.number).introduction(&replica(self.number), name, 0x33_66_99);
        self.say(&ChatOp::Introduce(introduction), None, time)
    }

    fn posts(&self) -> Vec<Post> {
        self.channel.posts(&|_| Saved::Relay)
    }

    /// A post of the right people.
    fn some_post(&self, number: u8, mine: bool) -> Option<EntryName> {
        let posts: Vec<EntryName> =
            self.posts().iter().filter(|post| !mine || post.is_mine).map(|post| post.name).collect();
        (!posts.is_empty()).then(|| posts[usize::from(number) % posts.len()])
    }
}

/// Carries a script out, and answers every entry that was written, in an order that respects what they build on.
fn history(acts: &[(u8, Act, u64)]) -> Vec<Entry> {
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
        let text = format!("words {}", written.len());
        let (op, target) = match act {
            Act::Post { reply } => (
                ChatOp::Post { text, reply_to: writer.some_post(*reply, false).filter(|_| reply % 3 == 0) },
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
fn shuffled(entries: &[Entry], mut seed: u64) -> Vec<Entry> {
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

/// A timeline as an app keeps it: from changes alone.
#[derive(Default)]
struct Mirror {
    posts: Vec<Post>,
    has_older: bool,
}

impl Mirror {
    fn follow(&mut self, channel: &mut Channel) {
        match channel.poll_timeline(&|_| Saved::Relay) {
            Some(TimelineChange::Reset { posts, has_older }) => {
                (self.posts, self.has_older) = (posts, has_older);
            }
            Some(TimelineChange::Splice { at, remove, insert, has_older }) => {
                self.posts.splice(at..at + remove, insert);
                self.has_older = has_older;
            }
            None => {}
        }
        assert_eq!(channel.poll_timeline(&|_| Saved::Relay), None, "told once");
    }

    fn check(&self, channel: &Channel) {
        let all = channel.posts(&|_| Saved::Relay);
        let shown = &all[all.len() - self.posts.len()..];
        assert_eq!(shown, self.posts);
        assert_eq!(self.has_older, all.len() > shown.len());
        let unread = channel.unread();
        assert_eq!(unread.count, all.iter().filter(|post| post.is_unread).count());
        assert_eq!(unread.first, all.iter().find(|post| post.is_unread).map(|post| post.name));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn ch1_every_order_of_arrival_gives_the_same_timeline(
        acts in proptest::collection::vec(act(), 1..80),
        seeds in proptest::collection::vec(any::<u64>(), 1..4),
    ) {
        let entries = history(&acts);
        let reader = person(9).id();
        let mut first = Channel::new(Some(reader));
        entries.iter().for_each(|entry| first.apply(entry));
        for seed in seeds {
            let mut other = Channel::new(Some(reader));
            let mut mirror = Mirror::default();
            for (number, entry) in shuffled(&entries, seed).iter().enumerate() {
                other.apply(entry);
                other.apply(entry);
                if !(seed >> (number % 60)).is_multiple_of(3) {
                    mirror.follow(&mut other);
                    mirror.check(&other);
                }
            }
            mirror.follow(&mut other);
            mirror.check(&other);
            prop_assert_eq!(first.posts(&|_| Saved::Relay), other.posts(&|_| Saved::Relay));
        }
    }

    #[test]
    fn ch6_unread_is_what_was_not_here_when_the_person_read(
        acts in proptest::collection::vec(act(), 1..80),
        seed: u64,
        reads in proptest::collection::vec((0..80usize, proptest::option::of(any::<u8>())), 0..6),
    ) {
        // The reader is the person of writers 0 and 1.
        let me = person_of(0).id();
        let entries = shuffled(&history(&acts), seed);
        let mut channel = Channel::new(Some(me));
        let mut mirror = Mirror::default();
        let mut read: Vec<EntryName> = Vec::new();
        let mut kept: Vec<(ReplicaId, u64)> = Vec::new();
        for (number, entry) in entries.iter().enumerate() {
            channel.apply(entry);
            for (_, upto) in reads.iter().filter(|(at, _)| *at == number) {
                let posts = channel.posts(&|_| Saved::Relay);
                let end = upto.map_or(posts.len(), |upto| usize::from(upto) % (posts.len() + 1));
                if end > 0 {
                    read.extend(posts[..end].iter().map(|post| post.name));
                    kept.extend(channel.mark_read(upto.map(|_| posts[end - 1].name)));
                }
            }
            mirror.follow(&mut channel);
            mirror.check(&channel);
        }
        for post in channel.posts(&|_| Saved::Relay) {
            let left = !post.is_mine && !post.is_deleted && !read.contains(&post.name);
            prop_assert_eq!(post.is_unread, left, "{:?}", post);
        }
        // The same after a restart, with the rows kept in any order.
        let mut again = Channel::new(Some(me));
        kept.iter().rev().for_each(|(replica, seq)| {
            again.restore_read(*replica, *seq);
        });
        entries.iter().for_each(|entry| again.apply(entry));
        again.count_unread();
        prop_assert_eq!(again.unread(), channel.unread());
    }
}

/// A room in which nobody speaks at once.
fn alone(number: u8) -> Writer {
    let mut writer = Writer::new(number);
    writer.write(EntryKind::Create, None, &[], 1);
    writer.introduce(format!("writer {number}"), 1);
    writer
}

fn post(writer: &mut Writer, text: &str, time: u64) -> EntryName {
    writer.say(&ChatOp::Post { text: text.into(), reply_to: None }, None, time).name()
}

fn texts(writer: &Writer) -> Vec<String> {
    writer.posts().into_iter().map(|post| post.text).collect()
}

fn hear(to: &mut Writer, from: &Writer) {
    assert!(from.held.iter().all(|entry| to.take(entry)));
}

#[test]
fn ch2_a_clock_that_is_years_ahead_pushes_nothing_around_afterwards() {
    let mut ada = alone(0);
    let mut ben = Writer::new(2);
    post(&mut ada, "one", 1_000);
    hear(&mut ben, &ada);
    ben.introduce("Ben".into(), 1_500);
    post(&mut ben, "from the year 2096", 4_000_000_000_000);
    hear(&mut ada, &ben);
    post(&mut ada, "two", 2_000);
    post(&mut ada, "three", 3_000);
    hear(&mut ben, &ada);
    assert_eq!(texts(&ada), ["one", "from the year 2096", "two", "three"]);
    assert_eq!(texts(&ben), texts(&ada));
    assert_eq!(ada.posts()[2].time, Millis(2_000), "the author's time is shown as it is");
}

#[test]
fn ch3_a_removed_post_stays_removed_whatever_was_amended_at_the_same_time() {
    let (mut phone, mut laptop) = (alone(0), Writer::new(1));
    let words = post(&mut phone, "words", 10);
    hear(&mut laptop, &phone);
    laptop.introduce("writer 0".into(), 20);
    for number in 0..5 {
        laptop.say(&ChatOp::Amend { text: format!("better words {number}") }, Some(words), 20);
    }
    phone.say(&ChatOp::Retract, Some(words), 20);
    hear(&mut phone, &laptop);
    hear(&mut laptop, &phone);
    for device in [&phone, &laptop] {
        let shown = &device.posts()[0];
        assert_eq!((shown.text.as_str(), shown.is_deleted, shown.is_edited), ("", true, false));
        assert!(shown.is_mine, "both devices are the same person's");
    }
}

#[test]
fn ch8_a_timeline_begins_with_its_newest_page_and_grows_by_pages() {
    let mut ada = alone(0);
    let mut mirror = Mirror::default();
    for number in 0..250 {
        post(&mut ada, &format!("post {number}"), 1_000 + number);
    }
    mirror.follow(&mut ada.channel);
    assert_eq!((mirror.posts.len(), mirror.has_older), (100, true));
    ada.channel.older();
    post(&mut ada, "at the same time", 2_000);
    mirror.follow(&mut ada.channel);
    mirror.check(&ada.channel);
    assert_eq!((mirror.posts.len(), mirror.has_older), (201, true));
    ada.channel.older();
    mirror.follow(&mut ada.channel);
    mirror.check(&ada.channel);
    assert_eq!((mirror.posts.len(), mirror.has_older), (251, false));
    for number in 0..300 {
        post(&mut ada, &format!("while away {number}"), 3_000 + number);
    }
    mirror.follow(&mut ada.channel);
    mirror.check(&ada.channel);
    assert_eq!((mirror.posts.len(), mirror.has_older), (100, true), "more than a page at once begins anew");
}
