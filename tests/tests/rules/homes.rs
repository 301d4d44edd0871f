//! Rules 10, 13 and 16: restored homes, wrong clocks, damage.

use causeway_core::device::Event;
use causeway_core::home;
use causeway_core::ids::StreamId;
use causeway_core::limits::PING_AFTER;
use causeway_core::log::{Digest, EntryName, Head};
use causeway_core::stored::{self, Prefix, StreamRecord};
use causeway_core::wire::{self, Body, Message, Saved, Subscribe, Synced};
use causeway_tests::disk::Disk;
use causeway_tests::network::Network;

#[test]
fn rule_10_a_home_restored_from_an_old_backup_is_refilled() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "yesterday, ");
    network.rest();
    let backup = network.relay.disk.clone();
    network.insert(1, text, 11, "today, ");
    network.rest();
    network.insert(0, text, 18, "now");
    network.rest();
    network.relay.put_back(backup, 2);
    network.restart_home();
    for _ in 0..10 {
        network.rest();
    }
    assert_eq!(network.text(0, text), "yesterday, today, now");
    let late = network.join();
    network.open(late, text);
    network.rest();
    assert_eq!(network.text(late, text), "yesterday, today, now", "a newcomer reads it from the home");
}

#[test]
fn rule_10_documents_nobody_looks_at_are_refilled_too() {
    let (mut network, text) = Network::with_document(1);
    let backup = network.relay.disk.clone();
    network.insert(0, text, 0, "written, saved, closed");
    network.rest();
    network.restart(0, true);
    network.relay.put_back(backup, 2);
    network.restart_home();
    for _ in 0..5 {
        network.rest();
    }
    assert!(network.relay.entries(&text) > 0, "the app does not have to open it again");
}

/// The data folder was lost and the relay begun anew, without a backup.
#[test]
fn rule_10_documents_nobody_looks_at_are_brought_to_a_relay_that_begins_with_nothing() {
    for epoch in [2, 9] {
        let (mut network, text) = Network::with_document(1);
        network.relay.put_back(Disk::default(), 5);
        network.restart_home();
        network.insert(0, text, 0, "written, saved, closed");
        network.rest();
        network.restart(0, true);
        network.rest();
        network.relay.put_back(Disk::default(), epoch);
        network.restart_home();
        for _ in 0..5 {
            network.rest();
        }
        let late = network.join();
        network.open(late, text);
        network.rest();
        assert_eq!(network.text(late, text), "written, saved, closed", "epoch {epoch}");
    }
}

#[test]
fn rule_10_what_is_offered_again_and_was_not_answered_is_offered_after_a_death_too() {
    let (mut network, text) = Network::with_document(1);
    let backup = network.relay.disk.clone();
    network.insert(0, text, 0, "written and saved in this life");
    network.rest();
    network.relay.put_back(backup, 2);
    network.restart_home();
    // The device meets the new epoch, and the home's disk is slow.
    network.relay.disk_answers = false;
    network.rest();
    network.restart(0, true);
    network.restart_home();
    network.relay.disk_answers = true;
    for _ in 0..5 {
        network.rest();
    }
    assert!(network.relay.entries(&text) > 0, "nobody has to look at it again");
}

#[test]
fn rule_10_a_restart_of_the_home_loses_nothing_it_called_saved() {
    let (mut network, text) = Network::with_document(2);
    for n in 0..5 {
        network.insert(n % 2, text, 0, "word ");
        network.rest();
        network.restart_home();
        network.rest();
    }
    assert_eq!(network.text(0, text), "word ".repeat(5));
    assert_eq!(network.text(1, text), "word ".repeat(5));
}

#[test]
fn rule_13_wall_clocks_never_refuse_and_never_decide() {
    let (mut network, text) = Network::with_document(2);
    let day = 24 * 60 * 60 * 1000;
    network.devices[0].wall_offset = day;
    network.devices[1].wall_offset = -day;
    network.rest();
    network.insert(0, text, 0, "from tomorrow");
    network.rest();
    network.insert(1, text, 0, "from yesterday, ");
    network.rest();
    assert_eq!(network.text(0, text), "from yesterday, from tomorrow");
    let (first, second) = (network.clock(0), network.clock(1));
    network.devices[0].room.list_document(text, "tomorrow.md", first).unwrap();
    network.rest();
    network.devices[1].room.list_document(text, "yesterday.md", second).unwrap();
    network.rest();
    let listed = |network: &Network, n: usize| network.devices[n].room.directory()[0].path.clone();
    assert_eq!(
        listed(&network, 0),
        "yesterday.md",
        "who knew of the other decides later, whatever the clock says"
    );
    assert_eq!(listed(&network, 1), "yesterday.md");
}

#[test]
fn rule_13_times_are_told_by_the_homes_clock() {
    let (mut network, text) = Network::with_document(1);
    network.devices[0].wall_offset = 24 * 60 * 60 * 1000;
    network.drop_link(0);
    network.go_online(0);
    network.rest();
    network.insert(0, text, 0, "when");
    network.rest();
    let home = network.clock(0).wall.0 - 24 * 60 * 60 * 1000;
    let rows: Vec<_> =
        network.relay.disk.rows_of(Prefix::Entry as u8).map(|(_, value)| value.to_vec()).collect();
    let entry = stored::decode_entry(rows.last().unwrap().clone()).unwrap();
    assert!(entry.header().time.0.abs_diff(home) < 5_000, "{:?} is not near {home}", entry.header().time);
}

#[test]
fn rule_16_a_damaged_row_of_a_device_is_told_and_mended_from_the_home() {
    let (mut network, text) = Network::with_document(2);
    for n in 0..4 {
        network.insert(0, text, n * 2, "ab");
        network.rest();
    }
    let key = network.devices[1].disk.rows_of(b'e').nth(2).map(|(key, _)| key.to_vec()).unwrap();
    network.devices[1].disk.damage(&key);
    network.restart(1, true);
    network.open(1, text);
    network.rest();
    let told = network.events(1);
    assert!(
        told.iter().any(|event| matches!(event, Event::Damaged { code, .. } if code == "store.record")),
        "{told:?}"
    );
    assert_eq!(network.text(1, text), "abababab", "what the home has comes back");
    network.insert(1, text, 8, "!");
    network.rest();
    assert_eq!(network.text(0, text), "abababab!");
}

#[test]
fn rule_16_a_damaged_home_never_makes_devices_throw_their_work_away() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "the only copies are here");
    network.rest();
    let replica = network.devices[0].room.replica();
    network.relay.disk.damage(&stored::tip_key(&text, &replica));
    network.restart_home();
    for _ in 0..10 {
        network.rest();
    }
    assert_eq!(network.text(0, text), "the only copies are here");
    assert_eq!(network.text(1, text), "the only copies are here");
    assert!(network.devices[1].disk.rows_of(b'e').count() > 0, "and on its disk");
}

#[test]
fn rule_16_a_damaged_entry_at_the_home_is_told_and_brought_again_by_its_author() {
    let (mut network, text) = Network::with_document(2);
    for n in 0..4 {
        network.insert(0, text, n * 2, "ab");
        network.rest();
    }
    network.go_offline(0);
    let key = network.relay.disk.rows_of(b'e').nth(2).map(|(key, _)| key.to_vec()).unwrap();
    network.relay.disk.damage(&key);
    let before = network.relay.sent.len();
    let late = network.join();
    network.open(late, text);
    for _ in 0..20 {
        network.rest();
    }
    assert_eq!(network.relay.home.figures().entries_damaged, 1);
    let told = network.events(late);
    assert!(
        told.iter().any(|event| matches!(event, Event::Damaged { code, .. } if code == "home.entry")),
        "{told:?}"
    );
    assert_eq!(network.text(late, text), "ab", "what does not build on it is there");
    let frames = network.relay.sent[before..].iter();
    let rows = frames.filter(|(_, message)| matches!(message, Message::Entries(_))).count();
    assert!(rows < 10, "and it is not asked for without end: {rows} frames in twenty seconds");
    network.go_online(0);
    for _ in 0..3 {
        network.rest();
    }
    assert_eq!(network.text(late, text), "abababab", "its author brings it again");
    let mended = network.relay.disk.row(&key).map(<[u8]>::to_vec).unwrap();
    assert!(stored::decode_entry(mended).is_ok(), "and it stands on the disk again");
    let next = network.join();
    network.open(next, text);
    network.rest();
    assert_eq!(network.text(next, text), "abababab");
}

/// Somebody brings from another home as many entries of others as this one has lost: that is no damage of the stream.
#[test]
fn rule_5_who_holds_by_chance_as_many_entries_as_a_damaged_home_hears_first_what_that_has_lost() {
    let (mut network, text) = Network::with_document(3);
    let keeper = 2;
    network.insert(1, text, 0, "known ");
    network.rest();
    let other_home = network.relay.disk.clone();
    [1, keeper].into_iter().for_each(|device| network.go_offline(device));
    network.insert(0, text, 0, "rots ");
    network.rest();
    // Of this home's words one is damaged, at another there is one more.
    let mut relay = network.relay.disk.clone();
    let key = relay.rows_of(b'e').last().map(|(key, _)| key.to_vec()).unwrap();
    relay.damage(&key);
    network.go_offline(0);
    network.relay.put_back(other_home, 9);
    network.restart_home();
    [1, keeper].into_iter().for_each(|device| network.go_online(device));
    network.insert(1, text, 0, "elsewhere ");
    network.rest();
    assert_eq!(network.text(keeper, text), "elsewhere known ");
    network.go_offline(1);
    network.events(keeper);
    network.relay.put_back(relay, 2);
    network.restart_home();
    network.rest();
    let told = network.events(keeper);
    let codes = told.iter().filter_map(|event| match event {
        Event::Damaged { code, .. } => Some(code.as_ref()),
        _ => None,
    });
    let codes: Vec<_> = codes.filter(|code: &&str| *code != "home.unsigned").collect();
    assert_eq!(codes, ["home.entry"]);
}

#[test]
fn rule_16_a_damaged_entry_of_which_the_name_is_damaged_too_keeps_no_reader_waiting() {
    let (mut network, text) = Network::with_document(2);
    for n in 0..4 {
        network.insert(0, text, n * 2, "ab");
        network.rest();
    }
    network.go_offline(0);
    let row = network.relay.disk.rows_of(b'e').nth(2).map(|(key, row)| (key.to_vec(), row.to_vec()));
    let (key, row) = row.unwrap();
    let EntryName { replica, seq } = stored::decode_entry(row).unwrap().name();
    network.relay.disk.damage(&key);
    network.relay.disk.damage(&stored::index_key(&text, &replica, seq));
    let late = network.join();
    network.open(late, text);
    network.rest();
    assert_eq!(network.text(late, text), "ab", "what does not build on it is there");
    network.insert(late, text, 0, "mine ");
    network.rest();
    assert_eq!(network.devices[late].room.save_status(text).unsaved_on_relay, 0);
    assert!(network.text(1, text).contains("mine "));
}

#[test]
fn a_link_that_asks_a_thousand_times_fills_nobodys_queue() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "one ");
    network.insert(1, text, 0, "two ");
    network.rest();
    network.insert(0, text, 0, "three ");
    network.rest();
    let (conn, _) = *network.relay.sent.last().expect("somebody is online");
    let now = network.clock(0);
    let digest = Digest::NOTHING;
    let asked = wire::encode(&Subscribe { stream: text, question: 1_000, digest, newest_but: None }.into());
    let mut scans = 0;
    for _ in 0..1_000 {
        network.relay.home.handle(home::Input::Received(conn, asked.clone()), now);
        while let Some(output) = network.relay.home.poll_output() {
            scans += usize::from(matches!(output, home::Output::Scan(..)));
        }
    }
    assert!(scans <= 2, "the store is asked {scans} times before it has answered once");
}

#[test]
fn rule_1_a_chain_is_the_same_on_every_disk() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "chained");
    network.rest();
    let replica = network.devices[0].room.replica();
    let key = stored::tip_key(&text, &replica);
    let at_home = network.relay.disk.row(&key).map(<[u8]>::to_vec);
    assert_eq!(network.devices[0].disk.row(&key).map(<[u8]>::to_vec), at_home);
    assert_eq!(network.devices[1].disk.row(&key).map(<[u8]>::to_vec), at_home);
    let mut head = Head::START;
    for (_, value) in network.relay.disk.rows_of(b'e') {
        head = head.next(&stored::decode_entry(value.to_vec()).unwrap());
    }
    let tip = stored::TipRecord::decode(&at_home.unwrap()).unwrap();
    assert_eq!(tip.head, head);
}

#[test]
fn a_slow_reader_falls_behind_and_catches_up() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "!");
    network.rest();
    network.relay.slow = true;
    let page = "slow water ".repeat(2_000);
    for _ in 0..30 {
        network.insert(0, text, 0, &page);
        network.wait(60);
        network.settle();
    }
    assert!(network.relay.home.figures().links_behind > 0, "the home lets it go");
    let readers: Vec<_> = network.relay.sent.iter().map(|(conn, _)| *conn).collect();
    for conn in readers {
        let queued = network.relay.queued_bytes(conn);
        assert!(queued <= 512 * 1024, "and holds {queued} bytes for it at most");
    }
    for _ in 0..20 {
        network.drain();
        network.settle();
    }
    assert_eq!(network.text(1, text).len(), 30 * page.len() + 1);
    assert!(!network.relay.sent.iter().any(|(_, message)| matches!(message, Message::Other(Body::Error(_)))));
}

#[test]
fn a_commit_that_failed_and_is_on_the_disk_all_the_same_reaches_everybody() {
    let (mut network, text) = Network::with_document(2);
    network.insert(0, text, 0, "sure, ");
    network.rest();
    network.relay.fails_but_writes = true;
    network.insert(0, text, 6, "unsure");
    network.settle();
    network.relay.fails_but_writes = false;
    // Long before the reader would ask by itself whether it missed anything.
    for _ in 0..3 {
        network.rest();
    }
    assert_eq!(network.text(1, text), "sure, unsure");
}

#[test]
fn rl8_what_a_busy_disk_gathered_reaches_a_live_reader_in_frames_it_can_read() {
    let (mut network, text) = Network::with_document(2);
    let alone = StreamId::ydoc([5; 16]);
    network.insert(0, text, 0, "!");
    network.open(0, alone);
    network.rest();
    network.relay.disk_answers = false;
    network.insert(0, alone, 0, "only its author looks at this");
    network.settle();
    // All of this waits for the commit under way and then shares one.
    let page = "漢".repeat(20_000);
    for _ in 0..50 {
        network.insert(0, text, 0, &page);
        network.wait(60);
        network.settle();
    }
    network.release_home_disk();
    for _ in 0..5 {
        network.rest();
    }
    assert_eq!(network.text(1, text).len(), 50 * page.len() + 1);
    assert!(!network.relay.sent.iter().any(|(_, message)| matches!(message, Message::Other(Body::Error(_)))));
}

#[test]
fn rl8_live_entries_never_overtake_the_pages_they_build_on() {
    // Whichever of its lanes a link brings first.
    for bulk_first in [false, true] {
        let (mut network, text) = Network::with_document(2);
        let page = "slow water ".repeat(2_000);
        for _ in 0..30 {
            network.insert(0, text, 0, &page);
            network.wait(60);
            network.settle();
        }
        network.rest();
        let late = network.join();
        network.rest();
        network.relay.bulk_first = bulk_first;
        network.relay.slow = true;
        network.open(late, text);
        for round in 0..40 {
            network.settle();
            network.insert(0, text, 0, &format!("{round} "));
            network.wait(60);
            network.settle();
            network.trickle();
        }
        for _ in 0..10 {
            network.drain();
            network.rest();
        }
        assert_eq!(network.text(late, text), network.text(0, text));
        let asked =
            network.devices[late].sent.iter().any(|message| matches!(message, Message::Other(Body::Need(_))));
        assert!(!asked, "nothing came before what it builds on");
    }
}

/// How many entries of a text the home has.
fn arrivals(network: &Network, text: StreamId) -> u64 {
    let row = network.relay.disk.row(&stored::stream_key(&text)).expect("the text is there");
    StreamRecord::decode(row).expect("a record").arrivals
}

#[test]
fn rule_5_a_snapshot_that_was_passed_over_is_not_held_yet_though_both_sides_count_the_same() {
    let (mut network, text) = Network::with_document(1);
    network.relay.snapshot_after(10, 500);
    network.insert_times(12, 0, text, "old ");
    network.rest();
    let backup = network.relay.disk.clone();
    network.insert_times(12, 0, text, "lost ");
    network.rest();
    // It holds a snapshot of which the restored home lacks a part.
    let keeper = network.join();
    network.open(keeper, text);
    network.rest();
    let counted = arrivals(&network, text);
    network.go_offline(0);
    network.go_offline(keeper);
    network.relay.put_back(backup, 2);
    network.restart_home();
    let newcomer = network.join();
    network.open(newcomer, text);
    network.rest();
    while arrivals(&network, text) < counted {
        network.insert_times(1, newcomer, text, "new ");
    }
    network.rest();
    assert_eq!(arrivals(&network, text), counted);
    network.events(keeper);
    network.go_online(keeper);
    network.rest();
    let told = network.events(keeper);
    // What only its snapshot has it keeps, and says so.
    let differs = |event: &Event| matches!(event, Event::Damaged { code, .. } if code != "home.unsigned");
    assert!(!told.iter().any(differs), "{told:?}");
    let text = network.text(keeper, text);
    assert!(text.contains("new ") && text.contains("lost "), "{text}");
}

#[test]
fn rule_5_what_somebody_else_has_brought_of_ours_is_no_damage_though_both_sides_count_the_same() {
    let (mut network, text) = Network::with_document(3);
    for device in 0..3 {
        network.insert(device, text, 0, "word ");
        network.rest();
    }
    let [ours, theirs] = [1, 2].map(|device: usize| network.devices[device].room.replica());
    let at_home = network.relay.disk.rows_of(b'c').filter_map(|(key, value)| {
        let (stream, replica) = stored::parse_tip_key(key)?;
        let tip = stored::TipRecord::decode(value).ok()?;
        (stream == text).then_some((replica, tip.seq, tip.head))
    });
    // A restored home that lacks as much of theirs as it has got back of ours since it was asked for that.
    let at_home: Vec<_> = at_home.filter(|(replica, ..)| *replica != theirs).collect();
    let count = |replica| network.relay.seq(&text, &replica);
    assert_eq!(count(ours), count(theirs));
    network.home_is_deaf = true;
    network.wait(PING_AFTER.0 + 100);
    network.settle();
    let asked = network.devices[1].sent.iter().rev().find_map(|message| match message {
        Message::Other(Body::Subscribe(asked)) if asked.stream == text => Some(asked.question),
        _ => None,
    });
    let (question, digest) = (asked.expect("it asks now and then"), Digest::of_chains(&at_home));
    let entries = at_home.iter().map(|(_, seq, _)| seq).sum();
    network.events(1);
    let nothing = Saved { stream: text, replica: ours, seq: 0, head: [0; 8] };
    network.hand_to_device(1, &nothing.into());
    network.hand_to_device(1, &Synced { stream: text, question, digest, entries, gone: false }.into());
    network.settle();
    let told = network.events(1);
    assert!(!told.iter().any(|event| matches!(event, Event::Damaged { .. })), "{told:?}");
}
