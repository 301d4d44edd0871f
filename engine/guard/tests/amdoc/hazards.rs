//! One story for each hazard of automerge: that it bites without the guard, and is refused by it.

use std::io::Write;
use std::panic::catch_unwind;
use std::time::Instant;

use automerge::sync::SyncDoc;
use automerge::{Automerge, Change, sync};
use causeway_guard::amdoc::{Ledger, Limits, scan};
use causeway_guard::{Counted, Fault, Referred, Unsupported};
use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::authors::{Fate, doc_of, fate};
use crate::writer::{DELETE, INCREMENT, Key, MAKE_LIST, MAKE_MAP, Op, Spec, framed, hash, put};

const OWN: &[u8] = b"ann";

fn admit(spec: &Spec) -> Result<(), Fault> {
    Ledger::new().admit(&spec.bytes(), OWN, &Limits::default()).map(|_| ())
}

/// A sync message names a filter and how often to look into it. Of zero bits it panics automerge; with a count of four
/// thousand million looks, sixteen bytes compute for minutes. Such messages are no payload.
#[test]
fn m8_m9_a_sync_message_whose_filter_panics_is_no_payload() {
    // Type, no heads, no needs, one `have` without heads, its filter: one entry, no bits, seven looks; no changes.
    let message = [0x42, 0, 0, 1, 0, 3, 1, 0, 7, 0];
    let panicked = catch_unwind(|| {
        let mut doc = doc_of([&Spec::first(OWN, vec![Op::put("a", 1)]).bytes()]);
        let mut state = sync::State::new();
        let read = sync::Message::decode(&message).expect("automerge reads it");
        doc.receive_sync_message(&mut state, read).expect("automerge takes it");
        doc.generate_sync_message(&mut state)
    });
    assert!(panicked.is_err(), "automerge has learned to look into nothing");
    assert_eq!(scan(&message, &Limits::default()), Err(Fault::Malformed { at: 0 }));
}

/// A megabyte of compressed nothing becomes a gigabyte. The guard inflates nothing.
#[test]
fn m10_a_compressed_change_is_refused_unread() {
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
    deflate.write_all(&vec![0; 50_000_000]).expect("memory");
    let bomb = framed(2, &deflate.finish().expect("memory"));
    assert!(bomb.len() < 60_000);
    let refused = Fault::Unsupported { what: Unsupported::NotAPlainChange, at: 8 };
    assert_eq!(scan(&bomb, &Limits::default()), Err(refused));
    let whole = Automerge::new().save();
    assert!(
        matches!(scan(&whole, &Limits::default()), Err(Fault::Unsupported { what, .. }) if what == Unsupported::NotAPlainChange)
    );
}

#[test]
fn m10_a_compressed_column_is_refused() {
    let spec = Spec::first(OWN, vec![Op::put("a", 1)]);
    let mut columns = spec.columns();
    columns[0].0 |= 0b1000;
    let refused = scan(&spec.bytes_with(&columns), &Limits::default());
    assert!(matches!(refused, Err(Fault::Unsupported { what: Unsupported::Column, .. })), "{refused:?}");
}

/// Twenty bytes say that a million operations follow; automerge makes them all.
#[test]
fn m10_a_run_that_stands_for_more_operations_than_allowed_is_refused() {
    let spec = Spec::first(OWN, (0..20_000).map(|_| Op::put("a", 1)).collect());
    let columns: Vec<_> = spec.columns().into_iter().filter(|(column, _)| *column != 0x57).collect();
    let mut columns: Vec<(u32, Vec<u8>)> = columns;
    let kinds = columns.iter_mut().find(|(column, _)| *column == 0x56).expect("values");
    kinds.1 = vec![0xA0, 0x9C, 0x01, 0x00];
    let bytes = spec.bytes_with(&columns);
    assert!(bytes.len() < 80, "{}", bytes.len());
    let change = Change::from_bytes(bytes.clone()).expect("automerge takes it");
    assert_eq!(change.len(), 20_000);
    let limit = Limits::default().operations;
    assert_eq!(scan(&bytes, &Limits::default()), Err(Fault::TooMany { what: Counted::Operations, limit }));
}

#[test]
fn m10_a_count_without_end_is_refused_before_it_is_followed() {
    let spec = Spec::first(OWN, vec![Op::put("a", 1)]);
    let mut columns = spec.columns();
    let replaced = columns.iter_mut().find(|(column, _)| *column == 0x70).expect("always there");
    replaced.1 = vec![0x7F];
    put(&mut replaced.1, u64::MAX);
    let limit = Limits::default().predecessors;
    let started = Instant::now();
    let refused = scan(&spec.bytes_with(&columns), &Limits::default());
    assert_eq!(refused, Err(Fault::TooMany { what: Counted::Predecessors, limit }));
    assert!(
        started.elapsed().as_secs() < 5,
        "it ends at once; five seconds are for a machine with other work"
    );
}

#[test]
fn m11_an_object_that_is_none_is_refused() {
    let in_nothing = Spec::first(OWN, vec![Op::new(Some((0, 9)), Key::Name("a".into()), MAKE_MAP)]);
    let in_a_value =
        Spec::first(OWN, vec![Op::put("a", 1), Op::new(Some((0, 1)), Key::Name("b".into()), MAKE_MAP)]);
    for (spec, operation) in [(in_nothing, 0), (in_a_value, 1)] {
        let refused = Fault::UnknownOperation { operation, what: Referred::Object };
        assert_eq!(admit(&spec), Err(refused));
    }
}

#[test]
fn m11_an_actor_beyond_those_named_panics_automerge_and_is_refused() {
    let spec = Spec::first(OWN, vec![Op::put("a", 1).replacing(&[(5, 1)])]);
    assert!(matches!(admit(&spec), Err(Fault::Malformed { .. })), "{:?}", admit(&spec));
    assert_ne!(fate(&Automerge::new(), &spec.bytes()), Fate::Applied);
}

#[test]
fn m11_an_element_of_another_list_is_refused() {
    let list = |key: &str| Op::new(None, Key::Name(key.into()), MAKE_LIST);
    let element = Op::new(Some((0, 1)), Key::Head, 1).with(3, &[1]).inserting();
    let astray = Op::new(Some((0, 2)), Key::Element((0, 3)), 1).with(3, &[1]).inserting();
    let spec = Spec::first(OWN, vec![list("one"), list("two"), element, astray]);
    assert_eq!(admit(&spec), Err(Fault::UnknownOperation { operation: 3, what: Referred::Element }));
}

#[test]
fn m11_replacing_what_stands_elsewhere_is_refused() {
    let refused = |operation| Err(Fault::UnknownOperation { operation, what: Referred::Value });
    let elsewhere = Spec::first(OWN, vec![Op::put("a", 1), Op::put("b", 1).replacing(&[(0, 1)])]);
    assert_eq!(admit(&elsewhere), refused(1));
    let nothing = Spec::first(OWN, vec![Op::new(None, Key::Name("a".into()), DELETE)]);
    assert_eq!(admit(&nothing), refused(0));
    let no_counter = Op::new(None, Key::Name("a".into()), INCREMENT).with(4, &[1]).replacing(&[(0, 1)]);
    assert_eq!(admit(&Spec::first(OWN, vec![Op::put("a", 1), no_counter])), refused(1));
}

/// Counters that jump to the end would leave no room for anybody.
#[test]
fn m11_counters_that_jump_ahead_or_come_twice_are_refused() {
    let mut ledger = Ledger::new();
    let first = Spec::first(OWN, vec![Op::put("a", 1), Op::put("b", 1)]);
    ledger.admit(&first.bytes(), OWN, &Limits::default()).expect("honest");
    for start in [1, 2, 4, i32::MAX as u64] {
        let builds_on = vec![hash(&first.bytes())];
        let next = Spec { builds_on, seq: 2, start, ..Spec::first(OWN, vec![Op::put("c", 1)]) };
        let refused = Err(Fault::Counter { found: start, least: 3, most: 3 });
        assert_eq!(ledger.admit(&next.bytes(), OWN, &Limits::default()), refused);
    }
}

#[test]
fn m11_a_change_that_skips_a_number_or_builds_on_nothing_is_refused() {
    let skips = Spec { seq: 2, ..Spec::first(OWN, vec![Op::put("a", 1)]) };
    assert_eq!(admit(&skips), Err(Fault::Discontinuous { expected: 1, found: 2 }));
    let unknown = Spec { builds_on: vec![[7; 32]], ..Spec::first(OWN, vec![Op::put("a", 1)]) };
    assert_eq!(admit(&unknown), Err(Fault::UnknownDependency));
    let foreign = Spec::first(b"eve", vec![Op::put("a", 1)]);
    assert_eq!(admit(&foreign), Err(Fault::ForeignActor));
}

/// automerge takes a spelling of its own invention, saves its own, and does not recognise the change when it opens.
#[test]
fn m11_another_spelling_of_a_change_loses_the_document_and_is_refused() {
    let spec = Spec::first(OWN, vec![Op::put("a", 1), Op::put("b", 2)]);
    let mut columns = spec.columns();
    let actions = columns.iter_mut().find(|(column, _)| *column == 0x42).expect("always there");
    assert_eq!(actions.1, [2, 1], "two of action one");
    actions.1 = vec![0x7E, 1, 1];
    let bytes = spec.bytes_with(&columns);
    assert!(matches!(scan(&bytes, &Limits::default()), Err(Fault::NotCanonical { .. })));
    assert_eq!(fate(&Automerge::new(), &bytes), Fate::Harmed);
}

/// Found by well-formed lies: replaced operations of one counter come in the order of their actors.
#[test]
fn m11_replaced_operations_out_of_order_lose_the_document_and_are_refused() {
    let first = |actor: &[u8]| Spec::first(actor, vec![Op::put("a", 1)]).bytes();
    let (mut builds_on, mut ledger) = (vec![hash(&first(b"ann")), hash(&first(b"eve"))], Ledger::new());
    builds_on.sort_unstable();
    ledger.admit(&first(b"ann"), b"ann", &Limits::default()).expect("honest");
    ledger.admit(&first(b"eve"), b"eve", &Limits::default()).expect("honest");
    let next = |replaces: &[(u64, u64)]| Spec {
        builds_on: builds_on.clone(),
        seq: 2,
        start: 2,
        others: vec![b"ann".to_vec()],
        ..Spec::first(b"eve", vec![Op::put("a", 2).replacing(replaces)])
    };
    let (ordered, swapped) = (next(&[(1, 1), (0, 1)]).bytes(), next(&[(0, 1), (1, 1)]).bytes());
    assert_eq!(ledger.clone().admit(&swapped, b"eve", &Limits::default()), Err(Fault::Unordered { at: 0 }));
    assert!(ledger.admit(&ordered, b"eve", &Limits::default()).is_ok());
    let doc = doc_of([&first(b"ann"), &first(b"eve")]);
    assert_eq!((fate(&doc, &ordered), fate(&doc, &swapped)), (Fate::Applied, Fate::Harmed));
}

#[test]
fn m11_objects_nested_too_deep_are_refused() {
    let inside = |n: u64| Op::new((n > 0).then_some((0, n)), Key::Name("a".into()), MAKE_MAP);
    let chain = |levels: u64| Spec::first(OWN, (0..levels).map(inside).collect());
    assert_eq!(admit(&chain(64)), Ok(()));
    assert!(matches!(admit(&chain(65)), Err(Fault::TooDeep { .. })));
}
