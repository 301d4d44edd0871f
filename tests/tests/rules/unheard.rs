//! T7: refused work that a page heard nothing of, and of which no fork is left.

use causeway_core::device::Receipt;
use causeway_core::ids::StreamId;
use causeway_tests::network::{EDITOR, Network};

use crate::takeovers::{forks, refuse};

/// Four pages of a device, of which one slept through a refusal.
struct Unheard {
    network: Network,
    pages: Vec<usize>,
    /// The one that slept.
    page: usize,
    text: StreamId,
    /// What it wrote that was refused, if it was its own.
    refused: Option<Receipt>,
    /// What it wrote as it woke.
    on_top: Option<Receipt>,
}

/// The second of four pages wrote what the home then refused; the fork was discarded, and all pages it was known to have
/// ended but the last. `sleeper` heard nothing of it.
fn refused_and_forgotten(sleeper: usize) -> Unheard {
    let (mut network, pages, text) = Network::with_pages(4);
    network.insert(pages[0], text, 0, "agreed ");
    network.rest();
    network.home_is_deaf = true;
    let refused = network.insert(pages[1], text, 0, "refused ");
    network.rest();
    let page = pages[sleeper];
    assert_eq!(network.text(page, text), "refused agreed ");
    network.freeze(page);
    network.part(page);
    refuse(&mut network, pages[0], text, pages[1], 1);
    network.rest();
    network.home_is_deaf = false;
    assert_eq!(forks(&network, pages[0]), 1);
    let fork = network.devices[pages[0]].room.forks()[0].id;
    network.devices[pages[0]].room.discard_fork(fork);
    network.rest();
    assert_eq!(forks(&network, pages[0]), 0);
    for other in [pages[0], pages[3 - sleeper]] {
        network.end_page(other, false);
    }
    Unheard { network, pages, page, text, refused: (sleeper == 1).then_some(refused), on_top: None }
}

impl Unheard {
    /// The page wakes with this written on top.
    fn types(mut self) -> Self {
        let now = self.network.clock(self.page);
        let room = &mut self.network.devices[self.page].room;
        room.open_editor(self.text, EDITOR).expect("the document is open");
        let edit = room.edit(self.text, Some(EDITOR), now, |edit| edit.insert(0, "on top "));
        self.on_top = Some(edit.expect("inside the text"));
        self
    }

    /// It finds out that it is the one to lead.
    fn leads(mut self) -> Self {
        self.network.end_page(self.pages[3], false);
        self.network.lead(self.page);
        self.network.thaw(self.page);
        self
    }

    /// It finds another that leads.
    fn follows(mut self) -> Self {
        self.network.lead(self.pages[3]);
        self.network.rest();
        self.network.thaw(self.page);
        self
    }

    /// Nobody shows what was refused, and what was written on top of it is a fork; what is written from now on is saved.
    fn takes_it_back(self) {
        let Self { mut network, pages, page, text, refused, on_top } = self;
        for _ in 0..4 {
            network.rest();
        }
        assert_eq!(network.text(page, text), "agreed ");
        for receipt in refused.iter().chain(&on_top) {
            let state = network.receipt(page, receipt);
            assert!(state.device && state.refused && !state.relay, "{receipt:?}: {state:?}");
        }
        assert_eq!(forks(&network, pages[0]), on_top.iter().count(), "what was written on top of it");
        let receipt = network.insert(page, text, 0, "new ");
        for _ in 0..3 {
            network.rest();
        }
        let state = network.receipt(page, &receipt);
        assert!(state.device && state.relay && !state.refused, "{state:?}");
        let status = network.devices[page].room.save_status(text);
        assert_eq!((status.unsaved_on_device, status.unsaved_on_relay), (0, 0));
        let other = network.join();
        network.open(other, text);
        network.rest();
        assert_eq!(network.text(other, text), "new agreed ");
        assert_eq!(network.text(page, text), "new agreed ");
    }
}

#[test]
fn t7_a_page_that_leads_takes_back_refused_work_of_which_no_fork_is_left() {
    refused_and_forgotten(2).leads().takes_it_back();
    refused_and_forgotten(2).types().leads().takes_it_back();
}

#[test]
fn t7_a_page_that_finds_another_leader_takes_back_refused_work_of_which_no_fork_is_left() {
    refused_and_forgotten(2).follows().takes_it_back();
    refused_and_forgotten(2).types().follows().takes_it_back();
}

#[test]
fn t7_the_author_of_refused_work_of_which_no_fork_is_left_takes_it_back_when_it_leads() {
    refused_and_forgotten(1).leads().takes_it_back();
    refused_and_forgotten(1).types().leads().takes_it_back();
}

#[test]
fn t7_the_author_of_refused_work_of_which_no_fork_is_left_takes_it_back_when_it_finds_another_leader() {
    refused_and_forgotten(1).follows().takes_it_back();
    refused_and_forgotten(1).types().follows().takes_it_back();
}
