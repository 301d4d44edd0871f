//! Rules 10 and 12 behind a home that was restored: an honest device pays for what the home lacks and no more, and a
//! copied one is not told that the copy's words are its own, also where its disk fails or has let go.

use causeway_core::chat::{Post, Saved};
use causeway_core::device::Event;
use causeway_core::home::CompactionPlan;
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::snapshot::SignedRoot;
use causeway_core::stored::{self, Prefix};
use causeway_core::time::Millis;
use causeway_core::wire::{Body, Message, Refused};
use causeway_tests::disk::Disk;
use causeway_tests::network::Network;

use crate::channels::{channel, open, posts, say};
use crate::clones::{
    damaged, nothing_is_called_saved_that_is_not, ours_is_a_draft, ours_is_a_text, said_by_the_copy,
    talkers_and_a_copy, texts, typed_by_the_copy, typists,
};
use crate::heads::sign;
use crate::history::{MINUTE, pass, rows, write};

/// A home makes a snapshot after so many entries.
fn every(entries: u64) -> CompactionPlan {
    CompactionPlan { entries, bytes: u64::MAX / 4, quiet: Millis(500), ..CompactionPlan::default() }
}

/// A text that only device 0 has written: of a hundred entries the home has a snapshot of the first half, of which it keeps
/// the history if it `keeps`.
fn snapshot_and_more(keeps: bool, devices: usize) -> (Network, StreamId, ReplicaId) {
    let (mut network, text) = Network::with_document(devices);
    network.relay.plan_compaction(every(45));
    if !keeps {
        network.relay.keep_history(Millis(MINUTE));
    }
    network.restart_home();
    network.rest();
    write(&mut network, 0, text, 50);
    assert!(rows(&network, Prefix::Snapshot) > 0, "there is a snapshot");
    pass(&mut network, 5 * MINUTE);
    assert_eq!(rows(&network, Prefix::Archive) > 0, keeps);
    network.relay.plan_compaction(every(u64::MAX / 4));
    write(&mut network, 0, text, 50);
    let chain = chain_of(&network, text);
    (network, text, chain)
}

/// The same, and of what was written then the home has lost the last ten to a restore. Answers how many stood there.
fn half_restored(keeps: bool) -> (Network, StreamId, ReplicaId, u64) {
    let (mut network, text, chain) = snapshot_and_more(keeps, 1);
    let backup = network.relay.disk.clone();
    write(&mut network, 0, text, 10);
    let tip = network.relay.seq(&text, &chain);
    assert!(tip > 100);
    network.events(0);
    network.relay.put_back(backup, 2);
    (network, text, chain, tip)
}

/// The one name under which a text stands at the home.
fn chain_of(network: &Network, text: StreamId) -> ReplicaId {
    let prefix = stored::stream_prefix(Prefix::Tip, &text);
    let mut tips = network.relay.disk.rows_of(Prefix::Tip as u8).filter(|(key, _)| key.starts_with(&prefix));
    let (key, _) = tips.next().expect("a chain");
    assert!(tips.next().is_none(), "one only");
    stored::parse_tip_key(key).expect("its key").1
}

/// What the home sends of a stream: entries, and pieces of snapshots.
fn sent_of(network: &Network, since: usize, stream: StreamId) -> (usize, usize) {
    let (mut entries, mut chunks) = (0, 0);
    for (_, message) in &network.relay.sent[since..] {
        match message {
            Message::Entries(sent) => {
                entries += sent.iter().filter(|entry| entry.header().stream == stream).count();
            }
            Message::Other(Body::Chunk(chunk)) => chunks += usize::from(chunk.stream == stream),
            Message::Other(_) => {}
        }
    }
    (entries, chunks)
}

/// What only the other's own device can bring back is no fault of this one's.
fn is_fork(event: &Event) -> bool {
    match event {
        Event::Fork { .. } => true,
        Event::Damaged { code, .. } => code != "home.unsigned",
        _ => false,
    }
}

#[test]
fn rule_10_who_writes_alone_brings_a_restored_home_what_it_lacks_and_asks_for_nothing() {
    for keeps in [true, false] {
        let (mut network, text, chain, tip) = half_restored(keeps);
        let shown = network.text(0, text);
        let since = network.relay.sent.len();
        network.restart_home();
        for _ in 0..60 {
            network.settle();
            network.wait(250);
        }
        let told = network.events(0);
        assert_eq!(told.iter().find(|event| is_fork(event)), None, "history is kept: {keeps}");
        assert_eq!(network.devices[0].room.forks().len(), 0);
        assert_eq!(network.relay.seq(&text, &chain), tip);
        assert_eq!(sent_of(&network, since, text), (0, 0), "the device has all of it");
        assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0);
        assert_eq!(network.text(0, text), shown);
        network.insert(0, text, 0, "on ");
        network.rest();
        assert_eq!(network.relay.seq(&text, &chain), tip + 1, "and goes on under its name");
    }
}

#[test]
fn rule_10_who_is_asked_for_somebody_elses_words_first_brings_of_its_own_what_is_lacking_and_no_more() {
    for keeps in [true, false] {
        let (mut network, text, chain) = snapshot_and_more(keeps, 2);
        let backup = network.relay.disk.clone();
        write(&mut network, 1, text, 5);
        write(&mut network, 0, text, 40);
        sign(&mut network);
        let other = network.devices[1].room.replica();
        let tips = [chain, other].map(|replica| network.relay.seq(&text, &replica));
        let shown = network.text(0, text);
        network.go_offline(1);
        network.events(0);
        network.relay.put_back(backup, 2);
        let since = network.devices[0].sent.len();
        network.restart_home();
        for _ in 0..120 {
            network.settle();
            network.wait(250);
        }
        let told = network.events(0);
        assert_eq!(told.iter().find(|event| is_fork(event)), None, "history is kept: {keeps}");
        assert_eq!([chain, other].map(|replica| network.relay.seq(&text, &replica)), tips);
        let entries = network.devices[0].sent[since..].iter().filter_map(|message| match message {
            Message::Entries(entries) => Some(entries.iter().filter(|entry| entry.name().replica == chain)),
            Message::Other(_) => None,
        });
        assert!(entries.flatten().count() < 60, "what it lacks, history is kept: {keeps}");
        assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0);
        assert_eq!(network.text(0, text), shown);
    }
}

/// Where the device looks up what it has at the entry that the home tells of, its disk fails for a while, or has rotted.
#[test]
fn rule_10_a_disk_that_fails_while_the_home_is_compared_makes_no_fork_of_what_history_has_let_go() {
    for rots in [false, true] {
        let (mut network, text, chain) = snapshot_and_more(false, 1);
        let backup = network.relay.disk.clone();
        write(&mut network, 0, text, 40);
        let (tip, shown) = (network.relay.seq(&text, &chain), network.text(0, text));
        network.events(0);
        network.relay.put_back(backup, 2);
        let told = stored::index_key(&text, &chain, network.relay.seq(&text, &chain));
        let disk = &mut network.devices[0].disk;
        if rots {
            disk.damage(&told);
        } else {
            disk.make_unreadable(told.clone(), [told.as_slice(), &[0]].concat());
        }
        network.restart_home();
        for round in 0..120 {
            network.settle();
            network.wait(250);
            if round == 60 {
                network.devices[0].disk.make_readable();
            }
        }
        let told = network.events(0);
        assert_eq!(told.iter().find(|event| is_fork(event)), None, "rots: {rots}");
        assert_eq!(network.devices[0].room.forks().len(), 0, "rots: {rots}");
        assert_eq!(network.relay.seq(&text, &chain), tip, "rots: {rots}");
        assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0, "rots: {rots}");
        assert_eq!(network.text(0, text), shown);
    }
}

#[test]
fn rule_10_an_app_that_starts_beside_a_restored_home_makes_no_fork_of_what_history_has_let_go() {
    for keeps in [true, false] {
        let (mut network, text, chain, tip) = half_restored(keeps);
        let shown = network.text(0, text);
        network.restart(0, true);
        network.restart_home();
        for _ in 0..60 {
            network.settle();
            network.wait(250);
        }
        let told = network.events(0);
        assert_eq!(told.iter().find(|event| is_fork(event)), None, "history is kept: {keeps}");
        assert_eq!(network.relay.seq(&text, &chain), tip);
        assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0);
        network.open(0, text);
        network.rest();
        assert_eq!(network.text(0, text), shown);
        assert_eq!(network.devices[0].room.forks().len(), 0);
    }
}

/// The same for a device with a snapshot that covers more than the home's has left, and with words above it that build on
/// somebody else's.
#[test]
fn rule_10_who_holds_a_newer_snapshot_than_a_restored_home_makes_no_fork_of_what_history_has_let_go() {
    for (keeps, restarts) in [(true, false), (true, true), (false, false), (false, true)] {
        let (mut network, text, chain) = snapshot_and_more(keeps, 2);
        let backup = network.relay.disk.clone();
        network.go_offline(0);
        network.relay.plan_compaction(every(45));
        write(&mut network, 1, text, 10);
        network.go_online(0);
        network.rest();
        let disk = &network.devices[0].disk;
        assert!(disk.row(&stored::snapshot_key(&text)).is_some(), "this device has a snapshot");
        network.relay.plan_compaction(every(u64::MAX / 4));
        write(&mut network, 0, text, 40);
        network.go_offline(0);
        let tip = network.relay.seq(&text, &chain);
        let shown = network.text(0, text);
        network.events(0);
        network.relay.put_back(backup, 2);
        if restarts {
            network.restart(0, true);
        }
        network.restart_home();
        network.go_online(0);
        for _ in 0..120 {
            network.settle();
            network.wait(250);
        }
        let told = network.events(0);
        assert_eq!(told.iter().find(|event| is_fork(event)), None, "history is kept: {keeps}, {restarts}");
        assert_eq!(network.relay.seq(&text, &chain), tip);
        assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0);
        network.open(0, text);
        network.rest();
        assert_eq!(network.text(0, text), shown);
        assert_eq!(network.text(1, text), shown);
    }
}

/// The same where some of what the home has lost has left this device's disk, and words above it have not.
#[test]
fn rule_10_what_stands_behind_a_gap_that_nobody_can_fill_is_not_offered_all_the_while() {
    let (mut network, text, chain) = snapshot_and_more(false, 2);
    let backup = network.relay.disk.clone();
    write(&mut network, 0, text, 10);
    network.go_offline(0);
    network.now += 40 * 24 * 60 * MINUTE;
    write(&mut network, 1, text, 10);
    network.relay.plan_compaction(every(1));
    network.restart_home();
    network.rest();
    network.rest();
    network.go_online(0);
    network.rest();
    network.rest();
    assert_eq!(own_rows(&network.devices[0].disk, text, chain), 0, "its disk has let go of them");
    network.relay.plan_compaction(every(u64::MAX / 4));
    write(&mut network, 0, text, 10);
    network.go_offline(1);
    network.go_offline(0);
    network.relay.put_back(backup, 2);
    network.restart_home();
    let since = network.devices[0].sent.len();
    network.go_online(0);
    for _ in 0..240 {
        network.settle();
        network.wait(250);
    }
    let sent = network.devices[0].sent.len() - since;
    assert!(sent < 100, "{sent} frames in a minute");
}

/// Device 0 has said something that the home called saved; then the home was put back, and has other words there, of the
/// copy. Nobody has dialled yet.
fn ours_was_saved(theirs: &[&str]) -> (Network, ReplicaId) {
    let (mut network, copied) = talkers_and_a_copy();
    let before = network.relay.disk.clone();
    said_by_the_copy(&mut network, 0, theirs);
    let restored = std::mem::replace(&mut network.relay.disk, before);
    network.restart_home();
    network.rest();
    network.go_offline(1);
    say(&mut network, 0, "ours");
    network.rest();
    assert_eq!(posts(&network, 0).last().map(|post| post.saved), Some(Saved::Relay));
    network.relay.put_back(restored, 2);
    (network, copied)
}

#[test]
fn rule_12_a_disk_that_cannot_be_read_once_does_not_make_the_copys_words_ours() {
    for theirs in [&["theirs"][..], &["theirs", "theirs too"]] {
        let (mut network, copied) = ours_was_saved(theirs);
        network.devices[0].disk_reads = false;
        network.restart_home();
        network.settle();
        while network.fail_read(0) {}
        network.release_reads(0);
        network.go_online(1);
        ours_is_a_draft(network, copied, &["ours"], theirs);
    }
}

#[test]
fn rule_12_a_row_that_cannot_be_read_is_not_what_the_home_has_there() {
    let (mut network, _) = ours_was_saved(&["theirs"]);
    let rows = network.devices[0].disk.rows_of(Prefix::Entry as u8);
    let ours = rows.filter(|(_, row)| row.windows(4).any(|part| part == b"ours"));
    let ours: Vec<Vec<u8>> = ours.map(|(key, _)| key.to_vec()).collect();
    assert_eq!(ours.len(), 1);
    network.devices[0].disk.damage(&ours[0]);
    network.restart_home();
    for _ in 0..60 {
        network.settle_seeing(nothing_is_called_saved_that_is_not);
        network.wait(250);
    }
    network.go_online(1);
    say(&mut network, 0, "on");
    network.rest();
    network.rest();
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
    assert_eq!(texts(&network, 1), ["common", "theirs", "on"]);
}

#[test]
fn rule_12_a_head_that_is_looked_up_says_nothing_to_a_home_in_another_epoch() {
    let mut network = Network::new(1);
    open(&mut network, 0, 1);
    network.rest();
    for number in 0..30 {
        say(&mut network, 0, &format!("post {number:03}"));
    }
    network.rest();
    let backup = network.relay.disk.clone();
    for number in 30..40 {
        say(&mut network, 0, &format!("post {number:03}"));
    }
    network.rest();
    network.go_offline(0);
    for number in 40..80 {
        say(&mut network, 0, &format!("post {number:03}"));
    }
    network.rest();
    network.devices[0].disk_reads = false;
    network.go_online(0);
    network.settle();
    network.relay.put_back(backup, 2);
    network.restart_home();
    for _ in 0..20 {
        network.settle();
        network.wait(250);
    }
    while network.answer_read(0) {
        nothing_is_called_saved_that_is_not(&network);
    }
    network.release_reads(0);
    for _ in 0..60 {
        network.settle_seeing(nothing_is_called_saved_that_is_not);
        network.wait(250);
    }
    assert!(posts(&network, 0).iter().all(|post| post.saved == Saved::Relay));
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
}

#[test]
fn rule_12_of_a_text_that_nobody_has_open_what_two_names_wrote_is_kept_whole() {
    for theirs in [&["theirs. "][..], &["theirs. ", "theirs too. "]] {
        let (mut network, text) = typists();
        typed_by_the_copy(&mut network, 0, text, theirs);
        network.go_offline(0);
        network.go_offline(1);
        for words in ["ours. ", "And more. "] {
            network.insert(0, text, 0, words);
            network.rest();
            network.restart(0, true);
            network.devices[0].online = false;
            if words == "ours. " {
                network.open(0, text);
            }
            network.rest();
        }
        network.go_online(1);
        network.devices[0].disk_answers = false;
        network.go_online(0);
        network.settle();
        // What the home refuses of both comes before the disk has answered.
        network.release_disk(0);
        for _ in 0..60 {
            network.settle();
            network.wait(250);
        }
        network.open(0, text);
        let shown = theirs.iter().rev().copied().collect::<String>() + "common. ";
        ours_is_a_text(network, text, "And more. ours. ", &shown);
    }
}

/// Rows of entries of a name on a device's disk.
fn own_rows(disk: &Disk, stream: StreamId, replica: ReplicaId) -> usize {
    let rows =
        disk.rows_of(Prefix::Entry as u8).filter_map(|(_, row)| stored::decode_entry(row.to_vec()).ok());
    rows.filter(|entry| (entry.header().stream, entry.header().replica) == (stream, replica)).count()
}

#[test]
fn rule_12_where_nothing_is_left_to_compare_with_it_is_not_tried_for_ever() {
    nothing_is_left_of_two(&["theirs", "theirs too"], false);
}

#[test]
fn rule_12_nor_where_the_copy_went_on_for_longer_and_nothing_of_it_is_put_on_top() {
    nothing_is_left_of_two(&["theirs", "theirs too", "a third", "a fourth"], false);
}

#[test]
fn rule_12_nor_after_a_start() {
    nothing_is_left_of_two(&["theirs", "theirs too", "a third", "a fourth"], true);
}

#[test]
fn rule_12_what_is_said_after_a_chain_was_given_up_does_not_wait_for_a_snapshot() {
    for theirs in [&["theirs"][..], &["theirs", "theirs too"], &["theirs", "theirs too", "a third"]] {
        let (mut network, copied) = left_with_nothing(theirs);
        network.relay.snapshot_after(u64::MAX / 4, 300);
        network.restart_home();
        network.go_online(1);
        for _ in 0..240 {
            network.settle();
            network.wait(250);
        }
        for text in ["at once", "and more"] {
            say(&mut network, 0, text);
            network.rest();
        }
        assert_ne!(network.devices[0].room.replica(), copied);
        assert_eq!(network.devices[0].room.drafts(channel()), [], "none is refused: {theirs:?}");
        assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0, "{theirs:?}");
        assert!(texts(&network, 1).ends_with(&["at once".into(), "and more".into()]), "{theirs:?}");
    }
}

#[test]
fn rule_13_what_is_changed_after_a_chain_was_given_up_does_not_lose_to_what_it_changes() {
    let mut network = Network::new(2);
    open(&mut network, 0, 1);
    open(&mut network, 1, 2);
    network.rest();
    let older = say(&mut network, 0, "older");
    network.rest();
    network.restart(0, true);
    open(&mut network, 0, 1);
    network.rest();
    say(&mut network, 0, "common");
    let amend = |network: &mut Network, text: &str| {
        let now = network.clock(0);
        network.devices[0].room.amend(channel(), older, text.into(), now).expect("the post is here");
        network.rest();
    };
    // So the other device's next words have an earlier logical time.
    network.go_offline(1);
    for text in ["a", "b", "c", "d", "e", "better"] {
        amend(&mut network, text);
    }
    leave_with_nothing(&mut network, &["theirs", "theirs too"]);
    network.relay.snapshot_after(u64::MAX / 4, 300);
    network.restart_home();
    network.go_online(1);
    for _ in 0..240 {
        network.settle();
        network.wait(250);
    }
    assert_eq!(texts(&network, 1).first().map(String::as_str), Some("better"));
    amend(&mut network, "best");
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
    let shown = texts(&network, 1).first().cloned();
    let drafts = network.devices[0].room.drafts(channel());
    assert!(shown.as_deref() == Some("best") || drafts.len() == 1, "{shown:?} is shown, {drafts:?}");
    assert_eq!(texts(&network, 0).first().cloned(), shown);
}

#[test]
fn rule_12_the_snapshot_that_ends_it_is_asked_for_until_it_comes() {
    let (mut network, copied) = talkers_and_a_copy();
    network.relay.snapshot_after(1, 300);
    network.restart_home();
    network.rest();
    say(&mut network, 1, "hello");
    network.rest();
    network.wait(1_000);
    network.rest();
    assert!(rows(&network, Prefix::Snapshot) > 0, "one that covers what all have in common");
    network.relay.snapshot_after(u64::MAX / 4, 300);
    network.restart_home();
    network.rest();
    leave_with_nothing(&mut network, &["theirs", "theirs too", "a third", "a fourth"]);
    for entries in [u64::MAX / 4, 1] {
        network.relay.snapshot_after(entries, 300);
        network.restart_home();
        network.go_online(1);
        for _ in 0..240 {
            network.settle();
            network.wait(250);
        }
        let row = network.relay.disk.row(&stored::snapshot_key(&channel())).expect("a snapshot");
        let covers = SignedRoot::decode(row).expect("a root").root.covered(&copied);
        let is_whole = covers == network.relay.seq(&channel(), &copied);
        assert_eq!(is_whole, entries == 1, "the home makes one that covers all of it");
        assert_eq!(texts(&network, 0).contains(&"theirs".into()), is_whole);
    }
    assert_eq!(texts(&network, 0), texts(&network, 1));
}

/// Device 0 has said two things that have left its disk, and the restored home has these of the copy under their names.
fn nothing_is_left_of_two(theirs: &[&str], restarts: bool) {
    let (mut network, copied) = left_with_nothing(theirs);
    network.restart_home();
    for _ in 0..240 {
        network.settle();
        network.wait(250);
    }
    in_peace(network, copied, theirs, restarts);
}

/// The home has been put back and does not serve yet.
fn left_with_nothing(theirs: &[&str]) -> (Network, ReplicaId) {
    let (mut network, copied) = talkers_and_a_copy();
    leave_with_nothing(&mut network, theirs);
    (network, copied)
}

/// The same, after something else.
fn leave_with_nothing(network: &mut Network, theirs: &[&str]) {
    let copied = network.devices[0].room.replica();
    let before = network.relay.disk.clone();
    said_by_the_copy(network, 0, theirs);
    let restored = std::mem::replace(&mut network.relay.disk, before);
    network.restart_home();
    network.rest();
    network.go_offline(1);
    say(network, 1, "away");
    for text in ["ours", "ours too"] {
        say(network, 0, text);
    }
    network.rest();
    network.go_offline(0);
    network.now += 40 * 24 * 3_600_000;
    network.relay.snapshot_after(3, 300);
    network.restart_home();
    network.go_online(1);
    network.rest();
    network.go_online(0);
    network.rest();
    network.rest();
    assert_eq!(own_rows(&network.devices[0].disk, channel(), copied), 0, "its disk has let go of them");
    network.go_offline(1);
    network.events(0);
    network.relay.put_back(restored, 2);
}

/// Nothing goes to and fro, and what others say comes.
fn in_peace(mut network: Network, copied: ReplicaId, theirs: &[&str], restarts: bool) {
    if restarts {
        network.restart(0, true);
        open(&mut network, 0, 1);
        for _ in 0..240 {
            network.settle();
            network.wait(250);
        }
    }
    let (since, commits) = (network.relay.sent.len(), network.devices[0].disk.above_frontier());
    let before = posts(&network, 0);
    let is_ours = |post: &Post| !theirs.contains(&post.text.as_str());
    assert!(before.iter().all(is_ours), "nothing is put on top of ours: {before:?}");
    for _ in 0..240 {
        network.settle_seeing(|network| assert_eq!(posts(network, 0), before, "nothing goes to and fro"));
        network.wait(250);
    }
    assert_eq!(sent_of(&network, since, channel()), (0, 0));
    assert_eq!(network.devices[0].disk.above_frontier(), commits);
    // What somebody else says at this home comes, also below a snapshot.
    network.go_offline(0);
    network.go_online(1);
    network.rest();
    network.go_offline(1);
    let other = network.join();
    open(&mut network, other, 3);
    network.rest();
    let later: Vec<String> = (0..6).map(|number| format!("later {number}")).collect();
    for text in &later {
        say(&mut network, other, text);
    }
    network.rest();
    network.go_online(0);
    for _ in 0..60 {
        network.settle();
        network.wait(250);
    }
    assert_eq!(texts(&network, 0), texts(&network, other));
    assert!(texts(&network, 0).ends_with(&later));
    say(&mut network, 0, "on");
    network.rest();
    assert!(texts(&network, other).contains(&"on".to_owned()), "and writing goes on");
    assert_ne!(network.devices[0].room.replica(), copied);
    assert_eq!(network.devices[0].room.save_status(channel()).unsaved_on_relay, 0);
}

#[test]
fn rule_12_a_refusal_of_what_is_saved_makes_no_fork_of_the_text() {
    let (mut network, text) = typists();
    let replica = network.devices[0].room.replica();
    network.events(0);
    let (code, sentence) = ("entry.equivocation".into(), "another entry stands there".into());
    let refused = Refused { stream: text, replica, seq: 2, code, sentence };
    network.hand_to_device(0, &Message::Other(Body::Refused(refused)));
    network.rest();
    let told = network.events(0);
    assert!(!told.iter().any(|event| matches!(event, Event::Fork { .. })), "{told:?}");
    assert_eq!(network.devices[0].room.forks().len(), 0);
    assert_eq!(network.text(0, text), "common. ");
    network.insert(0, text, 0, "On: ");
    network.rest();
    assert_eq!(network.text(1, text), "On: common. ");
    assert_eq!(network.devices[0].room.save_status(text).unsaved_on_relay, 0);
    assert_eq!(damaged(&mut network, 0), []);
}
