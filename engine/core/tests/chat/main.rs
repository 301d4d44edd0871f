//! Channels under every order of arrival: the same timeline, the right count of unread posts, and a shown part that is
//! built from changes alone.

mod history;
mod pages;

use causeway_core::chat::{Channel, ChatOp, Older, Post, Saved, TimelineChange};
use causeway_core::ids::ReplicaId;
use causeway_core::limits::{REACTIONS_EACH, REACTIONS_POST};
use causeway_core::log::{Entry, EntryKind, EntryName};
use causeway_core::time::Millis;
use proptest::prelude::*;

use history::{Writer, act, history, person, person_of, shuffled};

/// A timeline as an app keeps it: from changes alone.
struct Mirror {
    posts: Vec<Post>,
    older: Older,
}

impl Default for Mirror {
    fn default() -> Self {
        Self { posts: Vec::new(), older: Older::Nothing }
    }
}

impl Mirror {
    fn follow(&mut self, channel: &mut Channel) {
        match channel.poll_timeline(&|_| Saved::Relay) {
            Some(TimelineChange::Reset { posts, older }) => {
                (self.posts, self.older) = (posts, older);
            }
            Some(TimelineChange::Splice { at, remove, insert, older }) => {
                self.posts.splice(at..at + remove, insert);
                self.older = older;
            }
            None => {}
        }
        assert_eq!(channel.poll_timeline(&|_| Saved::Relay), None, "told once");
    }

    fn check(&self, channel: &Channel) {
        let all = channel.posts(&|_| Saved::Relay);
        let shown = &all[all.len() - self.posts.len()..];
        assert_eq!(shown, self.posts);
        assert_eq!(self.older == Older::More, all.len() > shown.len());
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
        let entries = history(&acts, 0);
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
        let entries = shuffled(&history(&acts, 0), seed);
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
    let after = writer.channel.latest();
    writer.say(&ChatOp::Post { text: text.into(), reply_to: None, after }, None, time).name()
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
    assert_eq!((mirror.posts.len(), mirror.older), (100, Older::More));
    ada.channel.older();
    post(&mut ada, "at the same time", 2_000);
    mirror.follow(&mut ada.channel);
    mirror.check(&ada.channel);
    assert_eq!((mirror.posts.len(), mirror.older), (201, Older::More));
    ada.channel.older();
    mirror.follow(&mut ada.channel);
    mirror.check(&ada.channel);
    assert_eq!((mirror.posts.len(), mirror.older), (251, Older::Nothing));
    for number in 0..300 {
        post(&mut ada, &format!("while away {number}"), 3_000 + number);
    }
    mirror.follow(&mut ada.channel);
    mirror.check(&ada.channel);
    assert_eq!(
        (mirror.posts.len(), mirror.older),
        (100, Older::More),
        "more than a page at once begins anew"
    );
}

#[test]
fn ch3_of_all_a_person_decides_about_a_post_the_newest_are_kept_in_any_order() {
    let mut ada = alone(0);
    let words = post(&mut ada, "words", 10);
    for number in 0..REACTIONS_EACH + 20 {
        let emoji = format!("{}", number * 7 % 40);
        ada.say(&ChatOp::React { emoji, on: number % 5 != 0 }, Some(words), 20);
    }
    let reactions = |channel: &Channel| {
        let posts = channel.posts(&|_| Saved::Relay);
        posts[0].reactions.iter().map(|reaction| reaction.emoji.clone()).collect::<Vec<String>>()
    };
    let expected = reactions(&ada.channel);
    assert!(expected.len() <= REACTIONS_EACH && expected.len() > REACTIONS_EACH / 2);
    // Entries of one chain come in order on a link, but what they amount to does not rest on that.
    for step in [1, 3, 5, 11] {
        let mut other = Channel::new(None);
        let (said, reacted) = ada.held.split_at(3);
        said.iter().for_each(|entry| other.apply(entry));
        for at in 0..reacted.len() {
            other.apply(&reacted[reacted.len() - 1 - at * step % reacted.len()]);
        }
        assert_eq!(reactions(&other), expected);
    }
}

#[test]
fn ch3_of_all_that_people_decide_about_a_post_the_newest_are_kept_in_any_order() {
    let mut ada = alone(0);
    let words = post(&mut ada, "words", 10);
    let mut heard: Vec<Vec<Entry>> = Vec::new();
    for number in 0..REACTIONS_POST / REACTIONS_EACH + 6 {
        let mut other = Writer::new(u8::try_from(number).expect("few") + 2);
        hear(&mut other, &ada);
        let before = other.held.len();
        other.introduce(format!("reader {number}"), 15);
        for emoji in 0..REACTIONS_EACH {
            other.say(&ChatOp::React { emoji: format!("{emoji}"), on: true }, Some(words), 20);
        }
        heard.push(other.held.split_off(before));
    }
    let reactions = |order: &mut dyn Iterator<Item = &Vec<Entry>>| {
        let mut channel = Channel::new(None);
        ada.held.iter().for_each(|entry| channel.apply(entry));
        order.flatten().for_each(|entry| channel.apply(entry));
        let post = channel.posts(&|_| Saved::Relay).remove(0);
        post.reactions.into_iter().map(|reaction| (reaction.emoji, reaction.people.len())).collect::<Vec<_>>()
    };
    let forth = reactions(&mut heard.iter());
    assert_eq!(forth.iter().map(|(_, people)| people).sum::<usize>(), REACTIONS_POST);
    assert_eq!(forth, reactions(&mut heard.iter().rev()));
}
