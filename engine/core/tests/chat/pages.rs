//! A channel cut into snapshots in any way, and read from its newest page on: what is shown is the end of the same
//! timeline, and what is left to read is counted also where it is not here.

use std::sync::Arc;

use bytes::Bytes;
use causeway_core::chat::page::{check_contents, check_posts};
use causeway_core::chat::{Channel, ChatOp, Older, Post, Saved, TimelineChange};
use causeway_core::ids::ReplicaId;
use causeway_core::limits::{LAST_MOMENT, POST_PAGE_POSTS};
use causeway_core::log::{Entry, EntryName};
use causeway_core::snapshot::{Base, Built, Done, Job, PageId, Root};
use causeway_core::time::Millis;
use proptest::prelude::*;

use crate::history::{act, history, person, person_of, shuffled, stream};

/// Makes a page of posts full after about eight of them.
const LONG: usize = 15_900;

/// A home's disk: the snapshot that stands, and every page there ever was.
#[derive(Default)]
struct Home {
    root: Option<Arc<Root>>,
    pages: Vec<Bytes>,
    /// How many pages the last snapshot had to read and write.
    read: usize,
    written: usize,
}

impl Home {
    fn page(&self, id: &PageId) -> Bytes {
        self.pages.iter().find(|page| PageId::of(page) == *id).expect("no page is lost").clone()
    }

    fn base(&self, wanted: &[PageId]) -> Option<Base> {
        let root = self.root.clone()?;
        let pages = root.pages.first().into_iter().chain(wanted).map(|id| self.page(id)).collect();
        Some(Base { root, pages })
    }

    /// Makes the next snapshot, as a home does: asked for pages, it hands them in; then all is checked.
    fn compact(&mut self, entries: &[Entry]) {
        let (mut wanted, count) = (Vec::new(), entries.len());
        let built: Built = loop {
            let (base, entries) = (self.base(&wanted), entries.to_vec());
            match (Job::Build { stream: stream(), base, entries, posts: POST_PAGE_POSTS }).run(&mut || true) {
                Ok(Done::Built(built)) => break built,
                Ok(Done::Wants { pages, entries: all }) => {
                    assert!(all == count && wanted.is_empty(), "it asks once, and for all");
                    wanted = pages;
                }
                other => panic!("honest entries can be built: {other:?}"),
            }
        };
        (self.read, self.written) = (wanted.len(), built.written.len());
        let arrivals = self.root.as_ref().map_or(0, |root| root.arrivals) + entries.len() as u64;
        let root = Root {
            stream: stream(),
            parent: self.root.as_ref().map(|root| root.id()),
            arrivals,
            bytes: 0,
            coverage: built.coverage,
            frontier: built.frontier,
            pages: built.pages,
            content: built.content,
        };
        let before = self.root.as_ref().map_or(&[][..], |root| &root.pages);
        let pages = built.written.iter().filter(|page| !before.contains(&PageId::of(page)));
        let verify = Job::Verify {
            base: self.base(&wanted),
            entries: entries.to_vec(),
            root: Box::new(root.clone()),
            pages: pages.cloned().collect(),
            posts: POST_PAGE_POSTS,
        };
        assert!(matches!(verify.run(&mut || true), Ok(Done::Verified(_))));
        self.pages.extend(built.written);
        self.root = Some(Arc::new(root));
    }

    /// Hands a device what it begins with.
    fn cover(&self, channel: &mut Channel, was_here: bool) {
        let Some(root) = &self.root else { return };
        let contents = check_contents(&self.page(&root.pages[0]), root.pages.len() - 1);
        channel.cover(root, contents.expect("contents"), was_here);
        if let Some(newest) = root.pages.last().filter(|_| root.pages.len() > 1) {
            channel.take_page(*newest, check_posts(&self.page(newest)).expect("a page of posts"));
        }
    }
}

fn posts(channel: &Channel) -> Vec<Post> {
    channel.posts(&|_| Saved::Relay)
}

/// Follows a channel to its beginning, page after page, and answers what it shows then.
fn read_back(home: &Home, channel: &mut Channel) -> Vec<Post> {
    let mut shown: Vec<Post> = Vec::new();
    let mut asked = 0;
    loop {
        let older = match channel.poll_timeline(&|_| Saved::Relay) {
            Some(TimelineChange::Reset { posts, older }) => {
                shown = posts;
                Some(older)
            }
            Some(TimelineChange::Splice { at, remove, insert, older }) => {
                shown.splice(at..at + remove, insert);
                Some(older)
            }
            None => None,
        };
        assert!(posts(channel).ends_with(&shown));
        if let Some(page) = channel.wants_page() {
            channel.take_page(page, check_posts(&home.page(&page)).expect("a page of posts"));
        } else if older == Some(Older::Nothing) {
            return shown;
        } else {
            asked += 1;
            assert!(asked < 1_000, "there is an end");
            channel.older();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn rule_8_a_channel_in_snapshots_is_the_channel_of_its_entries(
        acts in proptest::collection::vec(act(), 30..110),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 1..5),
        seed: u64,
        device_at: prop::sample::Index,
        read_at in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let me = Some(person_of(0).id());
        let entries = shuffled(&history(&acts, LONG), seed);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(entries.len() + 1)).collect();
        cuts.push(0);
        cuts.sort_unstable();
        let (mut whole, mut home) = (Channel::new(me), Home::default());
        // One device takes entries up to a place and goes on from whatever snapshot it then meets.
        let mut device = Channel::new(me);
        let goes = device_at.index(entries.len());
        entries[..goes].iter().for_each(|entry| device.apply(entry));
        let read = read_at.map(|at| at.index(goes + 1));
        for (number, entry) in entries.iter().enumerate() {
            whole.apply(entry);
            if read == Some(number) {
                // What is read is told by name, as on a disk.
                for (replica, seq) in whole.mark_read(None) {
                    device.restore_read(replica, seq);
                }
                device.count_unread();
            }
        }
        for cut in cuts.windows(2) {
            home.compact(&entries[cut[0]..cut[1]]);
        }
        let covered = *cuts.last().expect("one at least");
        // Somebody new begins with the newest page, and hears the rest as entries.
        let mut newcomer = Channel::new(me);
        whole.read_marks().iter().for_each(|(replica, seq)| {
            newcomer.restore_read(*replica, *seq);
        });
        home.cover(&mut newcomer, false);
        home.cover(&mut device, goes >= covered);
        for entry in &entries[covered..] {
            newcomer.apply(entry);
            // What it holds already comes again.
            device.apply(entry);
        }
        for channel in [&mut newcomer, &mut device] {
            prop_assert_eq!(channel.unread().count, whole.unread().count, "also where it is not here");
            prop_assert!(posts(&whole).ends_with(&posts(channel)));
            prop_assert_eq!(&read_back(&home, channel), &posts(&whole));
            prop_assert_eq!(channel.unread(), whole.unread());
        }
        prop_assert_eq!(newcomer.latest(), whole.latest());
    }
}

#[test]
fn ch6_nothing_is_read_up_to_a_post_while_what_is_new_begins_on_a_page_that_is_not_here() {
    let entries = long_channel(2_000);
    let mut home = Home::default();
    home.compact(&entries);
    let mut device = Channel::new(Some(person(9).id()));
    home.cover(&mut device, false);
    assert_eq!(device.unread().count, 2_000);
    assert_eq!(device.unread().first, None, "it is on a page that is not here");
    let newest = posts(&device).last().expect("a page").name;
    assert_eq!(device.mark_read(Some(newest)), []);
    assert_eq!(device.unread().count, 2_000, "nobody has seen what is above");
    let kept: Vec<(ReplicaId, u64)> = device.mark_read(None);
    assert_eq!(device.unread().count, 0, "somebody says that it is read");
    let mut again = Channel::new(Some(person(9).id()));
    kept.iter().for_each(|(replica, seq)| {
        again.restore_read(*replica, *seq);
    });
    home.cover(&mut again, false);
    assert_eq!(again.unread().count, 0, "and stays so");
    assert_eq!(read_back(&home, &mut again).len(), 2_000);
    assert_eq!(again.unread().count, 0);
}

#[test]
fn rule_8_only_pages_that_something_happened_to_are_read_and_written() {
    let mut writer = crate::alone(0);
    let mut first: Option<EntryName> = None;
    for number in 0..3_000 {
        let name = crate::post(&mut writer, &format!("post {number}"), 1_000 + number);
        first.get_or_insert(name);
    }
    let mut home = Home::default();
    home.compact(&writer.held);
    let pages = home.root.as_ref().expect("a snapshot").pages.clone();
    assert!(pages.len() >= 3_000 / 512, "{}", pages.len());
    let before = writer.held.len();
    for number in 0..5 {
        crate::post(&mut writer, &format!("more {number}"), 5_000 + number);
    }
    home.compact(&writer.held[before..]);
    assert_eq!((home.read, home.written), (1, 2), "the newest page and the contents");
    let before = writer.held.len();
    let op = ChatOp::Amend { text: "the first, put better".into() };
    writer.say(&op, first, 9_000);
    home.compact(&writer.held[before..]);
    assert_eq!((home.read, home.written), (1, 2), "the oldest page and the contents");
    let now = &home.root.as_ref().expect("a snapshot").pages;
    assert_eq!(now[2..now.len() - 1], pages[2..pages.len() - 1], "the others keep their names");
    let mut reader = Channel::new(None);
    home.cover(&mut reader, false);
    assert!(posts(&reader).len() < 600, "one page is here");
    let mut all = Channel::new(None);
    writer.held.iter().for_each(|entry| all.apply(entry));
    assert_eq!(read_back(&home, &mut reader), posts(&all));
}

fn long_channel(posts: u64) -> Vec<Entry> {
    let mut writer = crate::alone(0);
    for number in 0..posts {
        crate::post(&mut writer, &format!("post {number}"), 1_000 + number);
    }
    writer.held
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rule_8_no_number_in_a_post_stops_the_snapshots_of_a_channel(
        after in any::<u64>(),
        time in any::<u64>(),
        answered in any::<u64>(),
        is_last: bool,
    ) {
        let [after, time, answered] = [after, time, answered].map(|number| if is_last { u64::MAX } else { number });
        let mut writer = crate::alone(0);
        crate::post(&mut writer, "before", 1_000);
        let reply_to = Some(EntryName { replica: ReplicaId::from_bytes([7; 32]), seq: answered });
        let op = ChatOp::Post { text: "from the end of time".into(), reply_to, after: Millis(after) };
        writer.say(&op, None, time);
        let mut home = Home::default();
        home.compact(&writer.held);
        prop_assert!(writer.channel.latest() <= LAST_MOMENT);
        // Apps name the newest post they see, so it spreads.
        let before = writer.held.len();
        crate::post(&mut writer, "after", 2_000);
        home.compact(&writer.held[before..]);
        let mut reader = Channel::new(None);
        home.cover(&mut reader, false);
        prop_assert_eq!(read_back(&home, &mut reader), writer.posts().into_iter().map(|mut post| {
            (post.is_mine, post.is_unread) = (false, true);
            post
        }).collect::<Vec<Post>>());
    }
}
