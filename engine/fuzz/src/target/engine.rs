//! Guard and yrs, with raw updates.

use causeway_guard::ydoc::scan;
use causeway_guard::{Fault, Limits};
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
    let page = || Reader::of(taken.iter().copied(), &reader.clocks).save();
    assert_eq!(page(), page(), "a page is made twice, and is the same");
    again.write_and_empty();
    let merged = merge_updates_v1(taken.iter()).expect("yrs merges what passed");
    scan(&merged, &Limits::default()).expect("what yrs merges is well formed");
    assert_eq!(Reader::open(&merged).clocks, reader.clocks, "a merged log opens as well");
    reader.write_and_empty();
    Reader::open(&reader.save());
    taken.len()
}

/// What is well formed, yrs reads, and writes well formed; but a number just below the greatest that passes may be written as one
/// beyond it. No text takes such.
fn rewrite(update: &[u8]) {
    if scan(update, &Limits::default()).is_ok() {
        let written = Update::decode_v1(update).expect("yrs reads what is well formed").encode_v1();
        let again = scan(&written, &Limits::default());
        assert!(matches!(again, Ok(_) | Err(Fault::Json { .. })), "{again:?}");
    }
}
