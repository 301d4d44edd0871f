//! T7: refused work that a page heard nothing of, and of which no fork is left.

use causeway_core::device::Receipt;
use causeway_core::ids::StreamId;
use causeway_tests::network::{EDITOR, Network};

use crate::takeovers::{forks, refuse};

/// The second of four pages wrote what the home then refused; the fork was discarded, and both pages it was known to have
/// ended. The third heard nothing of it, and has written on top.
fn refused_and_forgotten() -> (Network, Vec<usize>, StreamId, Receipt) {
    let (mut network, pages, text) = Network::with_pages(4);
    network.insert(pages[0], text, 0, "agreed ");
    network.rest();
    network.home_is_deaf = true;
    network.insert(pages[1], text, 0, "refused ");
    network.rest();
    network.freeze(pages[2]);
    network.part(pages[2]);
    refuse(&mut network, pages[0], text, pages[1], 1);
    network.rest();
    network.home_is_deaf = false;
    assert_eq!(forks(&network, pages[0]), 1);
    let fork = network.devices[pages[0]].room.forks()[0].id;
    network.devices[pages[0]].room.discard_fork(fork);
    network.rest();
    assert_eq!(forks(&network, pages[0]), 0);
    network.end_page(pages[0], false);
    network.end_page(pages[1], false);
    let now = network.clock(pages[2]);
    let room = &mut network.devices[pages[2]].room;
    room.open_editor(text, EDITOR).expect("the document is open");
    let on_top = room.edit(text, Some(EDITOR), now, |edit| edit.insert(0, "on top "));
    (network, pages, text, on_top.expect("inside the text"))
}

/// Nobody shows what was refused, and what was written on top of it is a fork; what is written from now on is saved.
fn is_taken_back(mut network: Network, pages: &[usize], text: StreamId, on_top: Receipt) {
    let page = pages[2];
    for _ in 0..4 {
        network.rest();
    }
    assert_eq!(network.text(page, text), "agreed ");
    let state = network.receipt(page, &on_top);
    assert!(state.device && state.refused, "{state:?}");
    assert_eq!(forks(&network, pages[0]), 1, "what was written on top of it");
    let receipt = network.insert(page, text, 0, "new ");
    for _ in 0..3 {
        network.rest();
    }
    assert!(network.receipt(page, &receipt).relay);
    let other = network.join();
    network.open(other, text);
    network.rest();
    assert_eq!(network.text(other, text), "new agreed ");
}

#[test]
fn t7_a_page_that_leads_takes_back_refused_work_of_which_no_fork_is_left() {
    let (mut network, pages, text, on_top) = refused_and_forgotten();
    network.end_page(pages[3], false);
    network.lead(pages[2]);
    network.thaw(pages[2]);
    is_taken_back(network, &pages, text, on_top);
}

#[test]
fn t7_a_page_that_finds_another_leader_takes_back_refused_work_of_which_no_fork_is_left() {
    let (mut network, pages, text, on_top) = refused_and_forgotten();
    network.lead(pages[3]);
    network.rest();
    network.thaw(pages[2]);
    is_taken_back(network, &pages, text, on_top);
}
