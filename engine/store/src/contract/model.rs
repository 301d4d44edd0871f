//! The property that a store reads like a sorted map, whatever happened to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use causeway_core::storage::{Commit, CommitError, Durability, Expect, Page, Scan};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};

use super::space;
use crate::limits::INLINE_VALUE_BYTES;
use crate::{Space, Store};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Histories that are tried; each takes some milliseconds on a disk.
const CASES: u32 = 64;

#[derive(Debug, Clone)]
enum Step {
    Apply(Space, Commit),
    Group(Vec<(Space, Commit)>),
    Scan(Space, Scan),
    Sync,
}

pub(super) fn any_history_reads_like_a_sorted_map(make: &impl Fn() -> Arc<dyn Store>) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&vec(step(), 1..30), |history| {
        let store = make();
        let mut model = BTreeMap::new();
        for step in history {
            take(&*store, &mut model, step);
        }
        let expected: Vec<Space> =
            model.iter().filter(|(_, rows)| !rows.is_empty()).map(|(s, _)| s.clone()).collect();
        assert_eq!(store.spaces(None, 10), Ok(expected));
        for (space, rows) in model {
            assert_eq!(super::rows(&*store, &space), Vec::from_iter(rows));
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

fn take(store: &dyn Store, model: &mut BTreeMap<Space, Rows>, step: Step) {
    match step {
        Step::Apply(space, commit) => {
            let expected = commit_to(model.entry(space.clone()).or_default(), &commit);
            assert_eq!(store.apply(&space, &commit), expected);
        }
        Step::Group(group) => {
            let expected: Vec<_> = group
                .iter()
                .map(|(s, commit)| commit_to(model.entry(s.clone()).or_default(), commit))
                .collect();
            assert_eq!(store.apply_group(&group), expected);
        }
        Step::Scan(space, scan) => {
            let expected = page_of(model.entry(space.clone()).or_default(), &scan);
            assert_eq!(store.scan(&space, &scan), Ok(expected));
        }
        Step::Sync => assert_eq!(store.sync(), Ok(())),
    }
}

fn commit_to(rows: &mut Rows, commit: &Commit) -> Result<(), CommitError> {
    for Expect { key, value } in &commit.expect {
        if rows.get(key) != value.as_ref() {
            return Err(CommitError::Conflict { key: key.clone() });
        }
    }
    rows.retain(|key, _| {
        !commit.delete.contains(key) && !commit.delete_prefix.iter().any(|p| key.starts_with(p))
    });
    rows.extend(commit.put.iter().cloned());
    Ok(())
}

fn page_of(rows: &Rows, scan: &Scan) -> Page {
    let mut page = Page::default();
    let mut bytes = 0;
    for (key, value) in rows.iter().filter(|(key, _)| scan.start <= **key && **key < scan.end) {
        bytes += key.len() + value.len();
        if page.rows.is_empty() || (bytes <= scan.max_bytes && page.rows.len() < scan.max_rows) {
            page.rows.push((key.clone(), value.clone()));
        } else {
            page.more = Some(key.clone());
            break;
        }
    }
    page
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (name(), commit()).prop_map(|(name, commit)| Step::Apply(name, commit)),
        2 => vec((name(), commit()), 0..6).prop_map(Step::Group),
        2 => (name(), scan()).prop_map(|(name, scan)| Step::Scan(name, scan)),
        1 => Just(Step::Sync),
    ]
}

/// Few names and few keys, so that steps meet each other.
fn name() -> impl Strategy<Value = Space> {
    prop_oneof![Just("a"), Just("ab"), Just("")].prop_map(space)
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0), Just(b'b'), Just(0xff)], 0..4)
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![6 => 0..3usize, 1 => (INLINE_VALUE_BYTES - 1)..(3 * INLINE_VALUE_BYTES)];
    (length, 0..2u8).prop_map(|(length, byte)| vec![byte; length])
}

fn commit() -> impl Strategy<Value = Commit> {
    let expect = (key(), prop_oneof![3 => Just(None), 1 => value().prop_map(Some)]);
    let expect = vec(expect.prop_map(|(key, value)| Expect { key, value }), 0..2);
    let durability =
        any::<bool>().prop_map(|strict| if strict { Durability::Strict } else { Durability::Relaxed });
    (expect, vec((key(), value()), 0..5), vec(key(), 0..3), vec(key(), 0..2), durability).prop_map(
        |(expect, put, delete, delete_prefix, durability)| Commit {
            expect,
            put,
            delete,
            delete_prefix,
            durability,
        },
    )
}

fn scan() -> impl Strategy<Value = Scan> {
    (key(), key(), 0..200usize, 0..6usize).prop_map(|(start, end, max_bytes, max_rows)| Scan {
        start,
        end,
        max_bytes,
        max_rows,
    })
}
