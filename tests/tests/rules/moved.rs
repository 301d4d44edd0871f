//! T5: what a page that lost the disk had written goes back by itself.

use causeway_core::device::{Input, PageInput, Receipt, Role};
use causeway_core::ids::StreamId;
use causeway_tests::network::Network;

use crate::channels::{channel, open, posts, say};
use crate::costs::change;
use crate::takeovers::{forks, told_of_fork, with_a_journal};

/// The first page wrote "mine " on top of what the third has on its way to the disk, "theirs ", and slept while the second took over,
/// without a link to the home. The first follows now, and the third sleeps.
fn overtaken() -> (Network, Vec<usize>, StreamId, Receipt) {
    let (mut network, pages, text) = Network::with_pages(3);
    network.insert(pages[0], text, 0, "before ");
    network.rest();
    pages.iter().for_each(|page| network.devices[*page].online = false);
    network.go_offline(pages[0]);
    network.devices[pages[0]].disk_answers = false;
    network.insert(pages[2], text, 7, "theirs ");
    network.wait(60);
    network.settle();
    assert_eq!(network.text(pages[0], text), "before theirs ", "it is on its way to the disk");
    let mine = network.insert(pages[0], text, 14, "mine ");
    network.wait(60);
    fall_asleep_and_follow(&mut network, &pages);
    (network, pages, text, mine)
}

/// The first page sleeps while the second takes over, and wakes; the third sleeps on.
fn fall_asleep_and_follow(network: &mut Network, pages: &[usize]) {
    network.freeze(pages[0]);
    network.freeze(pages[2]);
    network.lead(pages[1]);
    network.rest();
    network.thaw(pages[0]);
    network.release_disk(pages[0]);
    network.rest();
    assert_eq!(network.devices[pages[0]].room.role(), Role::Following);
}

#[test]
fn t5_what_was_written_on_work_that_the_new_leader_gets_later_goes_back_and_nothing_takes_its_place() {
    for (types, busy) in [(false, false), (true, false), (true, true)] {
        let (mut network, pages, text, mine) = overtaken();
        let next = types.then(|| network.insert(pages[0], text, 0, "next "));
        network.rest();
        if busy {
            let other = network.join();
            network.open(other, text);
            network.rest();
            network.devices[pages[1]].online = true;
            network.go_online(pages[1]);
            network.rest();
            for _ in 0..40 {
                let end = network.devices[other].room.text_len(text).expect("it is open");
                network.insert(other, text, end, "busy ");
                network.wait(1_000);
                network.settle();
            }
        }
        network.thaw(pages[2]);
        pages.iter().for_each(|page| network.devices[*page].online = true);
        network.go_online(pages[1]);
        for _ in 0..8 {
            network.rest();
        }
        if busy {
            // Somebody says something at some time.
            let other = network.devices.len() - 1;
            for _ in 0..4 {
                network.insert(other, text, 0, "more ");
                network.wait(20_000);
                network.settle();
            }
        }
        let words = ["before ", "theirs ", "mine "].into_iter().chain(types.then_some("next "));
        for page in &pages {
            let shown = network.text(*page, text);
            for word in words.clone() {
                assert_eq!(shown.matches(word).count(), 1, "{word} in {shown:?} on {page}, {types} {busy}");
            }
        }
        assert_eq!(forks(&network, pages[1]), 0, "nothing is left for a person to decide");
        assert!(network.receipt(pages[0], &mine).device);
        if let Some(next) = next {
            let state = network.receipt(pages[0], &next);
            assert!(state.device && state.relay && !state.refused, "{state:?}");
        }
        let status = network.devices[pages[0]].room.save_status(text);
        assert_eq!((status.unsaved_on_device, status.unsaved_on_relay), (0, 0));
    }
}

#[test]
fn t5_what_moved_work_builds_on_may_come_from_a_page_that_slept() {
    let (mut network, pages, text, _) = overtaken();
    // The page that led leads again before the author of what its work builds on wakes.
    network.end_page(pages[1], true);
    network.lead(pages[0]);
    network.rest();
    assert_eq!(network.text(pages[0], text), "before ");
    network.thaw(pages[2]);
    for _ in 0..4 {
        network.rest();
    }
    for page in [pages[0], pages[2]] {
        assert_eq!(network.text(page, text), "before theirs mine ", "on page {page}");
    }
    assert_eq!(forks(&network, pages[0]), 0);
}

#[test]
fn t5_a_post_on_work_that_the_new_leader_does_not_have_is_said_or_a_draft() {
    let mut network = Network::new(0);
    let pages = network.join_pages(3);
    pages.iter().for_each(|page| open(&mut network, *page, 1));
    network.rest();
    say(&mut network, pages[0], "before");
    network.rest();
    network.go_offline(pages[0]);
    network.devices[pages[0]].disk_answers = false;
    say(&mut network, pages[2], "theirs");
    network.wait(60);
    network.settle();
    assert!(posts(&network, pages[0]).iter().any(|post| post.text == "theirs"), "on its way to the disk");
    say(&mut network, pages[0], "mine");
    fall_asleep_and_follow(&mut network, &pages);
    network.thaw(pages[2]);
    pages.iter().for_each(|page| network.devices[*page].online = true);
    network.go_online(pages[1]);
    for _ in 0..8 {
        network.rest();
    }
    let said = |page: usize| posts(&network, page).iter().filter(|post| post.text == "mine").count();
    let drafts = network.devices[pages[0]].room.drafts(channel());
    assert_eq!(said(pages[0]) + drafts.len(), 1, "{drafts:?}");
    assert!(posts(&network, pages[0]).iter().any(|post| post.text == "theirs"));
}

/// Other pages take its disk without its having heard anything of it, as when its worker ends.
fn lose_the_disk(network: &mut Network, page: usize) {
    let now = network.clock(page);
    network.devices[page].room.handle(Input::Page(PageInput::Follow), now);
    network.devices[page].disk_answers = true;
}

#[test]
fn t5_a_large_edit_that_the_journal_on_the_disk_lacks_goes_back_whole() {
    const PLACES: u32 = 600;
    let (mut network, pages, text, _) = with_a_journal(2);
    network.devices[pages[0]].disk_answers = false;
    // In more places than one entry has.
    change(&mut network, pages[0], text, |edit| {
        for _ in 0..PLACES {
            edit.insert(0, "all ").expect("inside the text");
            let end = edit.len();
            edit.insert(end, "every ").expect("inside the text");
        }
    });
    network.wait(60);
    network.freeze(pages[0]);
    network.lead(pages[1]);
    network.rest();
    network.thaw(pages[0]);
    network.release_disk(pages[0]);
    assert_eq!(network.devices[pages[0]].room.role(), Role::Following);
    for _ in 0..6 {
        network.rest();
    }
    for page in &pages {
        let shown = network.text(*page, text);
        let counts = ["journal ", "all ", "every "].map(|word| shown.matches(word).count());
        assert_eq!(counts, [1, PLACES as usize, PLACES as usize], "on page {page}");
    }
    assert_eq!(forks(&network, pages[1]), 0);
}

#[test]
fn t5_what_never_got_into_the_journal_on_the_disk_is_not_waited_for() {
    for (conflict, follows) in [(true, true), (false, false), (false, true)] {
        let (mut network, pages, text) = Network::with_pages(2);
        network.insert(pages[0], text, 0, "before ");
        network.rest();
        pages.iter().for_each(|page| network.devices[*page].online = false);
        network.go_offline(pages[0]);
        // An entry is sealed once a second while another page looks on; what is typed meanwhile goes into the journal.
        network.insert(pages[0], text, 0, "sealed ");
        network.settle();
        network.devices[pages[0]].disk_answers = false;
        network.insert(pages[0], text, 0, "first ");
        network.wait(60);
        network.settle();
        if conflict {
            network.lead(pages[1]);
            network.rest();
            network.release_disk(pages[0]);
        } else {
            lose_the_disk(&mut network, pages[0]);
            network.lead(if follows { pages[1] } else { pages[0] });
        }
        for _ in 0..4 {
            network.rest();
        }
        if !conflict && follows {
            network.end_page(pages[1], true);
            network.lead(pages[0]);
            for _ in 0..4 {
                network.rest();
            }
        }
        let shown = network.text(pages[0], text);
        assert_eq!(shown, "first sealed before ", "{conflict} {follows}");
        assert_eq!(forks(&network, pages[0]), 0, "{conflict} {follows}");
        let told = told_of_fork(&mut network, pages[0], "disk.claimed");
        assert_eq!(told, !conflict, "{conflict} {follows}");
    }
}
