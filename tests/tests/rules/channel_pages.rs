//! Pages of a channel that cannot be had now, have rotted, or are not what was asked for.

use causeway_core::chat::Older;
use causeway_core::limits::LINK_PAGES;
use causeway_core::snapshot::PageId;
use causeway_core::stored::{self, Prefix};
use causeway_core::wire::{self, Body, Chunk, Message, Want, Whole};
use causeway_tests::network::Network;

use crate::channels::{
    App, channel, chatter, chatter_of, impersonal, long, newcomer, open, posts, root, say, small_pages,
    wanted,
};

#[test]
fn ch8_older_posts_that_cannot_be_had_now_are_out_of_reach_and_come_with_the_link() {
    let (mut network, late, mut app) = long(400);
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
    let (late, mut app) = newcomer(&mut network);
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
    let (late, mut app) = newcomer(&mut network);
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
    let (mut network, late, mut app) = long(400);
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
    let (mut network, late, mut app) = long(400);
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
    let (mut network, late, _) = long(400);
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
