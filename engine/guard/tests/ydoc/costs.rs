//! What applying an update may cost (M5): how often it jumps about, and how it comes apart so that a clock can be looked at.

use std::borrow::Cow;

use causeway_guard::Limits;
use causeway_guard::ydoc::{jumps, parts, scan};
use yrs::{GetString, ReadTxn, Text, Transact, merge_updates_v1};

use crate::authors::{Genre, Team, empty_doc, state_of, take};
use crate::writer::{Bytes, ORIGIN, RIGHT_ORIGIN, STRING, section};

const OWN: u64 = 5;
const OTHER: u64 = 9;

/// The update of one edit.
fn edit(doc: &yrs::Doc, change: impl FnOnce(&yrs::TextRef, &mut yrs::TransactionMut)) -> Vec<u8> {
    let text = doc.get_or_insert_text("text");
    let mut txn = doc.transact_mut();
    change(&text, &mut txn);
    txn.encode_update_v1()
}

#[test]
fn m5_what_is_typed_on_is_no_jump() {
    let doc = empty_doc(OWN);
    let keys: Vec<Vec<u8>> = (0..50).map(|at| edit(&doc, |text, txn| text.insert(txn, at, "x"))).collect();
    assert_eq!(keys.iter().map(|key| jumps(key)).collect::<Vec<_>>(), [vec![1], vec![0; 49]].concat());
    assert_eq!(jumps(&merge_updates_v1(&keys).unwrap()), 1, "as a journal it is written at one place");
    // In the middle, and on from there.
    assert_eq!(jumps(&edit(&doc, |text, txn| text.insert(txn, 20, "y"))), 1);
    assert_eq!(jumps(&edit(&doc, |text, txn| text.insert(txn, 21, "z"))), 0);
    assert_eq!(jumps(&edit(&doc, |text, txn| text.remove_range(txn, 3, 9))), 0, "one range is free");
}

#[test]
fn m5_every_place_of_a_bulk_edit_is_a_jump() {
    let doc = empty_doc(OWN);
    edit(&doc, |text, txn| text.insert(txn, 0, &"word ".repeat(100)));
    let replaced = edit(&doc, |text, txn| {
        for number in (0..100).rev() {
            text.remove_range(txn, number * 5, 4);
            text.insert(txn, number * 5, "fresh");
        }
    });
    assert_eq!(jumps(&replaced), 100 + 99, "a hundred places, and as many deleted ranges but one");
}

/// Behind the author's last character, but in front of something else each time: yrs cuts up what that stands in.
#[test]
fn m5_typing_on_before_another_neighbour_each_time_is_a_jump() {
    let mut update = section(3, OWN, 7);
    for clock in 0..3 {
        update = update
            .raw(&[STRING | ORIGIN | RIGHT_ORIGIN])
            .num(OWN)
            .num(6 + clock)
            .num(OTHER)
            .num(clock)
            .text("x");
    }
    assert_eq!(jumps(&update.num(0).0), 2);
}

#[test]
fn m5_blocks_that_claim_one_place_are_jumps_all() {
    let update =
        (0..500).fold(section(500, OWN, 0), |bytes, _| bytes.raw(&[STRING, 1]).text("text").text("x"));
    assert_eq!(jumps(&update.num(0).0), 500);
}

/// What comes of parts applied one after the other; none may wait for a later one.
fn put_together<'a>(parts: impl Iterator<Item = Cow<'a, [u8]>>) -> yrs::Doc {
    let doc = empty_doc(1);
    doc.get_or_insert_text("text");
    for part in parts {
        scan(&part, &Limits::default()).expect("a part is well formed");
        take(&doc, &part);
        assert!(!doc.transact_mut().has_missing_updates(), "a part refers to what comes later");
    }
    doc
}

#[test]
fn m5_parts_of_an_update_make_of_a_document_what_the_whole_makes() {
    for seed in 0..60 {
        let genre = if seed % 2 == 0 { Genre::Text } else { Genre::Everything };
        let mut team = Team::new(4, seed, genre);
        for _ in 0..40 {
            team.step();
        }
        let log = merge_updates_v1(team.log.iter().map(|written| &written.update)).unwrap();
        let reader = empty_doc(1);
        take(&reader, &log);
        let page = state_of(&reader);
        for whole in [&log, &page] {
            let blocks = scan(whole, &Limits::default()).unwrap().blocks;
            for most in [1, 3, 20, blocks] {
                let several = parts(whole, most).count();
                assert!(several as u32 >= blocks.div_ceil(most), "seed {seed}: {several} parts of {blocks}");
                let doc = put_together(parts(whole, most));
                let shown = |doc: &yrs::Doc| doc.get_or_insert_text("text").get_string(&doc.transact());
                assert_eq!(shown(&doc), shown(&reader), "seed {seed}, {most} at once");
                // Blocks are joined at other places, so the bytes may differ.
                let held = |doc: &yrs::Doc| doc.transact().snapshot();
                assert_eq!(held(&doc), held(&reader), "seed {seed}, {most} at once");
            }
        }
    }
}

#[test]
fn m5_a_small_update_is_not_copied_and_a_circle_comes_whole() {
    let small = section(1, OWN, 0).raw(&[STRING, 1]).text("text").text("x").num(0).0;
    let only: Vec<_> = parts(&small, 1).collect();
    assert!(matches!(only[..], [Cow::Borrowed(bytes)] if bytes == small));
    // Each client's second block stands behind the other's second block, which no author can write.
    let first = |bytes: Bytes| bytes.raw(&[STRING, 1]).text("text").text("x");
    let circle = first(Bytes::default().num(2).num(2).num(OTHER).num(0)).behind(OWN, 1, "y");
    let circle = first(circle.num(2).num(OWN).num(0)).behind(OTHER, 1, "y").num(0).0;
    assert!(scan(&circle, &Limits::default()).is_ok());
    let blocks = |part: &[u8]| scan(part, &Limits::default()).unwrap().blocks;
    assert!(parts(&circle, 1).any(|part| blocks(&part) >= 2), "what waits for each other comes together");
    assert_eq!(parts(&circle, 1).map(|part| blocks(&part)).sum::<u32>(), 4, "and nothing is left out");
    assert_eq!(parts(b"no update", 1).collect::<Vec<_>>(), [b"no update".as_slice()]);
}
