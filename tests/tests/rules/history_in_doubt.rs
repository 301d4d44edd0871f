//! Rule 9 where history is kept for a while only, and clocks or disks are not what they should be.

use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::log::EntryName;
use causeway_core::snapshot::{JobError, unpack};
use causeway_core::stored::{self, HistoryRecord, Noticed, Prefix};
use causeway_core::time::Millis;
use causeway_core::wire::Lost;
use causeway_tests::network::Network;

use crate::history::{MINUTE, ask, begins, covered, forgetful, forgets_after, pass, rows, write};

/// The rows of the archive, in order.
fn segments(network: &Network) -> Vec<Vec<u8>> {
    network.relay.disk.rows_of(Prefix::Archive as u8).map(|(key, _)| key.to_vec()).collect()
}

fn history(network: &Network, text: StreamId) -> HistoryRecord {
    let row = network.relay.disk.row(&stored::history_key(&text)).expect("it was looked at");
    HistoryRecord::decode(row).expect("a record")
}

#[test]
fn rule_9_a_clock_that_is_ahead_for_a_while_costs_no_history() {
    let (mut network, text) = forgets_after(1, 60 * MINUTE);
    write(&mut network, 0, text, 25);
    let before = segments(&network);
    network.relay.wall_offset = 400 * 24 * 60 * MINUTE as i64;
    for _ in 0..3 {
        network.restart_home();
        pass(&mut network, MINUTE);
    }
    assert!(history(&network, text).noticed.is_some(), "by the clock it is a year old");
    assert_eq!(segments(&network), before, "which nobody believes at once");
    network.relay.wall_offset = 0;
    for _ in 0..3 {
        network.restart_home();
        pass(&mut network, 10 * MINUTE);
    }
    assert_eq!(history(&network, text), HistoryRecord::default(), "the clock was put right");
    assert_eq!(segments(&network), before);
}

#[test]
fn rule_9_a_clock_that_jumps_while_something_is_too_old_costs_no_more_than_that() {
    let (mut network, text) = forgets_after(1, 60 * MINUTE);
    write(&mut network, 0, text, 12);
    let old = segments(&network);
    pass(&mut network, 50 * MINUTE);
    write(&mut network, 0, text, 12);
    let all = segments(&network);
    assert!(all.len() > old.len());
    pass(&mut network, 15 * MINUTE);
    network.restart_home();
    pass(&mut network, MINUTE);
    let noticed = history(&network, text).noticed.expect("the first is too old");
    assert_eq!(stored::parse_archive_key(&old[old.len() - 1]).map(|(_, end)| end), Some(noticed.upto));
    network.relay.wall_offset = 400 * 24 * 60 * MINUTE as i64;
    network.restart_home();
    pass(&mut network, MINUTE);
    network.relay.wall_offset = 0;
    network.restart_home();
    pass(&mut network, MINUTE);
    assert_eq!(segments(&network), all[old.len()..]);
}

#[test]
fn rule_9_history_of_a_stream_in_quarantine_stays() {
    let (mut network, text) = forgetful(1);
    write(&mut network, 0, text, 12);
    let before = segments(&network);
    network.relay.jobs_fail = Some(JobError::Panic);
    write(&mut network, 0, text, 12);
    assert!(network.relay.disk.row(&stored::quarantine_key(&text)).is_some());
    pass(&mut network, 5 * MINUTE);
    assert_eq!(segments(&network), before);
    network.relay.jobs_fail = None;
    network.release(text);
    pass(&mut network, 8 * MINUTE);
    assert_eq!(segments(&network).len(), 0);
}

#[test]
fn rule_9_history_from_before_the_clock_was_set_goes_with_what_comes_behind_it() {
    let (mut network, text) = forgetful(1);
    let set = network.home_clock().wall.0 as i64;
    network.relay.wall_offset = -set;
    write(&mut network, 0, text, 12);
    let before = segments(&network);
    assert!(!before.is_empty());
    network.relay.wall_offset = 0;
    network.restart_home();
    pass(&mut network, 5 * MINUTE);
    assert_eq!(segments(&network), before, "nobody knows how old it is");
    write(&mut network, 0, text, 12);
    pass(&mut network, MINUTE / 2);
    assert!(segments(&network).len() > before.len());
    pass(&mut network, 4 * MINUTE);
    assert_eq!(segments(&network).len(), 0);
}

#[test]
fn rule_9_history_that_cannot_be_read_stays_with_what_is_behind_it() {
    let (mut network, text) = forgetful(1);
    (0..4).for_each(|_| write(&mut network, 0, text, 12));
    let before = segments(&network);
    assert!(before.len() >= 4, "{}", before.len());
    let end = [before[2].as_slice(), &[0]].concat();
    network.relay.disk.make_unreadable(before[2].clone(), end);
    pass(&mut network, 5 * MINUTE);
    // Whether there is more behind the second cannot be seen.
    assert_eq!(segments(&network), before[1..]);
    let (_, first) = stored::parse_archive_key(&before[0]).expect("a segment");
    assert_eq!(begins(&network, text), first);
    network.relay.disk.make_readable();
    pass(&mut network, 5 * MINUTE);
    assert_eq!(segments(&network).len(), 0);
}

#[test]
fn rule_9_who_asks_for_more_than_has_gone_is_sent_what_was_written_since() {
    let (mut network, text) = forgetful(1);
    write(&mut network, 0, text, 12);
    let chain = network.devices[0].room.replica();
    pass(&mut network, 5 * MINUTE);
    assert_eq!(rows(&network, Prefix::Archive), 0);
    write(&mut network, 0, text, 3);
    let tail = network.relay.entries(&text) as u64;
    let newest = network.relay.seq(&text, &chain);
    let (came, gone) = ask(&mut network, text, chain, newest);
    assert_eq!(gone, [Lost::expired(text, EntryName { replica: chain, seq: 1 })]);
    assert_eq!(came, (newest - tail + 1..=newest).collect::<Vec<_>>());
}

#[test]
fn rule_9_history_that_is_damaged_is_not_called_expired() {
    let (mut network, text) = forgetful(1);
    write(&mut network, 0, text, 12);
    let chain = network.devices[0].room.replica();
    pass(&mut network, 5 * MINUTE);
    (0..3).for_each(|_| write(&mut network, 0, text, 12));
    assert!(begins(&network, text) > 0);
    let first = segments(&network).remove(0);
    network.relay.disk.damage(&first);
    let (came, gone) = ask(&mut network, text, chain, 48);
    assert_eq!(gone, [Lost::damaged(text, EntryName { replica: chain, seq: 1 })]);
    assert_eq!(came.last(), Some(&48));
}

#[test]
fn rule_9_history_that_could_not_be_let_go_is_left_alone_for_a_while() {
    let (mut network, text) = forgetful(1);
    write(&mut network, 0, text, 25);
    let before = segments(&network);
    while network.relay.disk.row(&stored::history_key(&text)).is_none() {
        pass(&mut network, MINUTE / 6);
    }
    network.relay.failing_commits = 1;
    while network.relay.failing_commits > 0 {
        pass(&mut network, MINUTE / 6);
    }
    let failed = network.home_clock().wall;
    pass(&mut network, MINUTE / 2);
    network.restart_home();
    pass(&mut network, MINUTE / 6);
    assert_eq!(segments(&network), before, "also not when the room is opened anew");
    let again = history(&network, text).noticed.expect("it is still too old");
    assert!(failed.since(again.since).0 < MINUTE / 3, "{failed:?} {again:?}");
    pass(&mut network, 3 * MINUTE);
    assert_eq!(segments(&network).len(), 0);
}

/// A segment of the archive: whose chain begins it, and the numbers of that chain there.
fn chain_in(network: &Network, segment: &[u8]) -> (ReplicaId, Vec<u64>) {
    let row = network.relay.disk.row(segment).expect("a segment");
    let (_, packed) = stored::decode_segment(row).expect("a row");
    let entries = unpack(packed).expect("entries");
    let replica = entries[0].name().replica;
    let of_it = entries.iter().map(|entry| entry.name()).filter(|name| name.replica == replica);
    (replica, of_it.map(|name| name.seq).collect())
}

#[test]
fn rule_9_history_that_could_not_be_read_is_there_again_when_it_can() {
    let (mut network, text) = forgetful(1);
    (0..3).for_each(|_| write(&mut network, 0, text, 12));
    let first = segments(&network).remove(0);
    let row = network.relay.disk.row(&first).expect("a row").to_vec();
    let (chain, numbers) = chain_in(&network, &first);
    network.relay.disk.damage(&first);
    pass(&mut network, 5 * MINUTE);
    assert_eq!(segments(&network), std::slice::from_ref(&first), "what lies behind it has gone");
    let begun = begins(&network, text);
    network.relay.disk.put(first, row);
    let (came, gone) = ask(&mut network, text, chain, *numbers.last().expect("some"));
    assert_eq!((came, gone), (numbers, Vec::new()), "nothing of it has expired");
    pass(&mut network, 5 * MINUTE);
    assert_eq!([Prefix::Archive, Prefix::Place].map(|prefix| rows(&network, prefix)), [0; 2]);
    assert_eq!(begins(&network, text), begun, "what went before it does not come back");
}

#[test]
fn rule_9_a_snapshot_waits_for_a_part_of_history_to_go_and_not_for_all_of_it() {
    let (mut network, text) = forgetful(1);
    (0..7).for_each(|_| write(&mut network, 0, text, 12));
    network.relay.snapshot_after(10, 1_500);
    (0..12).for_each(|_| {
        network.insert(0, text, 0, "ab");
        network.settle();
        network.wait(60);
    });
    // More segments than go in one commit; what is in them nobody looks at.
    let wall = network.home_clock().wall;
    let old = wall.since(Millis(5 * MINUTE));
    for end in 1..=80 {
        network.relay.disk.put(stored::archive_key(&text, end), stored::encode_segment(old, &[]));
    }
    let noticed = Some(Noticed { since: wall.since(Millis(2 * MINUTE)), upto: 80 });
    network.relay.disk.put(stored::history_key(&text), HistoryRecord { begins: 0, noticed }.encode());
    let covered = covered(&network, text);
    // Nobody is there whose signed heads would be written meanwhile.
    network.go_offline(0);
    network.restart_home();
    network.relay.disk_answers = false;
    for _ in 0..40 {
        network.settle();
        network.wait(50);
    }
    for _ in 0..200 {
        if self::covered(&network, text) == covered {
            network.step_home_disk();
            network.settle();
            network.wait(50);
        }
    }
    assert!(self::covered(&network, text) > covered, "the snapshot was made");
    let left = segments(&network);
    assert!(!left.contains(&stored::archive_key(&text, 1)), "some has gone");
    assert!(left.contains(&stored::archive_key(&text, 80)), "the rest goes behind the snapshot");
    network.release_home_disk();
    pass(&mut network, MINUTE / 6);
    assert!(!segments(&network).contains(&stored::archive_key(&text, 80)));
}
