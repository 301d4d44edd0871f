//! Well-formed lies: updates whose every reference exists, put together from the input.

mod grammar;

use causeway_guard::Limits;
use causeway_guard::ydoc::parts;
use yrs::merge_updates_v1;

use super::text::{Clocks, Reader};
use grammar::Choices;

/// Lets three authors write lies and read each other, and a reader take all of it.
pub(super) fn judge(input: &[u8]) -> usize {
    let mut choices = Choices::of(input);
    let mut known: [Clocks; 3] = Default::default();
    let mut told = Vec::new();
    while told.len() < MOST && choices.are_left() {
        let who = choices.below(3) as usize;
        if choices.below(3) == 0 {
            let other = known[choices.below(3) as usize].clone();
            for (client, clock) in other.0 {
                let held = known[who].0.entry(client).or_default();
                *held = clock.max(*held);
            }
        }
        let author = 1 + who as u64;
        told.push((author, grammar::update(author, &mut known[who], &mut choices)));
    }
    let mut reader = Reader::new();
    for (author, update) in &told {
        assert!(reader.take(*author, update), "the lie is well formed");
    }
    let mut of_parts = Reader::new();
    for (author, update) in &told {
        let limits = Limits { blocks: 1, jumps: 1, delete_ranges: 1, ..Limits::default() };
        for part in parts(update.clone(), &limits) {
            assert!(of_parts.take(*author, &part), "a part of it is well formed");
        }
    }
    assert_eq!(of_parts.text(), reader.text(), "its parts make of a text what it makes");
    keeps_and_opens(&reader);
    let page = || Reader::of(told.iter().map(|(_, update)| update.as_slice()), &reader.clocks).save();
    assert_eq!(page(), page(), "a page is made twice, and is the same");
    let merged = merge_updates_v1(told.iter().map(|(_, update)| update)).expect("yrs merges what passed");
    assert_eq!(Reader::open(&merged).clocks, reader.clocks, "a merged log opens as well");
    reader.write_and_empty();
    keeps_and_opens(&reader);
    told.len()
}

fn keeps_and_opens(reader: &Reader) {
    let again = Reader::open(&reader.save());
    again.write_and_empty();
}

/// Updates of one input: faults show with few, and each round is cheap.
const MOST: usize = 8;
