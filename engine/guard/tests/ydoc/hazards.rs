//! The known hazards of yrs 0.28.1 (M1 to M7, M12), each with the bytes that cause it, and those found while the guard was
//! built.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use causeway_guard::ydoc::{CLIENT_BASE, Extension, check, check_text, scan};
use causeway_guard::{Counted, Fault, Limits, Unsupported};
use yrs::Update;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;

use crate::authors::{Clocks, Dice, doc_with, state_of, take};
use crate::writer::{ANY, Bytes, ORIGIN, RIGHT_ORIGIN, STRING, no_blocks, section};

const OWN: u64 = 5;
const OTHER: u64 = 9;

fn nobody() -> Clocks {
    Clocks::default()
}

/// A stream in which the other author has written ten clocks.
fn other_wrote_ten() -> Clocks {
    Clocks::with(OTHER, 10)
}

#[test]
fn m1_a_string_that_is_not_utf8_is_refused() {
    let update = section(1, OWN, 0).at_root(STRING).raw(&[2, 0xC3, 0x28, 0]);
    assert_eq!(update.check(OWN, &nobody()), Err(Fault::Utf8 { at: 9 }));
}

#[test]
fn m2_counts_that_promise_gigabytes_are_refused() {
    let huge = 0xFFFF_FFFF;
    let clients = Bytes::default().num(huge);
    let blocks = Bytes::default().num(1).num(huge).num(OWN).num(0).raw(&[0; 8]);
    let values = section(1, OWN, 0).at_root(ANY).num(huge).raw(&[126; 8]);
    let array = section(1, OWN, 0).at_root(ANY).raw(&[1, 117]).num(huge).raw(&[126; 8]);
    let object = section(1, OWN, 0).at_root(ANY).raw(&[1, 118]).num(huge).raw(&[0; 8]);
    let deletes = no_blocks().num(huge);
    let ranges = no_blocks().num(1).num(OWN).num(huge).raw(&[1; 8]);
    for update in [clients, blocks, values, array, object, deletes, ranges] {
        assert!(
            matches!(scan(&update.0, &Limits::default()), Err(Fault::Truncated { .. })),
            "{:?}",
            update.0
        );
    }
}

#[test]
fn m3_twenty_kilobytes_of_nested_arrays_are_refused() {
    let update = section(1, OWN, 0).at_root(ANY).num(1).raw(&[117, 1].repeat(10_000)).raw(&[126, 0]);
    assert!(matches!(update.check(OWN, &nobody()), Err(Fault::TooDeep { .. })));
}

#[test]
fn m3_sixty_four_levels_pass_and_one_more_does_not() {
    for (levels, passes) in [(64, true), (65, false)] {
        let value = section(1, OWN, 0).at_root(ANY).num(1).raw(&[117, 1].repeat(levels)).raw(&[126, 0]);
        assert_eq!(value.check(OWN, &nobody()).is_ok(), passes);
        let json = "[".repeat(levels) + &"]".repeat(levels);
        let embed = section(1, OWN, 0).at_root(5).text(&json).num(0);
        assert_eq!(embed.check(OWN, &nobody()).is_ok(), passes);
    }
}

#[test]
fn m3_a_chain_of_nested_types_that_would_overflow_the_stack_when_deleted_is_refused() {
    let chain = |levels: u64| {
        let start = section(levels, OWN, 0).at_root(7).num(0);
        (1..levels).fold(start, |bytes, n| bytes.raw(&[7, 0]).num(OWN).num(n - 1).num(0)).num(0)
    };
    let judged = |levels| check(&chain(levels).0, OWN, &nobody(), &Limits::kept()).map(|_| ());
    assert_eq!(judged(1_000), Ok(()));
    assert_eq!(judged(10_000), Err(Fault::TooMany { what: Counted::Nested, limit: Limits::kept().nested }));
    assert!(chain(1_000).check(OWN, &nobody()).is_err(), "a new one holds fewer: each begins anew");
}

/// yrs reads one JSON string more than the count says, and writes the count it read: what it saves it cannot open.
#[test]
fn m4_legacy_json_which_yrs_cannot_read_back_is_refused() {
    let update = section(1, OWN, 0).at_root(2).num(1).text("1").text("2").num(0);
    let saved = Update::decode_v1(&update.0).expect("yrs takes it").encode_v1();
    assert!(Update::decode_v1(&saved).is_err(), "yrs has learned to read its own JSON content: support it");
    let refused = Fault::Unsupported { what: Unsupported::LegacyJson, at: 4 };
    assert_eq!(scan(&update.0, &Limits::default()), Err(refused));
}

#[test]
fn m4_empty_blocks_which_shift_the_clocks_behind_them_are_refused() {
    let empty_string = section(1, OWN, 0).at_root(STRING).text("").num(0);
    let no_values = section(1, OWN, 0).at_root(ANY).num(0).num(0);
    let nothing_deleted = section(1, OWN, 0).at_root(1).num(0).num(0);
    let empty_gc = section(1, OWN, 0).raw(&[0, 0]).num(0);
    let empty_skip = section(2, OWN, 0).raw(&[10, 0, 0, 1]).num(0);
    for update in [empty_string, no_values, nothing_deleted, empty_gc, empty_skip] {
        assert_eq!(scan(&update.0, &Limits::default()), Err(Fault::Empty { at: 4 }), "{:?}", update.0);
    }
    let empty_section = Bytes::default().raw(&[1, 0, OWN as u8, 0, 0, 0, 0]);
    assert_eq!(scan(&empty_section.0, &Limits::default()), Err(Fault::Empty { at: 1 }));
}

#[test]
fn m4_a_client_whose_blocks_come_twice_is_refused() {
    let twice =
        Bytes::default().raw(&[2, 1, OWN as u8, 1]).raw(&[0, 1]).raw(&[1, OWN as u8, 0]).raw(&[0, 1]).num(0);
    assert_eq!(scan(&twice.0, &Limits::default()), Err(Fault::Unordered { at: 6 }));
}

#[test]
fn m4_references_to_what_is_missing_which_would_be_parked_as_pending_are_refused() {
    let unknown = |at| Fault::UnknownReference { at, client: OTHER, clock: 10 };
    let origin = section(1, OWN, 0).behind(OTHER, 10, "x").num(0);
    let right = section(1, OWN, 0).raw(&[STRING | RIGHT_ORIGIN]).num(OTHER).num(10).text("x").num(0);
    let parent = section(1, OWN, 0).raw(&[STRING, 0]).num(OTHER).num(10).text("x").num(0);
    for update in [origin, right, parent] {
        assert_eq!(update.check(OWN, &other_wrote_ten()), Err(unknown(4)));
    }
    let known = section(1, OWN, 0).behind(OTHER, 9, "x").num(0);
    assert_eq!(known.check(OWN, &other_wrote_ten()), Ok(()));
}

#[test]
fn m4_a_block_that_names_itself_or_a_later_one_is_refused() {
    for clock in [2, 3] {
        let update = section(2, OWN, 0).at_root(STRING).text("ab").behind(OWN, clock, "c").num(0);
        let fault = Fault::UnknownReference { at: 11, client: OWN, clock: clock as u32 };
        assert_eq!(update.check(OWN, &nobody()), Err(fault));
    }
    let before = section(2, OWN, 0).at_root(STRING).text("ab").behind(OWN, 1, "c").num(0);
    assert_eq!(before.check(OWN, &nobody()), Ok(()));
}

#[test]
fn m5_tiny_updates_with_unknown_origins_are_refused_one_by_one() {
    for clock in 0..100 {
        let update = section(1, OWN, 0).behind(OTHER, clock, "x").num(0);
        assert!(matches!(update.check(OWN, &nobody()), Err(Fault::UnknownReference { .. })));
    }
}

#[test]
fn m6_writing_under_anothers_client_id_is_refused() {
    let update = section(1, OTHER, 10).at_root(STRING).text("x").num(0);
    assert_eq!(update.check(OWN, &other_wrote_ten()), Err(Fault::ForeignClient { client: OTHER }));
}

#[test]
fn m6_writing_a_clock_twice_or_leaving_a_gap_is_refused() {
    for found in [2, 4] {
        let update = section(1, OWN, found).at_root(STRING).text("x").num(0);
        let fault = Fault::Discontinuous { expected: 3, found: found as u32 };
        assert_eq!(update.check(OWN, &Clocks::with(OWN, 3)), Err(fault));
    }
}

#[test]
fn m7_a_delete_range_over_anothers_future_text_is_refused() {
    let wipe = no_blocks().deletes(OTHER, &[(0, 0xFFFF_FFFF)]);
    assert_eq!(wipe.check(OWN, &other_wrote_ten()), Err(Fault::Clock { at: 4 }));
    let one_too_many = no_blocks().deletes(OTHER, &[(0, 11)]);
    let fault = Fault::UnknownDelete { client: OTHER, end: 11 };
    assert_eq!(one_too_many.check(OWN, &other_wrote_ten()), Err(fault));
    let all_there_is = no_blocks().deletes(OTHER, &[(0, 10)]);
    assert_eq!(all_there_is.check(OWN, &other_wrote_ten()), Ok(()));
    let a_stranger = no_blocks().deletes(7, &[(0, 1)]);
    assert_eq!(a_stranger.check(OWN, &other_wrote_ten()), Err(Fault::UnknownDelete { client: 7, end: 1 }));
}

#[test]
fn m7_a_gc_block_that_wraps_the_clock_is_refused() {
    let wrap = section(1, OWN, 0).raw(&[0]).num(0xFFFF_FFFF).num(0);
    assert_eq!(wrap.check(OWN, &nobody()), Err(Fault::Clock { at: 4 }));
    let second = section(2, OWN, 0).raw(&[0]).num(0x7FFF_FFFE).raw(&[0, 2]).num(0);
    assert!(matches!(second.check(OWN, &nobody()), Err(Fault::Clock { .. })));
}

#[test]
fn a_hole_in_the_authors_clocks_is_refused() {
    let hole = section(2, OWN, 0).raw(&[10, 3]).at_root(STRING).text("x").num(0);
    assert!(scan(&hole.0, &Limits::default()).is_ok());
    let refused = Fault::Unsupported { what: Unsupported::Skip, at: 4 };
    assert_eq!(check(&hole.0, OWN, &nobody(), &Limits::default()), Err(refused));
}

/// Found by the mutations: a text counts such content, and yrs panics when it is asked to delete the whole length.
#[test]
fn what_a_text_counts_but_cannot_delete_is_refused_in_a_text() {
    let value = section(1, OWN, 0).raw(&[ANY, 1]).text("text").raw(&[1, 126, 0]);
    let binary = section(1, OWN, 0).raw(&[3, 1]).text("text").raw(&[1, 0, 0]);
    let shared = section(1, OWN, 0).raw(&[7, 1]).text("text").raw(&[0, 0]);
    let entry = section(1, OWN, 0).raw(&[STRING | 0x20, 1]).text("text").text("key").text("x").num(0);
    let inside = section(1, OWN, 0).raw(&[STRING, 0]).num(OTHER).num(0).text("x").num(0);
    let elsewhere = section(1, OWN, 0).raw(&[STRING, 1]).text("other").text("x").num(0);
    for update in [value, binary, shared, entry, inside, elsewhere] {
        assert_eq!(update.check(OWN, &other_wrote_ten()), Ok(()));
        let refused = Fault::Unsupported { what: Unsupported::NotText, at: 4 };
        let judged = check_text(&update.0, OWN, "text", &other_wrote_ten(), &Limits::default());
        assert_eq!(judged, Err(refused), "{:?}", update.0);
    }
}

/// yrs keeps an object's members in a hash table that begins with chance, and writes them in that table's order.
#[test]
fn m12_a_value_of_several_members_which_yrs_writes_in_an_order_of_chance_is_refused_in_a_text() {
    let embed = |value: &str| section(1, OWN, 0).raw(&[5, 1]).text("text").text(value).num(0);
    let format = |value: &str| section(1, OWN, 0).raw(&[6, 1]).text("text").text("bold").text(value).num(0);
    let as_text = |update: &Bytes| check_text(&update.0, OWN, "text", &nobody(), &Limits::default());
    let eight = r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8}"#;
    let pages: BTreeSet<_> = (0..8).map(|_| state_of(&doc_with(1, &embed(eight).0))).collect();
    assert!(pages.len() > 1, "yrs has learned to write members in one order: let them in");

    for several in [eight, "[1,[{\"a\":1 , \"b\":2}]]", "{\"a\":{\"b\":[],\"c\":0}}", "{\"a\":1,\"a\":2}"] {
        for update in [embed(several), format(several)] {
            assert_eq!(update.check(OWN, &nobody()), Ok(()), "{several}");
            assert_eq!(as_text(&update), unsteady(), "{several}");
        }
    }
    for one in ["{}", "[1,2,{},{}]", "{\"a\":{\"b\":[{\"c\":1},{\"d\":\",\"}]}}", "\"{a,b}\"", "null"] {
        for update in [embed(one), format(one)] {
            assert!(as_text(&update).is_ok(), "{one}");
            let page = || state_of(&doc_with(1, &update.0));
            assert_eq!(page(), page(), "{one}");
        }
    }
}

fn unsteady() -> Result<Extension, Fault> {
    Err(Fault::Unsupported { what: Unsupported::Unsteady, at: 4 })
}

/// What is near a bound is written as the bound: a number that passes by a hair would be refused in what yrs writes of it.
#[test]
fn m12_a_number_that_yrs_writes_as_another_is_refused_in_a_text() {
    let embed = |value: &str| section(1, OWN, 0).raw(&[5, 1]).text("text").text(value).num(0);
    let as_text = |update: &[u8]| check_text(update, OWN, "text", &nobody(), &Limits::default());
    let just_below = embed("9.99999999999999999e299");
    assert!(scan(&just_below.0, &Limits::default()).is_ok());
    let written = state_of(&doc_with(1, &just_below.0));
    assert!(scan(&written, &Limits::default()).is_err(), "yrs has learned to write what it has read");
    for other in [
        "9.99999999999999999e299",
        "9.999999999999998e299",
        "1e15",
        "1000000000000000",
        "9007199254740993",
        "0.12345678901234567",
        "[1.00000000000000000]",
        "{\"a\":1e-30}",
        "123456789012345.6",
        "0.00000000000000000000000",
        "-9223372036854775808",
    ] {
        assert_eq!(as_text(&embed(other).0), unsteady(), "{other}");
    }
    for same in [
        "0",
        "-0",
        "0.0",
        "1.5",
        "-12.25e2",
        "999999999999999",
        "999999999999999.0",
        "0.123456789012345",
        "12345678901234.5",
        "1e14",
        "1e-22",
        "[0.1,{\"a\":33.3333333333333}]",
        "0.000000000000000000001",
        "1.50",
        "0.30000000000004",
        "100000000000000.0",
    ] {
        // Each writing is read again, as when somebody undoes a deletion or a page is made from a page.
        let mut update = embed(same).0;
        let mut seen = BTreeSet::new();
        for _ in 0..4 {
            assert!(as_text(&update).is_ok(), "{same}");
            update = state_of(&doc_with(1, &update));
            seen.insert(update.clone());
        }
        assert_eq!(seen.len(), 1, "{same}");
    }
}

/// Random numbers of any length and size: what passes is written in one way, and that passes.
#[test]
fn m12_every_number_that_passes_is_written_in_one_way() {
    let mut dice = Dice(7);
    let mut passed = 0;
    for _ in 0..4_000 {
        let mut digits = |most: u32| -> String {
            (0..1 + dice.below(most)).map(|_| char::from(b'0' + dice.below(10) as u8)).collect()
        };
        let (whole, fraction) = (digits(16), digits(17));
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() || dice.below(4) == 0 { "0" } else { whole };
        let mut number = format!("{}{whole}", if dice.below(2) == 0 { "-" } else { "" });
        if dice.below(2) == 0 {
            number += &format!(".{fraction}");
        }
        if dice.below(2) == 0 {
            number += &format!("e{}", i64::from(dice.below(60)) - 30);
        }
        let update = section(1, OWN, 0).raw(&[5, 1]).text("text").text(&number).num(0);
        let as_text = |update: &[u8]| check_text(update, OWN, "text", &nobody(), &Limits::default());
        if as_text(&update.0).is_ok() {
            passed += 1;
            let once = state_of(&doc_with(1, &update.0));
            assert!(as_text(&once).is_ok(), "{number}");
            assert_eq!(state_of(&doc_with(1, &once)), once, "{number}");
        }
    }
    assert!(passed > 300, "{passed}");
}

/// Two sequences tied together by one item: yrs hands the map's key on to text. What it saves is refused by `scan`.
#[test]
fn an_entry_of_a_map_that_stands_in_front_of_something_is_refused() {
    let tied = section(1, OWN, 0)
        .raw(&[STRING | ORIGIN | RIGHT_ORIGIN | 0x20])
        .num(OTHER)
        .num(0)
        .num(OTHER)
        .num(1)
        .text("x")
        .num(0);
    assert_eq!(tied.check(OWN, &other_wrote_ten()), Err(Fault::Malformed { at: 4 }));
}

/// Found by comparing what replicas show: with such a block they may differ for good.
#[test]
fn a_block_that_stands_before_and_behind_the_same_one_is_refused() {
    let update = section(1, OWN, 0)
        .raw(&[STRING | ORIGIN | RIGHT_ORIGIN])
        .num(OTHER)
        .num(3)
        .num(OTHER)
        .num(3)
        .text("x")
        .num(0);
    assert_eq!(update.check(OWN, &other_wrote_ten()), Err(Fault::Malformed { at: 4 }));
}

/// Found by well-formed lies. One block stands behind a word and in front of a map's entry; yrs hands the entry's key to
/// it, and fails to find that key in the text when it joins blocks. `check` knows no content and lets this pass.
#[test]
fn a_block_that_ties_a_text_to_a_map_panics_yrs_and_is_kept_out_of_a_text() {
    let author = CLIENT_BASE | 15_841;
    let doc = doc_with(1, HONEST);
    let known = Clocks::of(&doc);
    assert!(check(TIED, author, &known, &Limits::default()).is_ok());
    let taken = catch_unwind(AssertUnwindSafe(|| take(&doc, TIED)));
    assert!(taken.is_err(), "yrs has learned to survive this");

    let refused = check_text(TIED, author, "text", &known, &Limits::default());
    assert!(matches!(refused, Err(Fault::Unsupported { what: Unsupported::NotText, .. })));
}

const HONEST: &[u8] = &[
    2, 2, 225, 251, 128, 128, 128, 128, 128, 8, 0, 4, 1, 4, 116, 101, 120, 116, 14, 240, 159, 145, 169, 226,
    128, 141, 240, 159, 145, 169, 226, 128, 141, 132, 225, 251, 128, 128, 128, 128, 128, 8, 5, 5, 240, 159,
    145, 167, 120, 8, 242, 189, 128, 128, 128, 128, 128, 8, 0, 39, 1, 3, 109, 97, 112, 1, 121, 0, 8, 0, 242,
    189, 128, 128, 128, 128, 128, 8, 0, 1, 125, 1, 136, 242, 189, 128, 128, 128, 128, 128, 8, 1, 1, 127, 199,
    242, 189, 128, 128, 128, 128, 128, 8, 1, 242, 189, 128, 128, 128, 128, 128, 8, 2, 1, 39, 0, 242, 189,
    128, 128, 128, 128, 128, 8, 3, 4, 100, 101, 101, 112, 2, 4, 0, 242, 189, 128, 128, 128, 128, 128, 8, 4,
    4, 240, 159, 152, 128, 196, 225, 251, 128, 128, 128, 128, 128, 8, 5, 225, 251, 128, 128, 128, 128, 128,
    8, 6, 5, 119, 111, 114, 100, 32, 68, 225, 251, 128, 128, 128, 128, 128, 8, 0, 4, 240, 159, 152, 128, 0,
];

const TIED: &[u8] = &[
    1, 6, 225, 251, 128, 128, 128, 128, 128, 8, 9, 131, 225, 251, 128, 128, 128, 128, 128, 8, 3, 2, 1, 2,
    166, 225, 251, 128, 128, 128, 128, 128, 8, 9, 4, 98, 111, 108, 100, 1, 49, 36, 0, 242, 189, 128, 128,
    128, 128, 128, 8, 4, 1, 107, 3, 98, 99, 100, 165, 225, 251, 128, 128, 128, 128, 128, 8, 12, 9, 123, 34,
    97, 34, 58, 91, 49, 93, 125, 198, 225, 251, 128, 128, 128, 128, 128, 8, 13, 242, 189, 128, 128, 128, 128,
    128, 8, 5, 4, 98, 111, 108, 100, 1, 49, 197, 242, 189, 128, 128, 128, 128, 128, 8, 9, 225, 251, 128, 128,
    128, 128, 128, 8, 12, 9, 123, 34, 97, 34, 58, 91, 49, 93, 125, 1, 242, 189, 128, 128, 128, 128, 128, 8,
    1, 3, 2,
];
