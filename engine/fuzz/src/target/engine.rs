//! Guard and yrs, with raw updates.

use causeway_guard::Limits;
use causeway_guard::ydoc::scan;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;
use yrs::{Update, merge_updates_v1};

use super::text::Reader;
use crate::pieces::Pieces;

/// Takes each piece for an update of its author; applies, saves, opens, merges and edits what the guard lets in.
pub(super) fn judge(input: &[u8]) -> usize {
    let mut reader = Reader::new();
    let mut taken = Vec::new();
    for (author, update) in Pieces::of(input) {
        rewrite(update);
        if reader.take(u64::from(author), update) {
            taken.push(update);
        }
    }
    if taken.is_empty() {
        return 0;
    }
    let saved = reader.save();
    let again = Reader::open(&saved);
    assert_eq!(again.clocks, reader.clocks, "a saved document opens as it was");
    assert_eq!(again.save(), Reader::open(&saved).save(), "nothing is written in an order of chance");
    again.write_and_empty();
    let merged = merge_updates_v1(taken.iter()).expect("yrs merges what passed");
    scan(&merged, &Limits::default()).expect("what yrs merges is well formed");
    assert_eq!(Reader::open(&merged).clocks, reader.clocks, "a merged log opens as well");
    reader.write_and_empty();
    Reader::open(&reader.save());
    taken.len()
}

/// What is well formed, yrs reads, and writes well formed.
fn rewrite(update: &[u8]) {
    if scan(update, &Limits::default()).is_ok() {
        let written = Update::decode_v1(update).expect("yrs reads what is well formed").encode_v1();
        scan(&written, &Limits::default()).expect("yrs writes what is well formed");
    }
}
