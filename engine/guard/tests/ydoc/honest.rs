//! What honest authors write passes.

use std::collections::HashMap;

use causeway_guard::Limits;
use causeway_guard::ydoc::{Extension, check, check_text, scan};
use yrs::types::Attrs;
use yrs::{Any, ReadTxn, StateVector, Text, Transact, Update, merge_updates_v1};

use crate::authors::{Clocks, Genre, Team, Written, doc_with, empty_doc, state_of, take};

#[test]
fn every_update_of_four_authors_passes_in_the_order_of_the_log() {
    for seed in 0..40 {
        let mut team = Team::new(4, seed, Genre::Everything);
        for _ in 0..60 {
            team.step();
        }
        let reader = empty_doc(1);
        for written in &team.log {
            let before = Clocks::of(&reader);
            scan(&written.update, &Limits::default()).expect("an honest update is well formed");
            let extension = check(&written.update, written.author, &before, &Limits::default())
                .unwrap_or_else(|fault| panic!("seed {seed}: {fault}: {:?}", written.update));
            take(&reader, &written.update);
            let clock = |clocks: &Clocks| clocks.0.get(&written.author).copied().unwrap_or(0);
            let after = Clocks::of(&reader);
            assert_eq!((extension.from, extension.to), (clock(&before), clock(&after)));
        }
    }
}

#[test]
fn every_update_of_a_text_passes_as_text() {
    for seed in 0..40 {
        let mut team = Team::new(3, seed, Genre::Text);
        for _ in 0..60 {
            team.step();
        }
        let reader = empty_doc(1);
        for Written { author, update } in &team.log {
            let known = Clocks::of(&reader);
            check_text(update, *author, "text", &known, &Limits::default())
                .unwrap_or_else(|fault| panic!("seed {seed}: {fault}: {update:?}"));
            take(&reader, update);
        }
    }
}

/// yrs writes a mark for each attribute of a range, so several of them are no object of several members.
#[test]
fn several_formats_of_one_range_pass_as_text() {
    let doc = empty_doc(5);
    let text = doc.get_or_insert_text("text");
    let mut txn = doc.transact_mut();
    text.insert(&mut txn, 0, "harbour");
    let attrs =
        [("bold", Any::from(true)), ("link", Any::from("https://example.org")), ("size", Any::from(1.5))];
    text.format(&mut txn, 0, 3, Attrs::from(attrs.map(|(key, value)| (key.into(), value))));
    text.insert_embed(&mut txn, 3, Any::from(HashMap::from([("image".to_string(), Any::from("x"))])));
    drop(txn);
    let judged = check_text(&state_of(&doc), 5, "text", &Clocks::default(), &Limits::default());
    assert!(judged.is_ok(), "{judged:?}");
}

#[test]
fn a_journal_of_merged_updates_passes_as_one() {
    let mut merged_any = 0;
    for seed in 100..140 {
        let mut team = Team::new(3, seed, Genre::Everything);
        for _ in 0..40 {
            team.step();
        }
        let reader = empty_doc(1);
        let mut rest = team.log.as_slice();
        while let Some(first) = rest.first() {
            let run = rest.iter().take_while(|written| written.author == first.author).count();
            let merged = merge_updates_v1(rest[..run].iter().map(|written| &written.update)).unwrap();
            check(&merged, first.author, &Clocks::of(&reader), &Limits::default())
                .unwrap_or_else(|fault| panic!("seed {seed}: {fault}: {merged:?}"));
            take(&reader, &merged);
            merged_any += usize::from(run > 1);
            rest = &rest[run..];
        }
    }
    assert!(merged_any > 100);
}

#[test]
fn whole_documents_and_diffs_are_well_formed() {
    for seed in 200..230 {
        let mut team = Team::new(4, seed, Genre::Everything);
        for _ in 0..50 {
            team.step();
        }
        let early = team.authors[0].doc.transact().state_vector();
        for who in 0..team.authors.len() {
            team.catch_up(who);
            let doc = &team.authors[who].doc;
            let whole = scan(&state_of(doc), &Limits::default()).expect("a whole document is well formed");
            assert!(whole.clients > 0 && whole.blocks > 0);
            for since in [&early, &StateVector::default()] {
                let diff = doc.transact().encode_diff_v1(since);
                scan(&diff, &Limits::default()).expect("a diff is well formed");
            }
        }
    }
}

#[test]
fn one_authors_whole_document_extends_an_empty_stream() {
    for seed in 300..330 {
        let mut team = Team::new(1, seed, Genre::Everything);
        for _ in 0..50 {
            team.step();
        }
        let author = &team.authors[0];
        let state = state_of(&author.doc);
        let extension = check(&state, author.id, &Clocks::default(), &Limits::default()).unwrap();
        assert_eq!(Clocks::with(author.id, extension.to), Clocks::of(&doc_with(1, &state)));
    }
}

#[test]
fn an_empty_update_changes_nothing_and_passes() {
    let extension = check(Update::EMPTY_V1, 9, &Clocks::with(9, 4), &Limits::default()).unwrap();
    assert_eq!(extension, Extension { from: 4, to: 4, places: 0 });
}
