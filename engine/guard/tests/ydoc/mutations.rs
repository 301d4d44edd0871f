//! Whatever passes the guard, yrs can apply, save and read again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use causeway_guard::ydoc::{Extension, check, check_text, scan};
use causeway_guard::{Fault, Limits};
use proptest::prelude::*;
use yrs::error::UpdateError;
use yrs::updates::decoder::Decode;
use yrs::{GetString, ReadTxn, Text, Transact, Update, WriteTxn, merge_updates_v1};

use crate::authors::{Clocks, Dice, Genre, Team, doc_with, empty_doc, state_of, take};
use crate::craft;

/// An honest update and the document it was written for.
struct Case {
    author: u64,
    update: Vec<u8>,
    state: Vec<u8>,
    clocks: Clocks,
}

/// Some honest updates, each with the state before it. The documents are small: faults are as likely there, and each
/// round is cheap.
fn cases(seed: u64, genre: Genre) -> Vec<Case> {
    let mut team = Team::new(3, seed, genre);
    for _ in 0..14 {
        team.step();
    }
    let reader = empty_doc(1);
    let mut cases = Vec::new();
    for written in &team.log {
        cases.push(Case {
            author: written.author,
            update: written.update.clone(),
            state: state_of(&reader),
            clocks: Clocks::of(&reader),
        });
        take(&reader, &written.update);
    }
    cases
}

fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len() as u32) as usize;
        match dice.below(8) {
            0 => bytes[at] = dice.next() as u8,
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => bytes[at] = bytes[at].wrapping_add(1),
            3 => bytes[at] = bytes[at].wrapping_sub(1),
            4 => bytes.insert(at, *dice.pick(&[0, 1, 2, 4, 8, 0x44, 0x84, 0xC4, 0x28, 0x7F])),
            5 if bytes.len() > 2 => {
                bytes.remove(at);
            }
            6 => {
                bytes[at] =
                    *dice.pick(&[0, 1, 3, 4, 5, 6, 7, 8, 0x84, 0x44, 0xC4, 0x27, 0x24, 0x87, 0x47, 0xA8]);
            }
            _ => {
                let from = dice.below(bytes.len() as u32) as usize;
                bytes[at] = bytes[from];
            }
        }
    }
}

/// How a passed update fared in yrs.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Applied,
    /// The one error that the guard leaves to the one who applies: see `ydoc::check`.
    ParentIsNoType,
}

/// Applies, saves, opens, merges.
fn digest(case: &Case, update: &[u8], extension: Extension) -> Fate {
    let doc = doc_with(2, &case.state);
    let applied = doc.transact_mut().apply_update(Update::decode_v1(update).expect("yrs reads what passed"));
    match applied {
        Ok(()) => {}
        Err(UpdateError::InvalidParent(..)) => return Fate::ParentIsNoType,
    }
    let mut expected = case.clocks.clone();
    if extension.to > 0 {
        expected.0.insert(case.author, extension.to);
    }
    assert_eq!(Clocks::of(&doc), expected, "exactly the author's clocks grow");
    assert!(!doc.transact().has_missing_updates(), "nothing is parked");

    let saved = state_of(&doc);
    let again = doc_with(3, &saved);
    assert_eq!(Clocks::of(&again), expected, "a saved document opens as it was");
    let merged = merge_updates_v1([&case.state, &update.to_vec()]).expect("yrs merges what passed");
    assert_eq!(Clocks::of(&doc_with(4, &merged)), expected, "a merged log opens as well");

    Fate::Applied
}

/// Goes on working with a text that took the update: all of it goes, and everything is written once more.
fn go_on_writing(case: &Case, update: &[u8]) {
    let doc = doc_with(2, &case.state);
    take(&doc, update);
    for doc in [&doc, &doc_with(3, &state_of(&doc))] {
        let mut txn = doc.transact_mut();
        let text = txn.get_or_insert_text("text");
        let middle = text.len(&txn) / 2;
        text.insert(&mut txn, middle, "x");
        let len = text.len(&txn);
        text.remove_range(&mut txn, 0, len);
        assert_eq!(text.get_string(&txn), "");
        drop(txn);
        doc_with(4, &state_of(doc));
    }
}

/// Puts well-formed lies on top of honest texts and hands them to `judge`.
fn lies(enough: u32, mut judge: impl FnMut(&Case, &[u8], &mut Dice)) {
    let mut dice = Dice(0x11E5);
    let mut told = 0;
    while told < enough {
        for case in cases(dice.next(), Genre::Text) {
            for _ in 0..10 {
                told += 1;
                let bytes = craft::update(case.author, &case.clocks, &mut dice);
                if catch_unwind(AssertUnwindSafe(|| judge(&case, &bytes, &mut dice))).is_err() {
                    panic!("own {}\nupdate {bytes:?}\nstate {:?}", case.author, case.state);
                }
            }
        }
    }
}

#[test]
fn well_formed_lies_in_a_text_leave_a_text_to_work_with() {
    lies(8_000, |case, bytes, dice| {
        let mut bytes = bytes.to_vec();
        let mut case =
            Case { state: case.state.clone(), clocks: case.clocks.clone(), update: Vec::new(), ..*case };
        for round in 0..4 {
            let extension = check_text(&bytes, case.author, "text", &case.clocks, &Limits::default())
                .expect("the lie is well formed");
            assert_eq!(digest(&case, &bytes, extension), Fate::Applied);
            go_on_writing(&case, &bytes);

            let doc = doc_with(2, &case.state);
            take(&doc, &bytes);
            (case.state, case.clocks, case.author) = (state_of(&doc), Clocks::of(&doc), 100 + round);
            bytes = craft::update(case.author, &case.clocks, dice);
        }
    });
}

/// Tries mutations until `enough`, hands what `passes` lets through to `judge`, and counts it.
fn mutations(
    genre: Genre,
    enough: u32,
    passes: impl Fn(&Case, &[u8]) -> Result<Extension, Fault>,
    mut judge: impl FnMut(&Case, &[u8], Extension),
) -> u32 {
    let mut dice = Dice(0xCA05_E3A7);
    let (mut tried, mut passed) = (0, 0);
    while tried < enough {
        for case in cases(dice.next(), genre) {
            for _ in 0..50 {
                tried += 1;
                let mut bytes = case.update.clone();
                mutate(&mut bytes, &mut dice);
                let Ok(extension) = passes(&case, &bytes) else { continue };
                passed += 1;
                if catch_unwind(AssertUnwindSafe(|| judge(&case, &bytes, extension))).is_err() {
                    panic!("own {}\nupdate {bytes:?}\nstate {:?}", case.author, case.state);
                }
            }
        }
    }
    println!("{genre:?}: {passed} of {tried} mutations passed");
    passed
}

/// Chance does not find the lies that `ydoc::check` leaves over; `hazards` tells one of them.
#[test]
fn whatever_passes_yrs_can_apply_and_save_and_open() {
    let mut no_type = 0;
    let passed = mutations(
        Genre::Everything,
        220_000,
        |case, bytes| check(bytes, case.author, &case.clocks, &Limits::default()),
        |case, bytes, extension| no_type += u32::from(digest(case, bytes, extension) == Fate::ParentIsNoType),
    );
    println!("{no_type} named a parent that is no shared type");
    assert!(passed > 10_000, "the mutations still reach yrs");
    assert!(no_type * 50 < passed);
}

#[test]
fn whatever_passes_as_text_leaves_a_text_to_work_with() {
    let passed = mutations(
        Genre::Text,
        220_000,
        |case, bytes| check_text(bytes, case.author, "text", &case.clocks, &Limits::default()),
        |case, bytes, extension| {
            assert_eq!(digest(case, bytes, extension), Fate::Applied);
            go_on_writing(case, bytes);
        },
    );
    assert!(passed > 10_000, "the mutations still reach yrs");
}

#[test]
fn an_update_cut_short_anywhere_is_refused() {
    for case in (0..20).flat_map(|seed| cases(seed, Genre::Everything)) {
        for end in 0..case.update.len() {
            let cut = &case.update[..end];
            assert!(scan(cut, &Limits::default()).is_err(), "cut at {end}: {:?}", case.update);
            assert!(check(cut, case.author, &case.clocks, &Limits::default()).is_err());
        }
    }
}

#[test]
fn a_byte_too_much_is_refused() {
    for case in cases(7, Genre::Everything) {
        for extra in [0, 1, 255] {
            let mut longer = case.update.clone();
            longer.push(extra);
            let at = case.update.len();
            assert_eq!(scan(&longer, &Limits::default()), Err(Fault::Trailing { at }));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = scan(&bytes, &Limits::default());
        let _ = check(&bytes, 5, &Clocks::with(5, 3), &Limits::default());
    }
}
