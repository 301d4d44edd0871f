//! Rules 8 and 9 and promise 4: snapshots, the archive, and what a crash between any two steps leaves.

use causeway_core::home::CompactionPlan;
use causeway_core::ids::StreamId;
use causeway_core::limits::{SNAPSHOT_AGAIN, SNAPSHOT_AGAIN_MOST};
use causeway_core::log::Entry;
use causeway_core::snapshot::{JobError, SignedRoot, unpack};
use causeway_core::stored::{self, IndexRecord, Prefix, QuarantineRecord};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Message, Need};
use causeway_tests::network::Network;

/// A room whose home makes a snapshot after every tenth entry.
fn eager(devices: usize) -> (Network, StreamId) {
    let (mut network, text) = Network::with_document(devices);
    network.relay.plan_compaction(CompactionPlan {
        entries: 10,
        bytes: u64::MAX / 4,
        quiet: Millis(500),
        ..CompactionPlan::default()
    });
    (network, text)
}

/// Everybody writes a little, entry by entry.
fn write(network: &mut Network, text: StreamId, times: u32) {
    let devices = network.devices.len();
    for n in 0..times {
        let device = n as usize % devices;
        let end = network.devices[device].room.text_len(text).expect("it is open");
        network.insert(device, text, end / 2, "ab");
        if n % 5 == 4 {
            network.delete(device, text, 0, 1);
        }
        network.settle();
        network.wait(60);
    }
    network.rest();
}

fn root(network: &Network, text: StreamId) -> Option<SignedRoot> {
    let row = network.relay.disk.row(&stored::snapshot_key(&text))?;
    Some(SignedRoot::decode(row).expect("a root"))
}

fn rows(network: &Network, prefix: Prefix) -> usize {
    network.relay.disk.rows_of(prefix as u8).count()
}

fn archived(network: &Network, text: StreamId) -> Vec<Entry> {
    let prefix = stored::stream_prefix(Prefix::Archive, &text);
    let rows = network.relay.disk.rows_of(Prefix::Archive as u8).filter(|(key, _)| key.starts_with(&prefix));
    rows.flat_map(|(_, value)| unpack(stored::decode_segment(value).expect("a row").1).expect("a segment"))
        .collect()
}

#[test]
fn rule_8_a_long_tail_becomes_a_snapshot_in_one_line() {
    let (mut network, text) = eager(2);
    write(&mut network, text, 30);
    let first = root(&network, text).expect("a snapshot");
    assert!(first.root.arrivals >= 30 && network.relay.entries(&text) < 10, "{first:?}");
    write(&mut network, text, 30);
    let second = root(&network, text).expect("a snapshot");
    assert_eq!(second.home, first.home, "one key signs all of a room");
    assert_eq!(second.root.id(), {
        let again = SignedRoot::decode(&second.encode()).unwrap();
        again.root.id()
    });
    assert!(second.root.parent.is_some() && second.root.arrivals > first.root.arrivals);
    assert_eq!((rows(&network, Prefix::Draft), rows(&network, Prefix::Snapshot)), (0, 1));
    assert_eq!(rows(&network, Prefix::Page), 1, "the parent's page has gone");
    assert_eq!(network.text(0, text), network.text(1, text));
    for (replica, tip) in &second.root.coverage {
        assert!(tip.seq <= network.relay.seq(&text, replica));
    }
}

#[test]
fn rule_9_entries_come_out_of_the_archive_byte_for_byte() {
    let (mut network, text) = Network::with_document(2);
    write(&mut network, text, 40);
    let before: Vec<Vec<u8>> = network
        .relay
        .disk
        .rows_of(b'e')
        .map(|(_, value)| stored::decode_entry(value.to_vec()).unwrap().bytes().to_vec())
        .collect();
    network.relay.plan_compaction(CompactionPlan {
        entries: 10,
        bytes: u64::MAX / 4,
        quiet: Millis(0),
        ..CompactionPlan::default()
    });
    network.restart_home();
    network.rest();
    assert_eq!(network.relay.entries(&text), 0);
    let after: Vec<Vec<u8>> = archived(&network, text).iter().map(|entry| entry.bytes().to_vec()).collect();
    assert_eq!(after, before);
}

#[test]
fn rule_8_a_newcomer_is_sent_the_snapshot_and_the_entries_above_it() {
    let (mut network, text) = eager(2);
    write(&mut network, text, 60);
    let covered = root(&network, text).expect("a snapshot").root.arrivals;
    let before = network.relay.sent.len();
    let late = network.join();
    network.open(late, text);
    network.rest();
    let all = network.text(0, text);
    assert_eq!(network.text(late, text), all);
    let sent: Vec<_> = network.relay.sent[before..].iter().map(|(_, message)| message.clone()).collect();
    let entries = crate::craft::entries_in(&sent, text);
    assert!(entries <= 10 && covered >= 60, "{entries} entries are sent above {covered}");
    let figures = network.relay.home.figures();
    assert_eq!(figures.snapshots_sent, 1);
    // It is on the device's disk, without what it covers, and enough to start from without a link.
    let rows = network.devices[late].disk.rows_of(b'e').count();
    assert!(rows <= 10, "{rows} entries rest on the device");
    network.restart(late, true);
    network.devices[late].online = false;
    network.open(late, text);
    network.rest();
    assert_eq!(network.text(late, text), all);
    network.insert(late, text, 0, "offline: ");
    network.rest();
    network.go_online(late);
    network.rest();
    assert_eq!(network.text(0, text), format!("offline: {all}"));
    let deps = network.devices[late].sent.iter().filter_map(|message| match message {
        causeway_core::wire::Message::Entries(entries) => Some(entries),
        causeway_core::wire::Message::Other(_) => None,
    });
    assert!(deps.flatten().all(|entry| entry.header().deps.len() <= 2), "an entry names the newest only");
}

#[test]
fn rule_8_entries_that_leave_their_rows_under_a_reader_are_not_passed_over() {
    let (mut network, text) = Network::with_document(2);
    write(&mut network, text, 40);
    network.relay.keeps_quiet_of_drops = true;
    network.relay.plan_compaction(CompactionPlan {
        entries: 10,
        bytes: u64::MAX / 4,
        quiet: Millis(0),
        ..CompactionPlan::default()
    });
    network.restart_home();
    network.rest();
    assert_eq!((network.relay.entries(&text), network.relay.home.figures().snapshots_made), (0, 0));
    let before = network.relay.sent.len();
    let (late, again) = (network.join(), network.join());
    for device in [late, again] {
        network.open(device, text);
    }
    // Another wants a chain by name, and is read its own page.
    let chain = network.devices[0].room.replica();
    let need = wire::encode(&Need { stream: text, replica: chain, from: 1, to: 3 }.into());
    network.inject(0, need);
    network.rest();
    let told = |network: &Network, device: usize| {
        let link = network.devices[device].link();
        let sent = network.relay.sent[before..].iter().filter(move |(to, _)| Some(*to) == link);
        sent.filter(|(_, message)| match message {
            Message::Other(Body::Synced(synced)) => synced.stream == text,
            Message::Other(_) | Message::Entries(_) => false,
        })
        .count()
    };
    assert_eq!([late, again].map(|device| told(&network, device)), [0, 0], "nobody is told that this is all");
    network.release_home_disk();
    network.rest();
    for device in [late, again] {
        assert_eq!(network.text(device, text), network.text(0, text));
        assert_eq!(told(&network, device), 1, "and it was brought up at once");
    }
}

#[test]
fn rule_8_a_snapshot_meets_unsealed_and_unsaved_work() {
    let (mut network, text) = eager(2);
    write(&mut network, text, 8);
    network.go_offline(1);
    let receipt = network.insert(1, text, 0, "[not sealed] ");
    network.wait(60);
    for _ in 0..40 {
        network.insert(0, text, 0, "x");
        network.settle();
        network.wait(60);
    }
    network.rest();
    network.go_online(1);
    network.rest();
    assert!(network.relay.home.figures().snapshots_sent > 0);
    let all = network.text(0, text);
    assert!(all.contains("[not sealed] ") && network.receipt(1, &receipt).relay);
    assert_eq!(network.text(1, text), all);
    assert_eq!(network.devices[1].room.save_status(text).forks, 0);
    network.restart(1, true);
    network.open(1, text);
    network.rest();
    assert_eq!(network.text(1, text), all);
}

#[test]
fn rule_10_a_restored_home_is_refilled_by_authors_that_hold_a_snapshot() {
    let (mut network, text) = eager(2);
    let backup = network.relay.disk.clone();
    write(&mut network, text, 12);
    for device in 0..2 {
        network.go_offline(device);
        for _ in 0..15 {
            network.insert(1 - device, text, 0, "y");
            network.settle();
            network.wait(60);
        }
        network.rest();
        network.go_online(device);
        network.rest();
    }
    assert!(network.relay.home.figures().snapshots_sent > 0, "somebody has let go of others' entries");
    let all = network.text(0, text);
    network.relay.put_back(backup, 2);
    network.restart_home();
    for _ in 0..20 {
        network.rest();
    }
    let late = network.join();
    network.open(late, text);
    network.rest();
    assert_eq!(network.text(late, text), all);
}

#[test]
fn rule_10_what_only_a_device_s_snapshot_covers_stays_on_its_disk() {
    let (mut network, text) = eager(3);
    let author = 0;
    let (holder, other) = (1, 2);
    write(&mut network, text, 12);
    network.go_offline(other);
    network.go_offline(holder);
    let backup = network.relay.disk.clone();
    let write_alone = |network: &mut Network, device: usize, word: &str| {
        for _ in 0..30 {
            network.insert(device, text, 0, word);
            network.settle();
            network.wait(60);
        }
        network.rest();
    };
    write_alone(&mut network, author, "before ");
    network.go_online(holder);
    network.rest();
    assert_eq!(network.text(holder, text), network.text(author, text));
    let covered = network.relay.home.figures().snapshots_sent;
    assert!(covered > 0, "the holder has it in a snapshot");
    network.go_offline(author);
    network.go_offline(holder);
    // The backup knows nothing of it, and neither does who writes on with the restored home, which makes a snapshot too.
    network.relay.put_back(backup, 2);
    network.restart_home();
    network.go_online(other);
    network.rest();
    write_alone(&mut network, other, "after ");
    assert!(!network.text(other, text).contains("before"));
    network.go_online(holder);
    for _ in 0..3 {
        network.rest();
    }
    assert!(network.relay.home.figures().snapshots_sent > 0, "it was sent the restored home's");
    let both = |text: &str| (text.matches("before ").count(), text.matches("after ").count());
    assert_eq!(both(&network.text(holder, text)), (30, 30));
    network.restart(holder, true);
    network.devices[holder].online = false;
    network.open(holder, text);
    network.rest();
    assert_eq!(both(&network.text(holder, text)), (30, 30), "from its disk alone");
    // What its author brings again ends in a snapshot that it takes.
    network.go_online(author);
    network.go_online(holder);
    for _ in 0..20 {
        network.rest();
    }
    write_alone(&mut network, author, "at last ");
    let all = network.text(author, text);
    assert_eq!(both(&all), (30, 30));
    assert_eq!((&network.text(holder, text), &network.text(other, text)), (&all, &all));
}

#[test]
fn rule_16_a_lost_snapshot_on_a_device_comes_again_and_costs_no_work() {
    let (mut network, text) = eager(2);
    write(&mut network, text, 30);
    let late = network.join();
    network.open(late, text);
    network.rest();
    network.go_offline(late);
    network.insert(late, text, 0, "kept: ");
    network.wait(60);
    let page =
        network.devices[late].disk.rows_of(b'p').find(|(key, _)| key[1..].starts_with(&text.to_bytes()));
    let page = page.map(|(key, _)| key.to_vec()).expect("a page on the device");
    network.devices[late].disk.damage(&page);
    network.restart(late, true);
    network.open(late, text);
    network.rest();
    network.go_online(late);
    for _ in 0..3 {
        network.rest();
    }
    let all = network.text(0, text);
    assert!(all.starts_with("kept: "), "what was written above the lost snapshot arrives");
    assert_eq!(network.text(late, text), all);
}

#[test]
fn rule_9_a_reader_below_the_snapshot_gets_on_from_wherever_it_was() {
    let (mut network, text) = eager(3);
    write(&mut network, text, 9);
    network.go_offline(2);
    let end = network.devices[2].room.text_len(text).unwrap();
    network.insert(2, text, end, " written offline");
    for _ in 0..30 {
        network.insert(0, text, 0, "x");
        network.settle();
        network.wait(60);
    }
    network.rest();
    assert!(root(&network, text).is_some_and(|root| root.root.arrivals > 30));
    network.go_online(2);
    let late = network.join();
    network.open(late, text);
    network.rest();
    let all = network.text(0, text);
    assert!(all.contains("written offline"));
    assert_eq!((&network.text(2, text), &network.text(late, text)), (&all, &all));
    network.insert(late, text, 0, "and I: ");
    network.rest();
    assert_eq!(network.text(0, text), format!("and I: {all}"));
}

#[test]
fn rule_9_who_asks_for_a_chain_is_sent_it_from_its_segment_on() {
    let (mut network, text) = eager(2);
    for _ in 0..12 {
        write(&mut network, text, 12);
    }
    let chain = network.devices[1].room.replica();
    let tip = root(&network, text).expect("a snapshot").root.covered(&chain);
    let segments = rows(&network, Prefix::Archive);
    assert!(segments >= 10, "{segments} segments");
    let unpacked = |network: &mut Network, from: u64| {
        let (jobs, sent) = (network.relay.jobs_run, network.relay.sent.len());
        let need = Need { stream: text, replica: chain, from, to: tip };
        network.inject(0, wire::encode(&need.into()));
        network.rest();
        let came = network.relay.sent[sent..].iter().flat_map(|(_, message)| match message {
            Message::Entries(entries) => entries.iter().map(|entry| entry.name()).collect(),
            Message::Other(_) => Vec::new(),
        });
        let came: Vec<_> = came.filter(|name| name.replica == chain).map(|name| name.seq).collect();
        (network.relay.jobs_run - jobs, came)
    };
    assert_eq!(unpacked(&mut network, tip), (1, vec![tip]), "the last segment is enough for the last entry");
    let (jobs, came) = unpacked(&mut network, tip / 2);
    assert_eq!(came, (tip / 2..=tip).collect::<Vec<_>>());
    assert!(jobs <= segments / 2 + 2, "{jobs} of {segments} segments for half of the chain");
    assert_eq!(unpacked(&mut network, 1).1, (1..=tip).collect::<Vec<_>>());
    // A row that is gone costs a longer way and nothing else.
    let places: Vec<Vec<u8>> =
        network.relay.disk.rows_of(Prefix::Place as u8).map(|(key, _)| key.to_vec()).collect();
    places.iter().for_each(|key| network.relay.disk.damage(key));
    assert_eq!(unpacked(&mut network, tip), (segments, vec![tip]));
}

#[test]
fn promise_4_a_crash_between_any_two_commits_of_a_compaction_loses_nothing() {
    // The home's disk takes so many commits after the writing has ended, and then the home dies.
    let mut stages = std::collections::BTreeSet::new();
    for taken in 0..4 {
        for torn in [false, true] {
            let (mut network, text) = Network::with_document(2);
            write(&mut network, text, 24);
            let before = network.text(0, text);
            network.relay.plan_compaction(CompactionPlan {
                entries: 10,
                bytes: 1 << 40,
                quiet: Millis(100),
                ..CompactionPlan::default()
            });
            network.restart_home();
            network.relay.disk_answers = false;
            for _ in 0..taken {
                network.rest();
                network.step_home_disk();
            }
            network.rest();
            if torn {
                // What was on its way to the disk got there, and nobody was told.
                network.relay.write_held();
            }
            stages.insert((rows(&network, Prefix::Draft), rows(&network, Prefix::Snapshot)));
            network.relay.disk_answers = true;
            network.restart_home();
            let late = network.join();
            network.open(late, text);
            for _ in 0..3 {
                network.rest();
            }
            assert_eq!(network.text(late, text), before, "after {taken} commits, torn: {torn}");
            assert_eq!(rows(&network, Prefix::Draft), 0, "after {taken} commits, torn: {torn}");
            assert_eq!(rows(&network, Prefix::Page), 1, "after {taken} commits, torn: {torn}");
            let whole = archived(&network, text).len() + network.relay.entries(&text);
            assert!(whole >= 24 && root(&network, text).is_some(), "the next run has finished it");
        }
    }
    assert_eq!(Vec::from_iter(stages), [(0, 0), (0, 1), (1, 0)], "it died before, between and after them");
}

#[test]
fn promise_4_a_page_that_reads_back_otherwise_replaces_nothing() {
    let (mut network, text) = Network::with_document(2);
    write(&mut network, text, 24);
    network.relay.plan_compaction(CompactionPlan {
        entries: 10,
        bytes: u64::MAX / 4,
        quiet: Millis(100),
        ..CompactionPlan::default()
    });
    network.relay.damages_pages = true;
    network.restart_home();
    for _ in 0..3 {
        network.rest();
    }
    assert!(root(&network, text).is_none(), "it never became a snapshot");
    assert!(network.relay.entries(&text) >= 24, "and every entry is still there");
    assert_eq!(network.relay.home.figures().snapshots_failed, 1);
    network.insert(0, text, 0, "as a log it goes on: ");
    network.rest();
    assert_eq!(network.text(0, text), network.text(1, text));
    let late = network.join();
    network.open(late, text);
    network.rest();
    assert_eq!(network.text(late, text), network.text(0, text), "also for whoever comes new");
}

#[test]
fn rl15_a_stream_whose_snapshot_fails_stays_in_quarantine_until_it_is_released() {
    let (mut network, text) = eager(2);
    network.relay.jobs_fail = Some(JobError::Panic);
    write(&mut network, text, 30);
    assert_eq!(network.relay.home.figures().streams_quarantined, 1);
    let key = stored::quarantine_key(&text);
    let record = network.relay.disk.row(&key).map(QuarantineRecord::decode).expect("it is on the disk");
    assert_eq!(record.expect("it is whole").code, "materialiser.panic");
    assert_eq!(network.relay.home.figures().streams_quarantined, 1);
    network.relay.jobs_fail = None;
    network.restart_home();
    write(&mut network, text, 12);
    assert!(root(&network, text).is_none(), "it is not tried again by itself");
    assert_eq!(network.relay.home.figures().streams_quarantined, 1, "and is known after a restart");
    network.release(text);
    write(&mut network, text, 1);
    assert!(root(&network, text).is_some(), "whoever runs the home has looked at it");
    assert_eq!(network.relay.disk.row(&key), None);
    network.restart_home();
    network.rest();
    assert_eq!(network.relay.home.figures().streams_quarantined, 0);
}

/// What is known of a stream whose snapshots come to nothing.
fn set_apart(network: &Network, text: StreamId) -> Option<QuarantineRecord> {
    let row = network.relay.disk.row(&stored::quarantine_key(&text))?;
    Some(QuarantineRecord::decode(row).expect("it is whole"))
}

/// So much time passes in a room where nobody writes.
fn pass(network: &mut Network, span: Millis) {
    for _ in 0..span.0.div_ceil(5_000) {
        network.wait(5_000);
        network.settle();
    }
}

#[test]
fn rl15_a_snapshot_for_which_the_machine_was_too_busy_is_tried_again_by_itself() {
    let (mut network, text) = eager(2);
    network.relay.jobs_fail = Some(JobError::Late);
    write(&mut network, text, 30);
    for attempts in 1..=4 {
        let record = set_apart(&network, text).expect("it came to nothing");
        assert_eq!((record.code.as_str(), record.attempts), ("materialiser.late", attempts));
        let wait = record.again.expect("that says nothing of the stream").since(network.home_clock().wall);
        assert!(wait <= SNAPSHOT_AGAIN_MOST);
        if attempts < 4 {
            pass(&mut network, wait);
        }
    }
    network.relay.jobs_fail = None;
    // Also a home that starts again waits.
    network.restart_home();
    write(&mut network, text, 12);
    assert!(root(&network, text).is_none() && set_apart(&network, text).is_some());
    pass(&mut network, Millis(SNAPSHOT_AGAIN.0 << 3));
    assert!(root(&network, text).is_some(), "the machine had time");
    assert_eq!(set_apart(&network, text), None);
    assert_eq!(network.relay.home.figures().streams_quarantined, 0, "nobody had to look at it");
}

#[test]
fn rl15_a_stream_whose_snapshot_used_up_its_time_twice_stays_in_quarantine() {
    let (mut network, text) = eager(2);
    network.relay.jobs_fail = Some(JobError::Time);
    write(&mut network, text, 30);
    assert_eq!(network.relay.home.figures().streams_quarantined, 0, "once may be chance");
    // What a busy machine adds does not count.
    network.relay.jobs_fail = Some(JobError::Late);
    pass(&mut network, SNAPSHOT_AGAIN);
    assert_eq!(set_apart(&network, text).map(|record| record.attempts), Some(2));
    network.relay.jobs_fail = Some(JobError::Time);
    pass(&mut network, Millis(2 * SNAPSHOT_AGAIN.0));
    let record = set_apart(&network, text).expect("it came to nothing");
    assert_eq!((record.code.as_str(), record.attempts, record.again), ("materialiser.time", 3, None));
    assert_eq!(network.relay.home.figures().streams_quarantined, 1);
    network.relay.jobs_fail = None;
    pass(&mut network, SNAPSHOT_AGAIN_MOST);
    assert!(root(&network, text).is_none(), "it is left alone");
    network.release(text);
    write(&mut network, text, 1);
    assert!(root(&network, text).is_some() && set_apart(&network, text).is_none());
}

#[test]
fn rl15_a_clock_that_was_put_back_puts_nothing_off_for_years() {
    let (mut network, text) = eager(2);
    network.relay.jobs_fail = Some(JobError::Late);
    write(&mut network, text, 30);
    let mut record = set_apart(&network, text).expect("it came to nothing");
    let years = Millis(10 * 365 * 24 * 60 * 60 * 1_000);
    (record.since, record.again) = (record.since.after(years), record.again.map(|at| at.after(years)));
    network.relay.disk.put(stored::quarantine_key(&text), record.encode());
    network.relay.jobs_fail = None;
    network.restart_home();
    write(&mut network, text, 1);
    assert!(root(&network, text).is_some());
}

#[test]
fn rule_14_nothing_of_snapshot_and_archive_stays_of_a_deleted_document() {
    use crate::craft::{entry, frame};
    let (mut network, text) = eager(2);
    write(&mut network, text, 30);
    assert!(root(&network, text).is_some());
    let replica = network.devices[0].room.replica();
    let tip = network.relay.disk.row(&stored::tip_key(&text, &replica)).unwrap();
    let tip = stored::TipRecord::decode(tip).unwrap();
    let delete = causeway_core::log::EntryKind::Delete;
    network.inject(0, frame(&entry(text, replica, (tip.seq + 1, tip.logical + 1), delete, &[])));
    network.rest();
    let left = |prefix: Prefix| {
        let prefix = stored::stream_prefix(prefix, &text);
        network.relay.disk.rows().filter(|(key, _)| key.starts_with(&prefix)).count()
    };
    let kinds = [Prefix::Entry, Prefix::Index, Prefix::Snapshot, Prefix::Draft, Prefix::Page];
    assert_eq!(kinds.map(left), [0; 5]);
    assert_eq!([Prefix::Archive, Prefix::Place].map(left), [0; 2]);
}

#[test]
fn rule_16_a_damaged_entry_is_brought_again_though_its_page_is_closed_and_a_snapshot_covers_what_it_continues()
 {
    let (mut network, text) = eager(2);
    write(&mut network, text, 24);
    let covered = root(&network, text).expect("a snapshot").root;
    network.insert(0, text, 0, "here ");
    network.rest();
    let replica = network.devices[0].room.replica();
    let first = covered.covered(&replica) + 1;
    let index = network.relay.disk.row(&stored::index_key(&text, &replica, first)).expect("an entry above");
    let arrival = IndexRecord::decode(index).expect("an index").arrival;
    assert!(network.relay.disk.row(&stored::index_key(&text, &replica, first - 1)).is_none());
    let key = stored::entry_key(&text, arrival);
    network.relay.disk.damage(&key);
    network.restart(0, true);
    network.open(0, text);
    network.rest();
    let late = network.join();
    network.open(late, text);
    for _ in 0..4 {
        network.rest();
    }
    let mended = network.relay.disk.row(&key).map(<[u8]>::to_vec).expect("the row is there");
    assert!(stored::decode_entry(mended).is_ok(), "and it is mended");
    assert_eq!(network.text(late, text), network.text(1, text));
}

#[test]
fn rule_16_an_entry_that_rotted_before_its_snapshot_is_asked_of_its_author_and_sets_nothing_apart() {
    let (mut network, text) = eager(2);
    write(&mut network, text, 6);
    let entries = network.relay.disk.rows_of(Prefix::Entry as u8);
    let rotten = entries.map(|(key, _)| key.to_vec()).nth(3).expect("six were written");
    network.relay.disk.damage(&rotten);
    // The first attempt meets it; those that follow find it mended.
    for _ in 0..4 {
        write(&mut network, text, 4);
        network.wait(60_000);
        network.rest();
    }
    let mended = network.relay.disk.row(&rotten).map(|row| stored::decode_entry(row.to_vec()).is_ok());
    assert_ne!(mended, Some(false), "its author has brought it again");
    assert!(root(&network, text).is_some(), "and a snapshot was made");
    assert_eq!(rows(&network, Prefix::Quarantine), 0);
}
