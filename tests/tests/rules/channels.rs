//! Rule 8 for channels: a long one is opened at its end, older posts come page by page, and what is about posts that are
//! not here waits for them.

use causeway_core::chat::{Older, Post, TimelineChange};
use causeway_core::home::CompactionPlan;
use causeway_core::ids::StreamId;
use causeway_core::log::EntryName;
use causeway_core::person::PersonKey;
use causeway_core::snapshot::SignedRoot;
use causeway_core::stored::{self, Prefix};
use causeway_core::time::Millis;
use causeway_core::wire::{Body, Message};
use causeway_tests::network::{Network, room};

pub(crate) fn channel() -> StreamId {
    StreamId::main_channel(&room())
}

pub(crate) fn open(network: &mut Network, device: usize, person: u8) {
    let room = &mut network.devices[device].room;
    let key = PersonKey::from_secret(&[person; 32]);
    room.set_person(key, format!("person {person}"), 0x33_66_99).expect("a short name");
    room.open_channel(channel()).expect("a channel");
}

/// Two people, and a home that cuts a channel into pages of twenty to forty posts, of which it sends the newest.
pub(crate) fn small_pages() -> Network {
    small_pages_sent(0)
}

/// The same, but so many bytes of the newest pages are sent.
fn small_pages_sent(sent: usize) -> Network {
    let mut network = Network::new(2);
    let plan =
        CompactionPlan { entries: 40, quiet: Millis(300), posts: 20, sent, ..CompactionPlan::default() };
    network.relay.plan_compaction(plan);
    open(&mut network, 0, 1);
    open(&mut network, 1, 2);
    network.rest();
    network
}

pub(crate) fn say(network: &mut Network, device: usize, text: &str) -> EntryName {
    let now = network.clock(device);
    network.devices[device].room.post(channel(), text.into(), None, now).expect("the channel is open");
    posts(network, device).iter().rev().find(|post| post.text == text).expect("it stands there at once").name
}

/// So many posts by the first device.
pub(crate) fn chatter(network: &mut Network, count: usize) {
    chatter_of(network, 0, count);
}

pub(crate) fn chatter_of(network: &mut Network, device: usize, count: usize) {
    for number in 0..count {
        say(network, device, &format!("post {number}"));
        if number % 20 == 19 {
            network.wait(400);
            network.settle();
        }
    }
    network.rest();
}

pub(crate) fn posts(network: &Network, device: usize) -> Vec<Post> {
    network.devices[device].room.posts(channel()).expect("the channel is open")
}

/// What an app shows, from changes alone.
#[derive(Default)]
pub(crate) struct App {
    pub(crate) posts: Vec<Post>,
    pub(crate) older: Option<Older>,
}

impl App {
    pub(crate) fn look(&mut self, network: &mut Network, device: usize) {
        network.rest();
        while let Some(change) = network.devices[device].room.poll_timeline(channel()) {
            match change {
                TimelineChange::Reset { posts, older } => (self.posts, self.older) = (posts, Some(older)),
                TimelineChange::Splice { at, remove, insert, older } => {
                    self.posts.splice(at..at + remove, insert);
                    self.older = Some(older);
                }
            }
        }
        assert!(posts(network, device).ends_with(&self.posts));
    }

    /// Scrolls up for a page.
    pub(crate) fn scroll(&mut self, network: &mut Network, device: usize) {
        network.devices[device].room.older(channel());
        self.look(network, device);
    }

    pub(crate) fn read_back(&mut self, network: &mut Network, device: usize) {
        self.look(network, device);
        for _ in 0..50 {
            if self.older == Some(Older::Nothing) {
                return;
            }
            self.scroll(network, device);
        }
        panic!("there is an end: {:?}", self.older);
    }
}

/// Somebody who comes late, and what their app shows at first.
pub(crate) fn newcomer(network: &mut Network) -> (usize, App) {
    let late = network.join();
    open(network, late, 3);
    let mut app = App::default();
    app.look(network, late);
    (late, app)
}

/// A channel of so many posts, and somebody who comes late to it.
pub(crate) fn long(posts: usize) -> (Network, usize, App) {
    let mut network = small_pages();
    chatter(&mut network, posts);
    let (late, app) = newcomer(&mut network);
    (network, late, app)
}

pub(crate) fn root(network: &Network) -> SignedRoot {
    let row = network.relay.disk.row(&stored::snapshot_key(&channel())).expect("a snapshot");
    SignedRoot::decode(row).expect("a root")
}

/// Pages of posts a device has asked for.
pub(crate) fn wanted(network: &Network, device: usize) -> usize {
    let sent = network.devices[device].sent.iter();
    sent.filter(|message| matches!(message, Message::Other(Body::Want(_)))).count()
}

pub(crate) fn impersonal(posts: &[Post]) -> Vec<(EntryName, String, usize, bool)> {
    posts.iter().map(|post| (post.name, post.text.clone(), post.reactions.len(), post.is_deleted)).collect()
}

#[test]
fn rule_8_a_long_channel_is_opened_at_its_end_and_read_back_page_by_page() {
    let mut network = small_pages();
    chatter(&mut network, 600);
    assert!(root(&network).root.pages.len() > 600 / 40);
    let (late, mut app) = newcomer(&mut network);
    assert_eq!((app.posts.len(), app.older), (100, Some(Older::More)));
    assert!(posts(&network, late).len() < 180, "{} posts are here", posts(&network, late).len());
    assert_eq!(network.devices[late].room.unread(channel()).count, 600, "also where it is not here");
    assert!(network.devices[late].disk.rows_of(Prefix::Entry as u8).count() < 60);
    app.scroll(&mut network, late);
    assert_eq!(app.posts.len(), 200);
    app.read_back(&mut network, late);
    assert_eq!(impersonal(&app.posts), impersonal(&posts(&network, 0)));
    assert_eq!(network.relay.home.figures().pages_sent as usize, wanted(&network, late));
    // What was looked at is on the device's disk.
    let asked = wanted(&network, late);
    network.restart(late, true);
    network.devices[late].online = false;
    open(&mut network, late, 3);
    let mut again = App::default();
    again.read_back(&mut network, late);
    assert_eq!((again.posts.len(), wanted(&network, late)), (600, asked));
}

#[test]
fn ch5_what_is_about_posts_that_are_not_here_waits_for_their_page() {
    let (mut network, late, mut app) = long(300);
    let early: Vec<EntryName> = posts(&network, 0)[..4].iter().map(|post| post.name).collect();
    let now = network.clock(0);
    let ada = &mut network.devices[0].room;
    ada.amend(channel(), early[0], "put better".into(), now).unwrap();
    ada.retract(channel(), early[1], now).unwrap();
    let now = network.clock(1);
    network.devices[1].room.react(channel(), early[2], "🌊".into(), true, now).unwrap();
    app.look(&mut network, late);
    assert_eq!(network.devices[late].room.unread(channel()).count, 299, "one is left to nobody");
    app.read_back(&mut network, late);
    let shown: Vec<(&str, usize)> =
        app.posts[..4].iter().map(|post| (post.text.as_str(), post.reactions.len())).collect();
    assert_eq!(shown, [("put better", 0), ("", 0), ("post 2", 1), ("post 3", 0)]);
    assert_eq!(impersonal(&app.posts), impersonal(&posts(&network, 0)));
}

#[test]
fn ch2_a_post_of_a_slow_clock_goes_into_an_old_page_and_that_one_alone_is_written_again() {
    let mut network = small_pages();
    network.devices[1].wall_offset = 0;
    chatter(&mut network, 200);
    // Written long ago, by a device that has seen nothing since.
    network.go_offline(1);
    let begun = network.now;
    say(&mut network, 1, "from the island");
    network.wait(3_600_000);
    chatter(&mut network, 200);
    let before = root(&network).root.pages;
    network.go_online(1);
    network.rest();
    chatter(&mut network, 45);
    let after = root(&network).root.pages;
    let kept = after.iter().filter(|page| before.contains(page)).count();
    assert!(kept >= before.len() - 4, "of {} pages {kept} are as they were", before.len());
    let all = posts(&network, 0);
    let at = all.iter().position(|post| post.text == "from the island").expect("it is here");
    assert_eq!(at, 200, "where it was said, at {begun}");
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.read_back(&mut network, late);
    assert_eq!(impersonal(&app.posts), impersonal(&all));
}

#[test]
fn ch6_what_a_merge_brings_below_what_is_here_is_unread() {
    let mut network = small_pages();
    chatter(&mut network, 200);
    network.go_offline(1);
    say(&mut network, 1, "from the island");
    network.wait(3_600_000);
    chatter(&mut network, 200);
    let (late, mut app) = newcomer(&mut network);
    network.devices[late].room.mark_read(channel(), None);
    assert_eq!(network.devices[late].room.unread(channel()).count, 0);
    network.go_online(1);
    app.look(&mut network, late);
    assert_eq!(network.devices[late].room.unread(channel()).count, 1, "it went where nobody looks");
    chatter(&mut network, 45);
    network.restart(late, true);
    open(&mut network, late, 3);
    let mut again = App::default();
    again.look(&mut network, late);
    assert_eq!(network.devices[late].room.unread(channel()).count, 1 + 45, "the same below a snapshot");
    again.read_back(&mut network, late);
    let left: Vec<&str> =
        again.posts.iter().filter(|post| post.is_unread).map(|post| post.text.as_str()).take(1).collect();
    assert_eq!((left, again.posts.len()), (vec!["from the island"], 446));
}

#[test]
fn rule_8_a_sleepy_device_comes_back_over_several_snapshots_with_work_of_its_own() {
    let mut network = small_pages();
    chatter(&mut network, 90);
    network.go_offline(1);
    let mine = say(&mut network, 1, "said on the train");
    let old = posts(&network, 1)[3].name;
    let now = network.clock(1);
    network.devices[1].room.react(channel(), old, "👍".into(), true, now).unwrap();
    for _ in 0..4 {
        chatter(&mut network, 90);
    }
    let mut app = App::default();
    app.look(&mut network, 1);
    network.go_online(1);
    app.look(&mut network, 1);
    assert!(network.relay.home.figures().snapshots_sent > 0);
    app.read_back(&mut network, 1);
    assert_eq!(app.posts.len(), 451);
    assert!(app.posts.iter().any(|post| post.name == mine), "its own post is there");
    assert_eq!(impersonal(&app.posts), impersonal(&posts(&network, 0)));
    assert_eq!(network.devices[1].room.drafts(channel()), []);
}

#[test]
fn rule_8_a_page_that_was_replaced_is_had_from_the_snapshot_of_now() {
    let (mut network, late, mut app) = long(300);
    // Something happens to every old page, and the next snapshot has them written anew.
    let old: Vec<EntryName> = posts(&network, 0)[..200].iter().step_by(5).map(|post| post.name).collect();
    for name in old {
        let now = network.clock(1);
        network.devices[1].room.react(channel(), name, "👍".into(), true, now).unwrap();
    }
    network.rest();
    network.wait(1_000);
    network.rest();
    app.read_back(&mut network, late);
    assert_eq!(impersonal(&app.posts), impersonal(&posts(&network, 0)));
    assert_eq!(app.posts.iter().filter(|post| post.reactions.len() == 1).count(), 40);
}

#[test]
fn t1_a_page_that_follows_reads_back_through_the_one_that_leads() {
    let mut network = small_pages();
    chatter(&mut network, 400);
    let pages = network.join_pages(2);
    open(&mut network, pages[0], 3);
    network.rest();
    open(&mut network, pages[1], 3);
    let mut app = App::default();
    app.look(&mut network, pages[1]);
    assert_eq!(network.devices[pages[1]].room.unread(channel()).count, 400);
    assert!(posts(&network, pages[1]).len() < 200);
    app.read_back(&mut network, pages[1]);
    assert_eq!(impersonal(&app.posts), impersonal(&posts(&network, 0)));
    // It leads, and has what it looked at on its disk.
    network.lead(pages[1]);
    network.rest();
    network.go_offline(pages[1]);
    let mut again = App::default();
    again.read_back(&mut network, pages[1]);
    assert_eq!(again.posts.len(), 400);
}

#[test]
fn rule_8_pages_that_came_with_the_snapshot_are_read_without_a_link() {
    let mut network = small_pages_sent(1 << 20);
    chatter(&mut network, 400);
    let (late, mut app) = newcomer(&mut network);
    assert!(posts(&network, late).len() < 180, "one of them is in memory");
    network.go_offline(late);
    app.read_back(&mut network, late);
    assert_eq!((app.posts.len(), wanted(&network, late)), (400, 0));
    assert!(impersonal(&app.posts) == impersonal(&posts(&network, 0)));
}
