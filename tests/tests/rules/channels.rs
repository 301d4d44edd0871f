//! Rule 8 for channels: a long one is opened at its end, older posts come page by page, and what is about posts that are
//! not here waits for them.

use causeway_core::chat::{Older, Post, TimelineChange};
use causeway_core::home::CompactionPlan;
use causeway_core::ids::StreamId;
use causeway_core::limits::LINK_PAGES;
use causeway_core::log::EntryName;
use causeway_core::person::PersonKey;
use causeway_core::snapshot::{PageId, SignedRoot};
use causeway_core::stored::{self, Prefix};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Chunk, Message, Want, Whole};
use causeway_tests::network::{Network, room};

fn channel() -> StreamId {
    StreamId::main_channel(&room())
}

fn open(network: &mut Network, device: usize, person: u8) {
    let room = &mut network.devices[device].room;
    let key = PersonKey::from_secret(&[person; 32]);
    room.set_person(key, format!("person {person}"), 0x33_66_99).expect("a short name");
    room.open_channel(channel()).expect("a channel");
}

/// Two people, and a home that cuts a channel into pages of twenty to forty posts, of which it sends the newest.
fn small_pages() -> Network {
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

fn say(network: &mut Network, device: usize, text: &str) -> EntryName {
    let now = network.clock(device);
    network.devices[device].room.post(channel(), text.into(), None, now).expect("the channel is open");
    posts(network, device).iter().rev().find(|post| post.text == text).expect("it stands there at once").name
}

/// So many posts by the first device.
fn chatter(network: &mut Network, count: usize) {
    chatter_of(network, 0, count);
}

fn chatter_of(network: &mut Network, device: usize, count: usize) {
    for number in 0..count {
        say(network, device, &format!("post {number}"));
        if number % 20 == 19 {
            network.wait(400);
            network.settle();
        }
    }
    network.rest();
}

fn posts(network: &Network, device: usize) -> Vec<Post> {
    network.devices[device].room.posts(channel()).expect("the channel is open")
}

/// What an app shows, from changes alone.
#[derive(Default)]
struct App {
    posts: Vec<Post>,
    older: Option<Older>,
}

impl App {
    fn look(&mut self, network: &mut Network, device: usize) {
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
    fn scroll(&mut self, network: &mut Network, device: usize) {
        network.devices[device].room.older(channel());
        self.look(network, device);
    }

    fn read_back(&mut self, network: &mut Network, device: usize) {
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

fn root(network: &Network) -> SignedRoot {
    let row = network.relay.disk.row(&stored::snapshot_key(&channel())).expect("a snapshot");
    SignedRoot::decode(row).expect("a root")
}

/// Pages of posts a device has asked for.
fn wanted(network: &Network, device: usize) -> usize {
    let sent = network.devices[device].sent.iter();
    sent.filter(|message| matches!(message, Message::Other(Body::Want(_)))).count()
}

fn impersonal(posts: &[Post]) -> Vec<(EntryName, String, usize, bool)> {
    posts.iter().map(|post| (post.name, post.text.clone(), post.reactions.len(), post.is_deleted)).collect()
}

#[test]
fn rule_8_a_long_channel_is_opened_at_its_end_and_read_back_page_by_page() {
    let mut network = small_pages();
    chatter(&mut network, 600);
    assert!(root(&network).root.pages.len() > 600 / 40);
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
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
fn ch8_older_posts_that_cannot_be_had_now_are_out_of_reach_and_come_with_the_link() {
    let mut network = small_pages();
    chatter(&mut network, 400);
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
    let here = posts(&network, late).len();
    network.go_offline(late);
    for _ in 0..3 {
        app.scroll(&mut network, late);
    }
    assert_eq!(
        (app.posts.len(), app.older),
        (here, Some(Older::OutOfReach)),
        "no end of the channel is made up"
    );
    network.restart(late, true);
    open(&mut network, late, 3);
    app.look(&mut network, late);
    app.scroll(&mut network, late);
    app.scroll(&mut network, late);
    assert_eq!(app.older, Some(Older::OutOfReach), "the same from the disk");
    let before = app.posts.len();
    network.go_online(late);
    app.look(&mut network, late);
    app.look(&mut network, late);
    assert!(
        app.posts.len() > before && app.older == Some(Older::More),
        "it comes by itself: {:?}",
        app.older
    );
    app.read_back(&mut network, late);
    assert_eq!(app.posts.len(), 400);
}

#[test]
fn ch5_what_is_about_posts_that_are_not_here_waits_for_their_page() {
    let mut network = small_pages();
    chatter(&mut network, 300);
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
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
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
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
    let mut network = small_pages();
    chatter(&mut network, 300);
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
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
fn rule_16_a_page_of_posts_that_rotted_on_a_device_comes_again() {
    let mut network = small_pages();
    chatter(&mut network, 300);
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.read_back(&mut network, late);
    let prefix = stored::stream_prefix(Prefix::Page, &channel());
    let oldest = root(&network).root.pages[1];
    let key = stored::page_key(&channel(), &oldest);
    assert!(key.starts_with(&prefix) && network.devices[late].disk.row(&key).is_some());
    network.devices[late].disk.damage(&key);
    network.restart(late, true);
    open(&mut network, late, 3);
    let mut again = App::default();
    again.read_back(&mut network, late);
    assert_eq!(impersonal(&again.posts), impersonal(&posts(&network, 0)));
}

#[test]
fn rule_16_a_draft_that_cannot_be_read_leaves_no_pages_at_the_home() {
    let mut network = small_pages();
    chatter(&mut network, 400);
    let kept = |network: &Network| network.relay.disk.rows_of(Prefix::Page as u8).count();
    let before = kept(&network);
    assert_eq!(before, root(&network).root.pages.len());
    // It died while it made the next one, and what it had written of that rotted.
    let page = b"a page of a draft";
    network.relay.disk.put(stored::page_key(&channel(), &PageId::of(page)), stored::encode_piece(page));
    network.relay.disk.put(stored::draft_key(&channel()), b"rotten".to_vec());
    network.restart_home();
    network.rest();
    assert_eq!(kept(&network), before);
    assert_eq!(network.relay.disk.row(&stored::draft_key(&channel())), None);
    chatter(&mut network, 60);
    assert_eq!(kept(&network), root(&network).root.pages.len(), "and snapshots go on");
}

/// Goes on until there is nothing more to be had.
fn scroll_in_vain(app: &mut App, network: &mut Network, device: usize) {
    for _ in 0..20 {
        app.scroll(network, device);
        if app.older == Some(Older::OutOfReach) {
            return;
        }
    }
    panic!("it ends where nothing can be had: {:?}", app.older);
}

#[test]
fn rule_10_a_home_that_was_restored_takes_nothing_from_a_device_that_holds_a_newer_snapshot() {
    let mut network = small_pages();
    chatter(&mut network, 200);
    let backup = network.relay.disk.clone();
    chatter(&mut network, 200);
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
    let newest = app.posts.last().expect("posts").name;
    network.go_offline(0);
    network.go_offline(1);
    network.relay.put_back(backup, 2);
    network.restart_home();
    network.rest();
    scroll_in_vain(&mut app, &mut network, late);
    assert_eq!(app.posts.last().expect("posts").name, newest, "an older snapshot does not take its place");
    assert_eq!(network.devices[late].room.unread(channel()).count, 400);
    network.restart(late, true);
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
    assert_eq!(app.posts.last().expect("posts").name, newest, "nor on the disk");
    scroll_in_vain(&mut app, &mut network, late);
    // Its author brings again what the home has lost.
    network.go_online(0);
    network.go_online(1);
    network.rest();
    chatter(&mut network, 45);
    app.look(&mut network, late);
    app.read_back(&mut network, late);
    assert_eq!(app.posts.len(), 445);
    assert_eq!(impersonal(&app.posts), impersonal(&posts(&network, 0)));
}

#[test]
fn rule_10_what_only_the_snapshot_of_a_restored_home_has_comes_entry_by_entry() {
    let mut network = small_pages();
    chatter(&mut network, 200);
    network.go_offline(1);
    let backup = network.relay.disk.clone();
    chatter(&mut network, 200);
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
    let newest = app.posts.last().expect("posts").name;
    network.go_offline(late);
    network.go_offline(0);
    network.relay.put_back(backup, 2);
    network.restart_home();
    network.go_online(1);
    chatter_of(&mut network, 1, 90);
    let theirs = posts(&network, 1).last().expect("posts").name;
    assert!(root(&network).root.covered(&theirs.replica) > 40, "a snapshot has them");
    network.go_online(late);
    app.look(&mut network, late);
    let here = posts(&network, late);
    assert!(here.iter().any(|post| post.name == theirs), "what is new is here");
    assert!(here.iter().any(|post| post.name == newest), "and what was here before");
    network.go_online(0);
    network.rest();
    chatter(&mut network, 45);
    // The author is the first to have all of it here.
    for device in [0, 1, late] {
        let mut app = App::default();
        network.devices[device].room.open_channel(channel()).expect("a channel");
        app.read_back(&mut network, device);
        assert_eq!(app.posts.len(), 200 + 200 + 90 + 45);
        assert!(impersonal(&app.posts) == impersonal(&posts(&network, 0)));
    }
}

#[test]
fn ch8_a_page_that_follows_gets_older_posts_when_the_one_that_leads_has_a_link_again() {
    let mut network = small_pages();
    chatter(&mut network, 400);
    let pages = network.join_pages(2);
    open(&mut network, pages[0], 3);
    network.rest();
    open(&mut network, pages[1], 3);
    let mut app = App::default();
    app.look(&mut network, pages[1]);
    network.go_offline(pages[0]);
    scroll_in_vain(&mut app, &mut network, pages[1]);
    let before = app.posts.len();
    network.go_online(pages[0]);
    app.look(&mut network, pages[1]);
    app.look(&mut network, pages[1]);
    assert!(
        app.posts.len() > before && app.older == Some(Older::More),
        "it comes by itself: {:?}",
        app.older
    );
    app.read_back(&mut network, pages[1]);
    assert_eq!(impersonal(&app.posts), impersonal(&posts(&network, 0)));
}

/// Scrolls up until a page is asked for, which the home does not hear.
fn ask_in_vain(network: &mut Network, device: usize) -> Want {
    network.home_is_deaf = true;
    let asked = wanted(network, device);
    for _ in 0..10 {
        network.devices[device].room.older(channel());
        network.settle();
        if wanted(network, device) > asked {
            break;
        }
    }
    network.home_is_deaf = false;
    let want = network.devices[device].sent.iter().rev().find_map(|message| match message {
        Message::Other(Body::Want(want)) => Some(*want),
        Message::Other(_) | Message::Entries(_) => None,
    });
    want.filter(|_| wanted(network, device) > asked).expect("it asks for a page")
}

#[test]
fn ch8_a_page_that_nobody_answers_for_is_asked_for_again_on_the_same_link() {
    let mut network = small_pages();
    chatter(&mut network, 400);
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
    let link = network.devices[late].link();
    let _ = ask_in_vain(&mut network, late);
    app.look(&mut network, late);
    let before = app.posts.len();
    for _ in 0..5 {
        network.wait(10_000);
        app.look(&mut network, late);
    }
    assert!(app.posts.len() > before, "{} posts are shown", app.posts.len());
    assert_eq!(network.devices[late].link(), link);
    app.read_back(&mut network, late);
    assert_eq!(impersonal(&app.posts), impersonal(&posts(&network, 0)));
}

#[test]
fn promise_6_a_page_whose_pieces_do_not_fit_together_is_missed_and_asked_for_again() {
    let mut network = small_pages();
    chatter(&mut network, 400);
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
    let Want { page, .. } = ask_in_vain(&mut network, late);
    let of = Whole::Page(page);
    let piece = |at| Chunk { stream: channel(), of, at, total: 500, bytes: vec![7; 100] };
    network.hand_to_device(late, &piece(0).into());
    network.hand_to_device(late, &piece(300).into());
    app.look(&mut network, late);
    assert_eq!(app.older, Some(Older::OutOfReach));
    app.read_back(&mut network, late);
    assert_eq!(impersonal(&app.posts), impersonal(&posts(&network, 0)));
}

#[test]
fn rule_8_a_link_that_asks_for_too_many_pages_stays() {
    let mut network = small_pages();
    chatter(&mut network, 400);
    let asked: Vec<PageId> = root(&network).root.pages[1..].to_vec();
    // All in one piece, so that they wait together.
    let wants = asked.iter().cycle().take(3 * LINK_PAGES).map(|page| Want { stream: channel(), page: *page });
    let frames: Vec<u8> = wants.flat_map(|want| wire::encode(&want.into())).collect();
    network.inject(1, frames.into());
    network.rest();
    assert_eq!(network.relay.closed, []);
    say(&mut network, 1, "still here");
    network.rest();
    assert!(posts(&network, 0).iter().any(|post| post.text == "still here"));
}

#[test]
fn promise_6_a_page_that_nobody_asked_for_is_not_kept() {
    let mut network = small_pages();
    chatter(&mut network, 400);
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
    let kept = |network: &Network| network.devices[late].disk.rows_of(Prefix::Page as u8).count();
    let before = kept(&network);
    for page in root(&network).root.pages[1..].to_vec() {
        let row = network.relay.disk.row(&stored::page_key(&channel(), &page)).expect("a page");
        let bytes = stored::decode_piece(row).expect("a page").to_vec();
        let (of, total) = (Whole::Page(page), bytes.len() as u64);
        let chunk = Chunk { stream: channel(), of, at: 0, total, bytes };
        network.hand_to_device(late, &chunk.into());
    }
    network.rest();
    assert_eq!(kept(&network), before);
}

#[test]
fn rule_8_pages_that_came_with_the_snapshot_are_read_without_a_link() {
    let mut network = small_pages_sent(1 << 20);
    chatter(&mut network, 400);
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
    assert!(posts(&network, late).len() < 180, "one of them is in memory");
    network.go_offline(late);
    app.read_back(&mut network, late);
    assert_eq!((app.posts.len(), wanted(&network, late)), (400, 0));
    assert!(impersonal(&app.posts) == impersonal(&posts(&network, 0)));
}

#[test]
fn rule_16_a_draft_above_a_snapshot_that_rotted_at_the_home_takes_no_pages_with_it() {
    let mut network = small_pages();
    chatter(&mut network, 400);
    let kept = |network: &Network| network.relay.disk.rows_of(Prefix::Page as u8).count();
    let before = kept(&network);
    // The next snapshot was being made, and has most pages of the one that stands.
    let draft = network.relay.disk.row(&stored::snapshot_key(&channel())).expect("a snapshot").to_vec();
    network.relay.disk.put(stored::draft_key(&channel()), draft);
    network.relay.disk.damage(&stored::snapshot_key(&channel()));
    network.restart_home();
    network.rest();
    assert_eq!(kept(&network), before);
}
