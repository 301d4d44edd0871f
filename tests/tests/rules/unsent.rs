//! T1: no page calls saved what the home lacks, neither while the lead changes nor for a moment.

use causeway_core::device::{Input, PageInput, Role};
use causeway_core::ids::StreamId;
use causeway_tests::network::Network;

fn says_unsaved(network: &Network, page: usize, text: StreamId) -> bool {
    network.devices[page].room.save_status(text).unsaved_on_relay > 0
}

/// So many pages, of which all know that the home lacks what the first has written.
fn with_unsent(pages: usize) -> (Network, Vec<usize>, StreamId) {
    let (mut network, pages, text) = Network::with_pages(pages);
    network.insert(pages[0], text, 0, "saved ");
    network.rest();
    network.home_is_deaf = true;
    network.insert(pages[0], text, 0, "unsent ");
    network.rest();
    for page in &pages {
        assert!(says_unsaved(&network, *page, text), "page {page}");
    }
    (network, pages, text)
}

/// The home hears again.
fn is_saved_at_last(mut network: Network, pages: &[usize], text: StreamId) {
    network.home_is_deaf = false;
    for _ in 0..40 {
        network.wait(1_000);
        network.settle();
    }
    for page in pages {
        assert!(!says_unsaved(&network, *page, text), "page {page}");
    }
}

#[test]
fn t1_a_page_that_takes_over_calls_nothing_saved_before_it_has_read_the_disk() {
    let (mut network, pages, text) = with_unsent(3);
    network.end_page(pages[0], true);
    network.devices[pages[1]].disk_reads = false;
    network.lead(pages[1]);
    let mut reads = 0;
    loop {
        network.settle_seeing(|network| {
            for page in &pages[1..] {
                assert!(says_unsaved(network, *page, text), "page {page} after {reads} reads");
            }
        });
        if !network.answer_read(pages[1]) {
            break;
        }
        reads += 1;
    }
    assert!(reads > 5, "{reads} reads");
    network.devices[pages[1]].disk_reads = true;
    is_saved_at_last(network, &pages[1..], text);
}

#[test]
fn t1_a_page_that_gives_the_lead_up_as_it_takes_over_calls_nothing_saved_either() {
    for reads in 0..14 {
        let (mut network, pages, text) = with_unsent(3);
        network.end_page(pages[0], true);
        network.devices[pages[1]].disk_reads = false;
        network.lead(pages[1]);
        network.settle();
        for _ in 0..reads {
            network.answer_read(pages[1]);
            network.settle();
        }
        network.devices[pages[2]].disk_reads = false;
        network.lead(pages[2]);
        let now = network.clock(pages[1]);
        network.devices[pages[1]].room.handle(Input::Page(PageInput::Follow), now);
        network.wait(1);
        network.settle();
        for page in &pages[1..] {
            assert!(says_unsaved(&network, *page, text), "page {page} after {reads} reads");
        }
        for page in [pages[2], pages[1]] {
            network.release_reads(page);
            network.rest();
        }
        assert_eq!(network.devices[pages[1]].room.role(), Role::Following);
        for page in &pages[1..] {
            assert!(says_unsaved(&network, *page, text), "page {page} after {reads} reads");
        }
        is_saved_at_last(network, &pages[1..], text);
    }
}

#[test]
fn t1_a_page_hears_that_something_is_unsaved_before_it_is_shown_it() {
    let (mut network, pages, text) = Network::with_pages(2);
    network.insert(pages[0], text, 0, "saved ");
    network.rest();
    let calls_saved = |network: &Network, page: usize| {
        let shows = network.devices[page].room.text(text).is_ok_and(|text| text.contains("unsent"));
        shows && !says_unsaved(network, page, text)
    };
    network.home_is_deaf = true;
    network.insert(pages[0], text, 0, "unsent ");
    for _ in 0..20 {
        network.settle_seeing(|network| assert!(!calls_saved(network, pages[1]), "a page that looks on"));
        network.wait(50);
    }
    assert!(network.text(pages[1], text).starts_with("unsent"));
    let late = network.join_page(pages[0]);
    network.open(late, text);
    for _ in 0..20 {
        network.settle_seeing(|network| assert!(!calls_saved(network, late), "one that joins"));
        network.wait(50);
    }
    assert!(network.text(late, text).starts_with("unsent"));
}
