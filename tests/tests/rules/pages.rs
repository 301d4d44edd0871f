//! Several pages of one device: one leads, the others follow (T1–T8).

use causeway_core::device::{Event, Input, PageInput, Role};
use causeway_core::stored::{self, Prefix};
use causeway_core::wire::{Body, Message, Refused};
use causeway_tests::network::Network;

#[test]
fn t1_pages_of_one_device_agree_and_only_one_has_a_link() {
    let (mut network, pages, text) = Network::with_pages(3);
    network.insert(pages[0], text, 0, "one ");
    network.rest();
    network.insert(pages[1], text, 4, "two ");
    network.rest();
    let receipt = network.insert(pages[2], text, 8, "three");
    network.rest();
    for page in &pages {
        assert_eq!(network.text(*page, text), "one two three");
    }
    let state = network.receipt(pages[2], &receipt);
    assert!(state.device && state.relay, "{state:?}");
    assert_eq!(network.relay.home.links(), 1);
    assert_eq!(network.devices[pages[1]].room.role(), Role::Following);
    let other = network.join();
    network.open(other, text);
    network.rest();
    assert_eq!(network.text(other, text), "one two three");
    let third = network.devices[pages[2]].room.replica();
    assert!(network.relay.seq(&text, &third) > 0, "it stands under the name of the page that wrote it");
    assert_eq!(network.receipt(pages[2], &receipt).seen_by, 1, "pages of one device are not others");
}

#[test]
fn t1_a_page_does_not_call_saved_what_another_page_of_its_device_has_not_sent() {
    let (mut network, pages, text) = Network::with_pages(2);
    network.insert(pages[0], text, 0, "before ");
    network.rest();
    let unsaved = |network: &Network, page: usize| {
        let status = network.devices[page].room.save_status(text);
        (status.unsaved_on_device, status.unsaved_on_relay)
    };
    assert_eq!((unsaved(&network, pages[0]), unsaved(&network, pages[1])), ((0, 0), (0, 0)));
    pages.iter().for_each(|page| network.devices[*page].online = false);
    network.go_offline(pages[0]);
    network.insert(pages[1], text, 0, "apart ");
    for _ in 0..3 {
        network.rest();
    }
    // The page that wrote it is closed and opened again.
    network.end_page(pages[1], false);
    let again = network.join_page(pages[0]);
    network.devices[again].online = false;
    network.open(again, text);
    network.rest();
    assert_eq!(network.text(again, text), "apart before ");
    assert_eq!((unsaved(&network, pages[0]), unsaved(&network, again)), ((0, 1), (0, 1)));
    // Nor does the page that led, when it follows.
    network.freeze(pages[0]);
    network.lead(again);
    network.thaw(pages[0]);
    for _ in 0..3 {
        network.rest();
    }
    assert_eq!((unsaved(&network, pages[0]), unsaved(&network, again)), ((0, 1), (0, 1)));
    network.devices[again].online = true;
    network.go_online(again);
    network.rest();
    assert_eq!((unsaved(&network, pages[0]), unsaved(&network, again)), ((0, 0), (0, 0)));
}

#[test]
fn t1_pages_write_at_once_and_agree_offline() {
    let (mut network, pages, text) = Network::with_pages(2);
    network.insert(pages[0], text, 0, "start ");
    network.rest();
    network.go_offline(pages[0]);
    for round in 0..20 {
        network.insert(pages[0], text, 0, "a");
        network.insert(pages[1], text, 0, "b");
        network.wait(if round % 3 == 0 { 400 } else { 30 });
    }
    for _ in 0..4 {
        network.rest();
    }
    let shown = network.text(pages[0], text);
    assert_eq!(network.text(pages[1], text), shown);
    assert_eq!(shown.matches('a').count(), 21);
    assert_eq!(network.devices[pages[1]].room.save_status(text).unsaved_on_device, 0);
    assert!(network.devices[pages[1]].room.save_status(text).unsaved_on_relay > 0);
    network.go_online(pages[0]);
    network.rest();
    assert_eq!(network.devices[pages[1]].room.save_status(text).unsaved_on_relay, 0);
    let other = network.join();
    network.open(other, text);
    network.rest();
    assert_eq!(network.text(other, text), shown);
}

#[test]
fn t2_nothing_is_kept_before_the_leaders_disk_has_answered() {
    let (mut network, pages, text) = Network::with_pages(2);
    network.insert(pages[1], text, 0, "before ");
    network.rest();
    network.devices[pages[0]].disk_answers = false;
    let receipt = network.insert(pages[1], text, 7, "waits");
    network.insert(pages[0], text, 0, "mine ");
    network.rest();
    assert!(!network.receipt(pages[1], &receipt).device);
    assert_eq!(network.text(pages[1], text), "before waits", "what is not on the disk is not told");
    network.release_disk(pages[0]);
    network.rest();
    assert!(network.receipt(pages[1], &receipt).device && network.receipt(pages[1], &receipt).relay);
    assert_eq!(network.text(pages[1], text), "mine before waits");
}

#[test]
fn t3_a_day_offline_in_two_pages_stays_small() {
    let (mut network, pages, text) = Network::with_pages(2);
    network.insert(pages[0], text, 0, "morning ");
    network.rest();
    network.go_offline(pages[0]);
    let before = network.devices[pages[0]].disk.rows_of(Prefix::Entry as u8).count();
    for n in 0..600 {
        let page = pages[n % 2];
        network.insert(page, text, 0, "w");
        network.wait(100);
        network.settle();
    }
    let entries = network.devices[pages[0]].disk.rows_of(Prefix::Entry as u8).count() - before;
    assert!((60..=125).contains(&entries), "a minute of two became {entries} entries");
}

#[test]
fn t4_the_leader_ends_and_another_page_goes_on() {
    for carry_out in [false, true] {
        let (mut network, pages, text) = Network::with_pages(3);
        network.insert(pages[0], text, 0, "kept ");
        network.insert(pages[1], text, 0, "mine ");
        network.rest();
        network.go_offline(pages[0]);
        network.insert(pages[0], text, 0, "sealed ");
        network.settle();
        network.insert(pages[0], text, 0, "journal ");
        network.wait(60);
        network.settle();
        assert_eq!(network.devices[pages[0]].disk.rows_of(Prefix::Journal as u8).count(), 1);
        network.devices[pages[0]].disk_answers = false;
        let torn = network.insert(pages[1], text, 0, "torn ");
        network.rest();
        assert!(!network.receipt(pages[1], &torn).device);
        network.end_page(pages[0], carry_out);
        let alone = network.insert(pages[2], text, 0, "alone ");
        network.wait(200);
        network.lead(pages[1]);
        network.rest();
        for page in [pages[1], pages[2]] {
            let shown = network.text(page, text);
            for word in ["kept ", "mine ", "sealed ", "journal ", "torn ", "alone "] {
                assert_eq!(shown.matches(word).count(), 1, "{word} in {shown:?} ({carry_out})");
            }
        }
        assert!(network.receipt(pages[1], &torn).relay && network.receipt(pages[2], &alone).relay);
        let other = network.join();
        network.open(other, text);
        network.rest();
        assert_eq!(network.text(other, text), network.text(pages[1], text));
        assert_eq!(network.text(pages[2], text), network.text(pages[1], text));
    }
}

#[test]
fn t4_undo_outlives_the_change_of_leader() {
    let (mut network, pages, text) = Network::with_pages(2);
    network.insert(pages[1], text, 0, "first");
    network.rest();
    network.end_page(pages[0], false);
    network.lead(pages[1]);
    network.rest();
    let now = network.clock(pages[1]);
    network.devices[pages[1]].room.undo(text, causeway_tests::network::EDITOR, now).unwrap().expect("a step");
    network.rest();
    assert_eq!(network.text(pages[1], text), "");
}

#[test]
fn t5_a_leader_that_slept_follows_and_what_it_had_not_written_goes_back_into_the_text() {
    let (mut network, pages, text) = Network::with_pages(2);
    network.insert(pages[0], text, 0, "before ");
    network.rest();
    network.go_offline(pages[0]);
    network.insert(pages[0], text, 7, "sealed ");
    network.settle();
    network.insert(pages[0], text, 14, "journal ");
    network.wait(60);
    network.settle();
    network.devices[pages[0]].disk_answers = false;
    network.insert(pages[0], text, 22, "memory");
    network.wait(60);
    network.freeze(pages[0]);
    network.lead(pages[1]);
    network.rest();
    assert_eq!(network.text(pages[1], text), "before sealed journal ");
    network.insert(pages[1], text, 0, "new ");
    network.rest();
    network.thaw(pages[0]);
    network.release_disk(pages[0]);
    network.devices[pages[0]].online = true;
    network.rest();
    network.rest();
    assert_eq!(network.devices[pages[0]].room.role(), Role::Following);
    assert_eq!(network.text(pages[0], text), "new before sealed journal memory");
    let told = network.events(pages[0]);
    assert!(told.iter().any(|event| matches!(event, Event::Fork { code, .. } if code == "disk.claimed")));
    let forks = network.devices[pages[0]].disk.rows_of(Prefix::Fork as u8).count();
    assert_eq!(forks, 0, "nothing is left for a person to decide");
    assert_eq!(network.devices[pages[0]].room.forks(), []);
    network.insert(pages[0], text, 0, "again ");
    network.rest();
    assert_eq!(network.text(pages[1], text), "again new before sealed journal memory");
    let status = network.devices[pages[0]].room.save_status(text);
    assert_eq!((status.unsaved_on_device, status.unsaved_on_relay), (0, 0));
}

#[test]
fn t5_what_is_written_while_the_text_is_built_anew_goes_back_too_and_nothing_waits_for_ever() {
    let (mut network, pages, text) = Network::with_pages(2);
    network.insert(pages[0], text, 0, "before ");
    network.rest();
    network.go_offline(pages[0]);
    network.insert(pages[0], text, 7, "sealed ");
    network.settle();
    network.insert(pages[0], text, 14, "journal ");
    network.wait(60);
    network.settle();
    network.devices[pages[0]].disk_answers = false;
    network.insert(pages[0], text, 22, "memory ");
    network.wait(60);
    network.freeze(pages[0]);
    network.lead(pages[1]);
    network.rest();
    network.thaw(pages[0]);
    network.release_disk(pages[0]);
    assert_eq!(network.devices[pages[0]].room.role(), Role::Following);
    network.insert(pages[0], text, 0, "late ");
    network.devices[pages[0]].online = true;
    network.devices[pages[1]].online = true;
    network.rest();
    network.rest();
    for page in &pages {
        assert_eq!(network.text(*page, text), "late before sealed journal memory ");
    }
    let status = network.devices[pages[0]].room.save_status(text);
    assert_eq!((status.unsaved_on_device, status.unsaved_on_relay), (0, 0));
    assert_eq!(network.devices[pages[0]].disk.rows_of(Prefix::Fork as u8).count(), 0);
}

#[test]
fn t5_a_leader_that_slept_with_nothing_unwritten_goes_on_as_if_nothing_were() {
    let (mut network, pages, text) = Network::with_pages(2);
    network.insert(pages[0], text, 0, "before ");
    network.rest();
    let name = network.devices[pages[0]].room.replica();
    network.freeze(pages[0]);
    network.lead(pages[1]);
    network.rest();
    network.insert(pages[1], text, 0, "new ");
    network.rest();
    network.thaw(pages[0]);
    network.insert(pages[0], text, 0, "again ");
    network.rest();
    network.rest();
    assert_eq!(network.text(pages[0], text), "again new before ");
    assert_eq!(network.text(pages[1], text), "again new before ");
    assert_eq!(network.devices[pages[0]].room.replica(), name);
    assert!(!network.events(pages[0]).iter().any(|event| matches!(event, Event::Fork { .. })));
    assert_eq!(network.relay.home.links(), 1);
}

#[test]
fn t5_what_a_page_decides_while_it_meets_the_disk_outlives_its_giving_way() {
    let (mut network, pages, _) = Network::with_pages(2);
    network.rest();
    network.devices[pages[1]].disk_reads = false;
    network.lead(pages[1]);
    let now = network.clock(pages[1]);
    network.devices[pages[1]].room.create_text("kept.md", now).expect("the list is open");
    network.devices[pages[1]].room.handle(Input::Page(PageInput::Follow), now);
    network.lead(pages[0]);
    network.devices[pages[1]].disk_reads = true;
    for _ in 0..3 {
        network.rest();
    }
    let roles: Vec<Role> = pages.iter().map(|page| network.devices[*page].room.role()).collect();
    assert_eq!(roles, [Role::Leading, Role::Following]);
    let listed = network.devices[pages[0]].room.directory();
    assert_eq!(listed.iter().map(|listed| listed.path.as_str()).collect::<Vec<_>>(), ["kept.md"]);
}

#[test]
fn t6_two_pages_that_lead_at_once_leave_one() {
    let (mut network, pages, text) = Network::with_pages(2);
    network.insert(pages[0], text, 0, "before ");
    network.rest();
    network.lead(pages[1]);
    network.insert(pages[0], text, 0, "a ");
    network.insert(pages[1], text, 0, "b ");
    for _ in 0..3 {
        network.rest();
    }
    let roles: Vec<Role> = pages.iter().map(|page| network.devices[*page].room.role()).collect();
    assert_eq!(roles, [Role::Following, Role::Leading]);
    let shown = network.text(pages[1], text);
    assert!(shown.contains("a ") && shown.contains("b ") && shown.contains("before "), "{shown}");
    assert_eq!(network.text(pages[0], text), shown);
}

#[test]
fn t7_a_refusal_takes_the_work_back_on_every_page() {
    let (mut network, pages, text) = Network::with_pages(3);
    network.insert(pages[0], text, 0, "agreed ");
    network.rest();
    network.home_is_deaf = true;
    network.insert(pages[1], text, 0, "refused ");
    network.rest();
    network.insert(pages[2], text, 0, "on top ");
    network.rest();
    assert_eq!(network.text(pages[0], text), "on top refused agreed ");
    let replica = network.devices[pages[1]].room.replica();
    let (code, sentence) = ("ydoc.guard".into(), "this home is stricter".into());
    network.hand_to_device(pages[0], &Refused { stream: text, replica, seq: 1, code, sentence }.into());
    network.home_is_deaf = false;
    for _ in 0..4 {
        network.rest();
    }
    for page in &pages {
        assert_eq!(network.text(*page, text), "agreed ", "page {page}");
    }
    assert!(network.events(pages[1]).iter().any(|event| matches!(event, Event::Fork { .. })));
    let forks = network.devices[pages[0]].disk.rows_of(Prefix::Fork as u8).count();
    assert_eq!(forks, 2, "both pieces are kept");
    network.insert(pages[1], text, 0, "new ");
    network.insert(pages[2], text, 0, "too ");
    network.rest();
    for page in &pages {
        assert_eq!(network.text(*page, text).len(), "agreed new too ".len(), "page {page}");
    }
}

#[test]
fn t2_a_page_that_is_far_ahead_of_its_leaders_disk_calls_nothing_kept() {
    const AHEAD: u64 = 50;
    let (mut network, pages, text) = Network::with_pages(2);
    network.insert(pages[1], text, 0, "before ");
    network.rest();
    network.devices[pages[0]].disk_answers = false;
    let mut last = None;
    for _ in 0..AHEAD {
        last = Some(network.insert(pages[1], text, 0, "."));
        network.settle();
        network.wait(60);
    }
    // Long enough that it asks what its leader has.
    for _ in 0..4 {
        network.wait(4_000);
        network.settle();
    }
    let last = last.expect("it has written");
    assert!(!network.receipt(pages[1], &last).device);
    assert_eq!(network.devices[pages[1]].room.save_status(text).unsaved_on_device, AHEAD);
    network.release_disk(pages[0]);
    for _ in 0..3 {
        network.rest();
    }
    let state = network.receipt(pages[1], &last);
    assert!(state.device && state.relay, "{state:?}");
}

#[test]
fn rule_16_a_page_is_told_what_its_leader_cannot_read_and_does_not_ask_for_ever() {
    let (mut network, pages, text) = Network::with_pages(2);
    let other = network.join();
    network.open(other, text);
    network.rest();
    network.insert(other, text, 0, "one ");
    network.rest();
    network.freeze(pages[1]);
    network.part(pages[1]);
    for word in ["two ", "three "] {
        network.insert(other, text, 0, word);
        network.rest();
    }
    let author = network.devices[other].room.replica();
    let rows = network.devices[pages[0]].disk.rows_of(Prefix::Entry as u8);
    let of = |value: &[u8], seq| {
        let name = stored::decode_entry(value.to_vec()).map(|entry| entry.name());
        name.is_ok_and(|name| name.replica == author && name.seq == seq)
    };
    let rotten = rows.filter(|(_, value)| of(value, 3)).map(|(key, _)| key.to_vec()).next();
    network.devices[pages[0]].disk.damage(&rotten.expect("the leader keeps it"));
    network.thaw(pages[1]);
    let before = network.devices[pages[1]].sent.len();
    for _ in 0..6 {
        network.rest();
    }
    let sent = network.devices[pages[1]].sent[before..].iter();
    let needs = sent.filter(|message| matches!(message, Message::Other(Body::Need(_)))).count();
    assert!(needs <= 2, "once, and once as it comes behind what builds on it: {needs}");
    let told = network.events(pages[1]);
    let told_of_it = |event: &&Event| matches!(event, Event::Damaged { code, .. } if code == "home.entry");
    assert_eq!(told.iter().filter(told_of_it).count(), 1, "{told:?}");
    assert_eq!(network.text(pages[1], text), "one ", "what does not build on it is there");
    // Another page has the room read anew, which finds the damage and has it mended from the home.
    network.restart(pages[0], true);
    network.open(pages[0], text);
    network.lead(pages[0]);
    for _ in 0..6 {
        network.rest();
    }
    for page in pages {
        assert_eq!(network.text(page, text), "three two one ");
    }
}
