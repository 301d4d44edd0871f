//! What applying one update may cost (M5): how often it begins anew, and how an author's work comes apart so that none does so
//! too often.

use causeway_guard::ydoc::{Extension, check_text, parts, scan};
use causeway_guard::{Counted, Fault, Limits};
use yrs::{Doc, GetString, ReadTxn, Text, TextRef, Transact, TransactionMut, merge_updates_v1};

use crate::authors::{Clocks, Genre, Team, doc_with, empty_doc, state_of, take};
use crate::writer::{Bytes, ORIGIN, RIGHT_ORIGIN, STRING, no_blocks, section};

const OWN: u64 = 5;
const OTHER: u64 = 9;

/// The update of one edit.
fn edit(doc: &Doc, change: impl FnOnce(&TextRef, &mut TransactionMut)) -> Vec<u8> {
    let text = doc.get_or_insert_text("text");
    let mut txn = doc.transact_mut();
    change(&text, &mut txn);
    txn.encode_update_v1()
}

fn judged(update: &[u8], known: &Clocks, limits: &Limits) -> Result<Extension, Fault> {
    check_text(update, OWN, "text", known, limits)
}

fn jumps_refused(limit: u32) -> Result<Extension, Fault> {
    Err(Fault::TooMany { what: Counted::Jumps, limit })
}

/// How often an update begins anew: the smallest bound that it keeps.
fn jumps(update: &[u8], known: &Clocks) -> u32 {
    let keeps = |jumps: &u32| judged(update, known, &Limits { jumps: *jumps, ..Limits::default() }).is_ok();
    let fewest = (0..).find(keeps).expect("it passes with some bound");
    let told = judged(update, known, &Limits::default()).expect("it passes").places;
    assert_eq!(told, fewest, "it takes nothing out, so these are all the places it touches");
    fewest
}

/// Blocks without neighbours.
fn crowded(blocks: u32) -> Bytes {
    let start = section(u64::from(blocks), OWN, 0);
    (0..blocks).fold(start, |bytes, _| bytes.raw(&[STRING, 1]).text("text").text("x")).num(0)
}

#[test]
fn m5_an_update_that_begins_anew_too_often_is_refused_and_one_that_was_let_in_once_is_read() {
    let limits = Limits::default();
    let known = Clocks::default();
    assert!(judged(&crowded(limits.jumps).0, &known, &limits).is_ok());
    let more = crowded(limits.jumps + 1);
    assert_eq!(judged(&more.0, &known, &limits), jumps_refused(limits.jumps));
    assert!(judged(&more.0, &known, &Limits::kept()).is_ok(), "an earlier build has let it in");
}

#[test]
fn m5_what_is_typed_on_begins_anew_once() {
    let doc = empty_doc(OWN);
    let type_at = |at: u32| edit(&doc, |text, txn| text.insert(txn, at, "x"));
    let keys: Vec<Vec<u8>> = (0..500).map(type_at).collect();
    assert_eq!(jumps(&merge_updates_v1(&keys).unwrap(), &Clocks::default()), 1);
    // In the middle, and on from there; then elsewhere.
    let known = Clocks::of(&doc);
    let keys: Vec<Vec<u8>> = [20, 21, 22, 7, 8, 300].map(type_at).into();
    assert_eq!(jumps(&merge_updates_v1(&keys).unwrap(), &known), 3);
}

#[test]
fn m5_typing_on_in_front_of_another_neighbour_each_time_begins_anew() {
    let block = |bytes: Bytes, clock: u64| {
        bytes.raw(&[STRING | ORIGIN | RIGHT_ORIGIN]).num(OWN).num(6 + clock).num(OTHER).num(clock).text("x")
    };
    let update = (0..5).fold(section(5, OWN, 7), block).num(0);
    let known = Clocks([(OWN, 7), (OTHER, 10)].into());
    assert_eq!(jumps(&update.0, &known), 5);
}

#[test]
fn m5_what_follows_garbage_begins_anew() {
    let start = section(4, OWN, 0).raw(&[0, 3]).behind(OWN, 2, "x").raw(&[0, 1]).behind(OWN, 4, "x");
    assert_eq!(jumps(&start.num(0).0, &Clocks::default()), 4);
}

/// What parts make of a document, each judged before it is taken, as a home and a device do.
fn put_together(doc: &Doc, parts: &[Vec<u8>], limits: &Limits) {
    for part in parts {
        let judged = check_text(part, OWN, "text", &Clocks::of(doc), limits);
        judged.unwrap_or_else(|fault| panic!("{fault}: {part:?}"));
        take(doc, part);
    }
}

fn shown(doc: &Doc) -> String {
    doc.get_or_insert_text("text").get_string(&doc.transact())
}

/// Bounds so small that nearly everything is cut.
fn tight(blocks: u32, jumps: u32, delete_ranges: u32) -> Limits {
    Limits { bytes: 256, blocks, jumps, delete_ranges, clients: 2, ..Limits::default() }
}

#[test]
fn m5_parts_keep_the_bounds_and_make_of_a_text_what_the_whole_makes() {
    let mut cut = 0;
    for seed in 0..80 {
        let mut team = Team::new(4, seed, Genre::Text);
        for _ in 0..60 {
            team.step();
        }
        for limits in [tight(1, 1, 1), tight(3, 2, 1), tight(20, 3, 4), Limits::default()] {
            let (reader, whole) = (empty_doc(1), empty_doc(2));
            let mut rest = team.log.as_slice();
            while let Some(first) = rest.first() {
                let run = rest.iter().take_while(|written| written.author == first.author).count();
                let journal = merge_updates_v1(rest[..run].iter().map(|written| &written.update)).unwrap();
                rest = &rest[run..];
                take(&whole, &journal);
                let parts = parts(journal, &limits);
                cut += usize::from(parts.len() > 1);
                for part in &parts {
                    check_text(part, first.author, "text", &Clocks::of(&reader), &limits)
                        .unwrap_or_else(|fault| panic!("seed {seed}: {fault}: {part:?}"));
                    take(&reader, part);
                }
                assert_eq!(shown(&reader), shown(&whole), "seed {seed}");
            }
            assert_eq!(reader.transact().snapshot(), whole.transact().snapshot(), "seed {seed}");
        }
    }
    assert!(cut > 1_000, "{cut} journals were cut");
}

#[test]
fn m5_a_value_that_fills_a_part_leaves_the_ranges_to_the_next() {
    let limits = Limits::default();
    let value = format!("\"{}\"", "v".repeat(limits.bytes - 64));
    let ranges = u64::from(limits.delete_ranges);
    let start = section(1, OWN, 0).raw(&[5, 1]).text("text").text(&value).num(1).num(OTHER).num(ranges);
    let update = (0..ranges).fold(start, |bytes, range| bytes.num(2 * range).num(1));
    let parts = parts(update.0, &limits);
    assert_eq!(parts.len(), 2);
    let known = Clocks([(OTHER, 2 * limits.delete_ranges)].into());
    for part in &parts {
        judged(part, &known, &limits).expect("it keeps the bounds");
    }
}

#[test]
fn m5_a_replacement_in_thousands_of_places_comes_apart() {
    let doc = empty_doc(OWN);
    edit(&doc, |text, txn| text.insert(txn, 0, &"word ".repeat(3_000)));
    let reader = doc_with(1, &state_of(&doc));
    let replaced = edit(&doc, |text, txn| {
        for place in (0..3_000).rev() {
            text.remove_range(txn, place * 5, 4);
            text.insert(txn, place * 5, "fresh");
        }
    });
    let limits = Limits::default();
    assert!(judged(&replaced, &Clocks::of(&reader), &limits).is_err(), "it is too much for one");
    let parts = parts(replaced, &limits);
    assert_eq!(parts.len(), 13, "twelve of {} places, and the rest of the ranges", limits.jumps);
    put_together(&reader, &parts, &limits);
    assert_eq!(shown(&reader), "fresh ".repeat(3_000));
}

/// A text that was pasted piece by piece is one string to yrs: when its deletion is undone that comes back as one block.
#[test]
fn m5_a_string_longer_than_an_entry_comes_apart() {
    for (left, right) in [(None, None), (Some(3), None), (None, Some(6)), (Some(3), Some(4))] {
        let doc = empty_doc(OTHER);
        let before = edit(&doc, |text, txn| text.insert(txn, 0, "common ground"));
        let flags = left.map_or(0, |_| ORIGIN) | right.map_or(0, |_| RIGHT_ORIGIN);
        let mut update = section(2, OWN, 0).raw(&[STRING | flags]);
        for clock in [left, right].into_iter().flatten() {
            update = update.num(OTHER).num(clock);
        }
        if flags == 0 {
            update = update.raw(&[1]).text("text");
        }
        let long = "år 😀".repeat(400_000);
        let units = long.encode_utf16().count() as u64;
        let update = update.text(&long).behind(OWN, units - 1, " – end").deletes(OTHER, &[(0, 2)]).0;
        let (reader, whole) = (doc_with(1, &before), doc_with(2, &before));
        take(&whole, &update);
        let parts = parts(update, &Limits::default());
        assert!((13..=15).contains(&parts.len()), "{} parts", parts.len());
        put_together(&reader, &parts, &Limits::default());
        assert_eq!(shown(&reader), shown(&whole));
        assert_eq!(reader.transact().snapshot(), whole.transact().snapshot());
        assert_eq!(state_of(&reader), state_of(&whole));
    }
}

#[test]
fn m5_deletions_of_many_authors_come_apart() {
    let (reader, whole) = (empty_doc(1), empty_doc(2));
    let mut deletes = no_blocks().num(5_000);
    for author in 10..5_010 {
        let update = section(1, author, 0).raw(&[STRING, 1]).text("text").text("ab").num(0).0;
        take(&reader, &update);
        take(&whole, &update);
        deletes = deletes.num(author).num(1).num(1).num(1);
    }
    take(&whole, &deletes.0);
    let parts = parts(deletes.0, &Limits::default());
    assert_eq!(parts.len(), 3);
    put_together(&reader, &parts, &Limits::default());
    assert_eq!(shown(&reader), shown(&whole));
}

#[test]
fn m5_what_needs_no_cutting_or_is_no_update_of_one_author_comes_as_it_is() {
    let doc = empty_doc(OWN);
    let small = edit(&doc, |text, txn| text.insert(txn, 0, "x"));
    let large = edit(&doc, |text, txn| text.insert(txn, 0, &"x".repeat(200_000)));
    let nothing = tight(0, 0, 0);
    let of_two = Bytes::default().num(2).num(1).num(OTHER).num(0).raw(&[0, 3]).num(1).num(OWN).num(0);
    let of_two = of_two.raw(&[0, 3]).num(0).0;
    let with_a_hole = section(3, OWN, 0).raw(&[0, 1, 10, 2, 0, 1]).num(0).0;
    assert!(scan(&of_two, &Limits::default()).is_ok() && scan(&with_a_hole, &Limits::default()).is_ok());
    for (update, limits) in [
        (small, Limits::default()),
        (large, Limits::default()),
        (of_two, nothing),
        (with_a_hole, nothing),
        (vec![255; 5_000], Limits::default()),
        (Vec::new(), nothing),
    ] {
        assert_eq!(parts(update.clone(), &limits), [update]);
    }
}
