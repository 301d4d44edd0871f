//! Channels of which the home has lost pages, and whose pages wait for their turn.

use causeway_core::chat::Older;
use causeway_core::device::Event;
use causeway_core::ids::StreamId;
use causeway_core::salvage::{Found, Loss, put_together};
use causeway_core::stored::{self, Prefix};
use causeway_core::wire::{self, Body, Chunk, Message, Whole};
use causeway_tests::disk::Disk;

use crate::channels::{
    App, channel, chatter, impersonal, open, posts, root, small_pages, small_pages_sent, wanted,
};

#[test]
fn ch8_a_page_that_rotted_at_the_home_keeps_nobody_from_its_snapshot() {
    let mut network = small_pages_sent(100_000);
    chatter(&mut network, 600);
    let pages = root(&network).root.pages;
    let key = stored::page_key(&channel(), &pages[pages.len() - 3]);
    network.relay.disk.damage(&key);
    let (before, sent) = (network.relay.sent.len(), network.relay.home.figures().snapshots_sent);
    let late = network.join();
    open(&mut network, late, 3);
    network.rest();
    assert_eq!(network.relay.home.figures().snapshots_sent, sent + 1);
    let to_late = network.relay.sent[before..].iter().map(|(_, message)| message);
    let entries = crate::craft::entries_in(to_late, channel());
    assert!(entries <= 40, "{entries} entries are sent beside the snapshot");
    let (here, there) = (posts(&network, late), posts(&network, 0));
    assert_eq!(impersonal(&here), impersonal(&there[there.len() - here.len()..]));
    // Nor is it sent again and again.
    network.drop_link(late);
    network.rest();
    assert_eq!(network.relay.home.figures().snapshots_sent, sent + 1);
    let mut app = App::default();
    app.look(&mut network, late);
    for _ in 0..10 {
        app.scroll(&mut network, late);
    }
    assert_eq!(app.older, Some(Older::OutOfReach), "what is before it cannot be had");
}

#[test]
fn rl14_a_page_of_posts_that_is_gone_costs_those_posts_and_not_the_channel() {
    for archive_is_whole in [false, true] {
        let mut network = small_pages();
        chatter(&mut network, 600);
        let all = posts(&network, 0);
        let pages = root(&network).root.pages;
        let gone = pages[pages.len() / 2];
        let mut rows: Found =
            network.relay.disk.rows().map(|(key, value)| (key.to_vec(), vec![value.to_vec()])).collect();
        rows.get_mut(&stored::page_key(&channel(), &gone)).expect("it was there").clear();
        let archive = stored::stream_prefix(Prefix::Archive, &channel());
        if !archive_is_whole {
            let (_, segment) = rows.iter_mut().find(|(key, _)| key.starts_with(&archive)).expect("a segment");
            segment.clear();
        }
        let salvaged = put_together(&rows);
        let (page, snapshot) =
            (Loss::Page { stream: channel(), page: gone }, Loss::Snapshot { stream: channel() });
        assert_eq!(salvaged.lost.contains(&page), !archive_is_whole, "{:?}", salvaged.lost);
        assert_eq!(salvaged.lost.contains(&snapshot), archive_is_whole, "{:?}", salvaged.lost);
        assert!(
            salvaged.lost.iter().all(|loss| !matches!(loss, Loss::Entries { .. })),
            "{:?}",
            salvaged.lost
        );
        // Whoever wrote it has let go of what the snapshot covers, or has lost everything.
        let mut disk = Disk::default();
        salvaged.rows.into_iter().for_each(|(key, value)| disk.put(key, value));
        network.go_offline(0);
        network.go_offline(1);
        network.relay.put_back(disk, 2);
        network.restart_home();
        network.rest();
        let late = network.join();
        open(&mut network, late, 3);
        let mut app = App::default();
        app.look(&mut network, late);
        for _ in 0..20 {
            app.scroll(&mut network, late);
        }
        let shown = impersonal(&app.posts);
        assert!(impersonal(&all).ends_with(&shown) && shown.len() >= 200, "{} posts", shown.len());
        assert_eq!(shown.len() == all.len(), archive_is_whole, "{} of {}", shown.len(), all.len());
    }
}

#[test]
fn ch8_whoever_scrolls_up_does_not_wait_until_all_else_is_caught_up_and_is_sent_a_page_once() {
    let mut network = small_pages();
    chatter(&mut network, 400);
    let texts: Vec<StreamId> = (1..=8).map(|number| StreamId::ydoc([number; 16])).collect();
    for text in &texts {
        network.open(0, *text);
        network.rest();
        for _ in 0..3 {
            network.insert(0, *text, 0, &"much ".repeat(10_000));
            network.rest();
        }
    }
    let late = network.join();
    open(&mut network, late, 3);
    let mut app = App::default();
    app.look(&mut network, late);
    network.relay.slow = true;
    for text in &texts {
        network.open(late, *text);
    }
    network.settle();
    let before = network.relay.home.figures().pages_sent;
    let asked = wanted(&network, late);
    for _ in 0..20 {
        if wanted(&network, late) == asked {
            app.scroll(&mut network, late);
        }
    }
    assert!(wanted(&network, late) > asked, "a page is asked for");
    // A device that was told that the page is out of reach asks for it once more.
    let want = network.devices[late].sent.iter().rev().find_map(|message| match message {
        Message::Other(Body::Want(want)) => Some(*want),
        Message::Other(_) | Message::Entries(_) => None,
    });
    let want = want.expect("it was just asked for");
    network.inject(late, wire::encode(&want.into()));
    let mut drained = 0;
    while network.relay.home.figures().pages_sent == before {
        network.settle();
        network.trickle();
        drained += 1;
        assert!(drained < 4, "it waits for the texts");
    }
    for _ in 0..60 {
        network.settle();
        network.trickle();
    }
    network.drain();
    network.rest();
    let begins = |message: &Message| {
        let of_it = |chunk: &Chunk| chunk.of == Whole::Page(want.page) && chunk.at == 0;
        matches!(message, Message::Other(Body::Chunk(chunk)) if of_it(chunk))
    };
    assert_eq!(network.relay.sent.iter().filter(|(_, message)| begins(message)).count(), 1);
    for text in texts {
        assert_eq!(network.text(late, text).len(), 150_000);
    }
}

#[test]
fn rule_16_a_page_that_follows_gets_a_channel_whose_snapshot_rotted_at_its_leader() {
    // The newest page, the contents, and the root; and all of it where the disk does not read.
    for rotten in 0..4 {
        let mut network = small_pages();
        chatter(&mut network, 200);
        let pages = network.join_pages(2);
        open(&mut network, pages[0], 3);
        network.rest();
        let root = root(&network).root;
        let disk = &mut network.devices[pages[0]].disk;
        match rotten {
            0 => disk.damage(&stored::page_key(&channel(), root.pages.last().expect("a page"))),
            1 => disk.damage(&stored::page_key(&channel(), &root.pages[0])),
            2 => disk.put(stored::snapshot_key(&channel()), b"something else".to_vec()),
            _ => disk.make_unreadable(Some(Prefix::Snapshot.range())),
        }
        network.events(pages[0]);
        open(&mut network, pages[1], 4);
        network.rest();
        network.devices[pages[0]].disk.make_unreadable(None);
        network.rest();
        let told = |event: &Event| matches!(event, Event::Damaged { code, .. } if code == "store.record");
        assert!(network.events(pages[0]).iter().any(told), "{rotten}: it is told");
        let mut app = App::default();
        app.read_back(&mut network, pages[1]);
        assert_eq!(impersonal(&app.posts), impersonal(&posts(&network, 0)), "{rotten}");
        assert!(!network.events(pages[0]).iter().any(told), "{rotten}: and is whole again");
    }
}
