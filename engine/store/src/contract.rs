//! The suite that every store passes.
//!
//! A back end calls [`contract`] from a test with a factory of empty stores. A check that fails panics and says what was
//! expected.

mod model;

use std::sync::Arc;

use causeway_core::storage::{Commit, CommitError, Expect, FailureKind, Page, Scan};

use crate::limits::{INLINE_VALUE_BYTES, MAX_KEY_BYTES, MAX_VALUE_BYTES};
use crate::{Space, Store};

/// Runs the whole suite; `make` returns a fresh, empty store at every call.
///
/// # Panics
/// When the store does not keep the contract.
pub fn contract(make: impl Fn() -> Arc<dyn Store>) {
    let checks: [fn(&dyn Store); 15] = [
        a_commit_is_read_back_in_order,
        a_commit_works_in_its_fixed_order,
        a_conflict_changes_nothing_and_names_the_key,
        an_expectation_of_absence_holds_only_for_an_absent_key,
        a_group_answers_each_commit_and_each_sees_the_one_before,
        a_range_includes_its_start_and_excludes_its_end,
        pages_join_to_the_whole_range,
        a_page_holds_one_row_even_beyond_its_bounds,
        a_prefix_goes_whole_and_alone,
        an_empty_prefix_clears_only_its_space,
        spaces_do_not_leak_into_each_other,
        spaces_are_listed_in_pages_as_long_as_they_hold_a_row,
        empty_values_and_keys_are_values_and_keys,
        long_values_come_back_and_go_away,
        what_is_too_large_is_refused_and_changes_nothing,
    ];
    for check in checks {
        check(&*make());
    }
    model::any_history_reads_like_a_sorted_map(&make);
}

/// A space of this name.
///
/// # Panics
/// When the name is too long for one.
#[must_use]
pub fn space(name: &str) -> Space {
    Space::new(name).expect("a test names its spaces shortly")
}

/// A commit that writes these rows.
#[must_use]
pub fn put(rows: &[(&[u8], &[u8])]) -> Commit {
    Commit {
        put: rows.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect(),
        ..Commit::default()
    }
}

/// Reads a whole space, page by page.
///
/// # Panics
/// When a scan fails.
#[must_use]
pub fn rows(store: &dyn Store, space: &Space) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut scan = everything();
    let mut rows = Vec::new();
    loop {
        let page = store.scan(space, &scan).expect("a sound store is readable");
        rows.extend(page.rows);
        match page.more {
            Some(start) => scan.start = start,
            None => return rows,
        }
    }
}

fn everything() -> Scan {
    Scan { start: Vec::new(), end: vec![0xff; MAX_KEY_BYTES], max_bytes: 1 << 20, max_rows: 1000 }
}

fn keys(store: &dyn Store, space: &Space) -> Vec<Vec<u8>> {
    rows(store, space).into_iter().map(|(key, _)| key).collect()
}

fn apply(store: &dyn Store, name: &str, commit: &Commit) {
    store.apply(&space(name), commit).expect("a sound store takes a commit whose expectations hold");
    store.settle().expect("a sound store settles");
    store.sync().expect("a sound store syncs");
}

fn scan(store: &dyn Store, name: &str, scan: &Scan) -> Page {
    store.scan(&space(name), scan).expect("a sound store is readable")
}

fn a_commit_is_read_back_in_order(store: &dyn Store) {
    apply(store, "room", &put(&[(b"b", b"2"), (b"a", b"1"), (b"\xff", b"4"), (b"b\0", b"3")]));
    let expected: [(&[u8], &[u8]); 4] = [(b"a", b"1"), (b"b", b"2"), (b"b\0", b"3"), (b"\xff", b"4")];
    assert_eq!(rows(store, &space("room")), expected.map(|(key, value)| (key.to_vec(), value.to_vec())));
}

fn a_commit_works_in_its_fixed_order(store: &dyn Store) {
    apply(store, "room", &put(&[(b"p1", b"old"), (b"p2", b"old"), (b"q", b"old")]));
    let commit = Commit {
        expect: vec![Expect { key: b"q".to_vec(), value: Some(b"old".to_vec()) }],
        put: vec![
            (b"p2".to_vec(), b"first".to_vec()),
            (b"q".to_vec(), b"new".to_vec()),
            (b"p2".to_vec(), b"last".to_vec()),
        ],
        delete: vec![b"q".to_vec(), b"absent".to_vec()],
        delete_prefix: vec![b"p".to_vec()],
        ..Commit::default()
    };
    apply(store, "room", &commit);
    let expected = [(b"p2".to_vec(), b"last".to_vec()), (b"q".to_vec(), b"new".to_vec())];
    assert_eq!(
        rows(store, &space("room")),
        expected,
        "deletes come before puts, and the last put of a key stays"
    );
}

fn a_conflict_changes_nothing_and_names_the_key(store: &dyn Store) {
    apply(store, "room", &put(&[(b"a", b"1")]));
    let commit = Commit {
        expect: vec![
            Expect { key: b"a".to_vec(), value: Some(b"1".to_vec()) },
            Expect { key: b"b".to_vec(), value: Some(b"1".to_vec()) },
        ],
        delete: vec![b"a".to_vec()],
        delete_prefix: vec![Vec::new()],
        ..put(&[(b"c", b"3")])
    };
    let answer = store.apply(&space("room"), &commit);
    assert_eq!(answer, Err(CommitError::Conflict { key: b"b".to_vec() }));
    assert_eq!(rows(store, &space("room")), [(b"a".to_vec(), b"1".to_vec())], "a conflict changes nothing");
}

fn an_expectation_of_absence_holds_only_for_an_absent_key(store: &dyn Store) {
    let create = Commit { expect: vec![Expect { key: b"a".to_vec(), value: None }], ..put(&[(b"a", b"")]) };
    apply(store, "room", &create);
    let again = store.apply(&space("room"), &create);
    assert_eq!(again, Err(CommitError::Conflict { key: b"a".to_vec() }), "an empty value is not absence");
    apply(store, "another room", &create);
}

fn a_group_answers_each_commit_and_each_sees_the_one_before(store: &dyn Store) {
    let long = vec![7; 3 * INLINE_VALUE_BYTES];
    let expecting = |value: &[u8], commit: Commit| Commit {
        expect: vec![Expect { key: b"n".to_vec(), value: Some(value.to_vec()) }],
        ..commit
    };
    let room = space("room");
    let group = [
        (room.clone(), put(&[(b"n", &long), (b"m", b"0")])),
        (room.clone(), expecting(b"wrong", put(&[(b"never", b"")]))),
        (space("other"), expecting(&long, Commit::default())),
        (room.clone(), expecting(&long, put(&[(b"n", b"2")]))),
        (room.clone(), Commit { delete_prefix: vec![b"m".to_vec()], ..Commit::default() }),
        (room.clone(), expecting(b"2", put(&[(b"n", b"3")]))),
    ];
    let conflict = Err(CommitError::Conflict { key: b"n".to_vec() });
    let answers = store.apply_group(&group);
    assert_eq!(answers, [Ok(()), conflict.clone(), conflict, Ok(()), Ok(()), Ok(())]);
    assert_eq!(rows(store, &room), [(b"n".to_vec(), b"3".to_vec())]);
    assert!(store.apply_group(&[]).is_empty());
}

fn a_range_includes_its_start_and_excludes_its_end(store: &dyn Store) {
    apply(store, "room", &put(&[(b"a", b""), (b"b", b""), (b"b\0", b""), (b"c", b"")]));
    let between = |start: &[u8], end: &[u8]| {
        let range = Scan { start: start.to_vec(), end: end.to_vec(), ..everything() };
        let page = scan(store, "room", &range);
        assert_eq!(page.more, None);
        page.rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(between(b"b", b"c"), [b"b".to_vec(), b"b\0".to_vec()]);
    assert_eq!(between(b"aa", b"b\0"), [b"b".to_vec()]);
    assert!(between(b"b", b"b").is_empty(), "an empty range is empty");
    assert!(between(b"c", b"a").is_empty(), "a range backwards is empty");
}

fn pages_join_to_the_whole_range(store: &dyn Store) {
    let all: Vec<_> = (0..100u32).map(|n| (n.to_be_bytes().to_vec(), vec![0; n as usize])).collect();
    apply(store, "room", &Commit { put: all.clone(), ..Commit::default() });
    for (max_rows, max_bytes) in [(1, 1 << 20), (7, 1 << 20), (1000, 150), (3, 40), (100, 1 << 20)] {
        let mut part = Scan { max_rows, max_bytes, ..everything() };
        let mut joined = Vec::new();
        loop {
            let page = scan(store, "room", &part);
            assert!(page.rows.len() <= max_rows, "a page keeps its bound on rows");
            let bytes: usize = page.rows.iter().map(|(key, value)| key.len() + value.len()).sum();
            assert!(bytes <= max_bytes || page.rows.len() == 1, "a page keeps its bound on bytes");
            joined.extend(page.rows);
            let Some(start) = page.more else { break };
            part.start = start;
        }
        assert_eq!(joined, all, "pages of {max_rows} rows and {max_bytes} bytes");
    }
}

fn a_page_holds_one_row_even_beyond_its_bounds(store: &dyn Store) {
    apply(store, "room", &put(&[(b"a", &[1; 100]), (b"b", &[2; 100])]));
    for (max_rows, max_bytes) in [(10, 0), (10, 50), (0, 1 << 20)] {
        let page = scan(store, "room", &Scan { max_rows, max_bytes, ..everything() });
        assert_eq!((page.rows.len(), page.more), (1, Some(b"b".to_vec())));
    }
}

fn a_prefix_goes_whole_and_alone(store: &dyn Store) {
    let all: [&[u8]; 8] =
        [b"\xfe", b"\xfe\xff", b"\xfe\xff\0", b"\xfe\xff\xff\xff", b"\xff", b"\xff\xff", b"e", b"f"];
    let left_after = |prefix: &[u8]| {
        apply(store, "room", &put(&all.map(|key| (key, &b"v"[..]))));
        apply(store, "room", &Commit { delete_prefix: vec![prefix.to_vec()], ..Commit::default() });
        keys(store, &space("room"))
    };
    assert_eq!(left_after(b"\xfe\xff"), [&b"e"[..], b"f", b"\xfe", b"\xff", b"\xff\xff"]);
    assert_eq!(
        left_after(b"\xff"),
        [&b"e"[..], b"f", b"\xfe", b"\xfe\xff", b"\xfe\xff\0", b"\xfe\xff\xff\xff"]
    );
    assert_eq!(left_after(b"e").len(), 7);
    assert_eq!(left_after(b"nothing").len(), 8);
}

fn an_empty_prefix_clears_only_its_space(store: &dyn Store) {
    for name in ["room", "roon", "roo", "rooms"] {
        apply(store, name, &put(&[(b"", b"v"), (b"\xff\xff", b"v")]));
    }
    apply(store, "room", &Commit { delete_prefix: vec![Vec::new()], ..Commit::default() });
    assert!(rows(store, &space("room")).is_empty());
    for name in ["roon", "roo", "rooms"] {
        assert_eq!(rows(store, &space(name)).len(), 2, "{name} is another space");
    }
}

fn spaces_do_not_leak_into_each_other(store: &dyn Store) {
    // Each pair would be one key if names were only put in front of keys.
    apply(store, "a", &put(&[(b"bc", b"1")]));
    apply(store, "ab", &put(&[(b"c", b"2")]));
    apply(store, "", &put(&[(b"abc", b"3")]));
    for (name, key, value) in [("a", "bc", "1"), ("ab", "c", "2"), ("", "abc", "3")] {
        assert_eq!(rows(store, &space(name)), [(key.into(), value.into())], "space {name:?}");
    }
    assert!(rows(store, &space("abc")).is_empty());
}

fn spaces_are_listed_in_pages_as_long_as_they_hold_a_row(store: &dyn Store) {
    assert!(store.spaces(None, 10).expect("readable").is_empty());
    for name in ["bb", "c", "a", "\u{ff}", "gone"] {
        apply(store, name, &put(&[(b"k", b"v"), (b"\xff", &[1; 2 * INLINE_VALUE_BYTES])]));
    }
    apply(store, "gone", &Commit { delete_prefix: vec![Vec::new()], ..Commit::default() });
    let expected = ["a", "c", "bb", "\u{ff}"].map(space);
    for size in 1..6 {
        let mut found = Vec::new();
        loop {
            let page = store.spaces(found.last(), size).expect("readable");
            let last = page.len() < size;
            found.extend(page);
            if last {
                break;
            }
        }
        assert_eq!(found, expected, "in pages of {size}");
    }
}

fn empty_values_and_keys_are_values_and_keys(store: &dyn Store) {
    apply(store, "room", &put(&[(b"", b""), (b"\0", b"")]));
    assert_eq!(rows(store, &space("room")), [(vec![], vec![]), (vec![0], vec![])]);
    apply(store, "room", &Commit { delete: vec![Vec::new()], ..Commit::default() });
    assert_eq!(keys(store, &space("room")), [vec![0]]);
    apply(store, "room", &Commit::default());
}

fn long_values_come_back_and_go_away(store: &dyn Store) {
    let long = |length: usize, seed: u8| -> Vec<u8> { (0..length).map(|n| (n / 7) as u8 ^ seed).collect() };
    let lengths = [INLINE_VALUE_BYTES, INLINE_VALUE_BYTES + 1, 2 * INLINE_VALUE_BYTES, 100_000, 1 << 20];
    for (round, length) in lengths.into_iter().enumerate() {
        let seed = round as u8;
        let (first, second) = (long(length, seed), long(length / 2 + 1, seed + 100));
        apply(store, "room", &put(&[(b"x", &first), (b"y", &first)]));
        apply(store, "room", &put(&[(b"x", &second)]));
        assert_eq!(
            rows(store, &space("room")),
            [(b"x".to_vec(), second), (b"y".to_vec(), first)],
            "{length} bytes"
        );
        apply(store, "room", &Commit { delete: vec![b"x".to_vec()], ..Commit::default() });
        assert_eq!(keys(store, &space("room")), [b"y".to_vec()]);
    }
    apply(store, "room", &Commit { delete_prefix: vec![Vec::new()], ..Commit::default() });
    assert!(rows(store, &space("room")).is_empty());
}

fn what_is_too_large_is_refused_and_changes_nothing(store: &dyn Store) {
    let refused = |commit: &Commit| match store.apply(&space("room"), commit) {
        Err(CommitError::Failed(failure)) => assert_eq!(failure.kind, FailureKind::TooLarge),
        other => panic!("refused as too large, not {other:?}"),
    };
    let key = vec![1; MAX_KEY_BYTES + 1];
    refused(&put(&[(b"fits", b"v"), (&key, b"v")]));
    refused(&Commit { delete: vec![key.clone()], ..put(&[(b"fits", b"v")]) });
    refused(&Commit { expect: vec![Expect { key, value: None }], ..put(&[(b"fits", b"v")]) });
    refused(&put(&[(b"fits", b"v"), (b"k", &vec![0; MAX_VALUE_BYTES + 1])]));
    assert!(rows(store, &space("room")).is_empty());
    apply(store, "room", &put(&[(&[0xfe; MAX_KEY_BYTES], b"v")]));
    assert_eq!(keys(store, &space("room")), [vec![0xfe; MAX_KEY_BYTES]]);
}
