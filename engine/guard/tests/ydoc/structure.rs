//! The format, byte by byte: what passes, what is refused, and how lengths are counted.

use causeway_guard::ydoc::{Extension, Summary, check, scan};
use causeway_guard::{Counted, Fault, Limits, Unsupported};
use yrs::Any;
use yrs::Update;
use yrs::updates::decoder::Decode;
use yrs::updates::encoder::Encode;

use crate::authors::{Clocks, Dice, Genre, Team, state_of};
use crate::writer::{ANY, Bytes, STRING, no_blocks, section};

fn structure(update: &Bytes) -> Result<Summary, Fault> {
    scan(&update.0, &Limits::default())
}

#[test]
fn a_string_advances_the_clock_by_its_utf16_units() {
    for (piece, units) in [("a", 1), ("grüße", 5), ("女の子", 3), ("😀", 2), ("👩‍👩‍👧x", 9), ("\u{FFFD}", 1)]
    {
        let update = section(1, 5, 3).at_root(STRING).text(piece).num(0);
        let extension = check(&update.0, 5, &Clocks::with(5, 3), &Limits::default());
        assert_eq!(extension, Ok(Extension { from: 3, to: 3 + units, places: 1 }), "{piece}");
        let insertions = Update::decode_v1(&update.0).unwrap().insertions(true);
        let yrs: u32 = insertions
            .iter()
            .flat_map(|(_, ranges)| ranges.into_iter().map(|range| range.len() as u32))
            .sum();
        assert_eq!(yrs, units, "yrs counts {piece} the same way");
    }
}

#[test]
fn an_update_in_the_v2_encoding_is_refused() {
    assert!(scan(Update::EMPTY_V2, &Limits::default()).is_err());
    for seed in 0..20 {
        let mut team = Team::new(2, seed, Genre::Everything);
        for _ in 0..20 {
            team.step();
        }
        let update = Update::decode_v1(&state_of(&team.authors[0].doc)).unwrap();
        assert!(scan(&update.encode_v2(), &Limits::default()).is_err());
    }
}

#[test]
fn what_is_not_supported_is_named() {
    let item = |kind: u8| section(1, 5, 0).at_root(kind);
    for (update, what) in [
        (item(2).num(0).text("1"), Unsupported::LegacyJson),
        (item(9).text("guid").raw(&[118, 0]), Unsupported::Subdocument),
        (item(11).raw(&[0, 0, 0]), Unsupported::Move),
        (item(7).raw(&[5]).text("hook"), Unsupported::XmlHook),
        (item(7).raw(&[7, 0, 0, 0]), Unsupported::WeakLink),
        (item(7).raw(&[9]), Unsupported::UnknownType),
        (item(7).raw(&[15]), Unsupported::UnknownType),
    ] {
        assert_eq!(structure(&update.num(0)), Err(Fault::Unsupported { what, at: 4 }));
    }
}

#[test]
fn flags_and_tags_that_no_encoder_writes_are_refused() {
    for kind in [STRING | 0x10, 12, 13, 14, 15, 0x20, 0x2A] {
        let update = section(1, 5, 0).at_root(kind).text("x").num(0);
        assert_eq!(structure(&update), Err(Fault::Malformed { at: 4 }), "{kind:#x}");
    }
    let parent = section(1, 5, 0).raw(&[STRING, 2]).text("t").text("x").num(0);
    assert_eq!(structure(&parent), Err(Fault::Malformed { at: 5 }));
    for tag in (0..116).chain(128..=255) {
        let update = section(1, 5, 0).at_root(ANY).raw(&[1, tag]).raw(&[0; 12]);
        assert!(structure(&update).is_err(), "{tag}");
    }
}

#[test]
fn numbers_out_of_range_or_with_needless_bytes_are_refused() {
    let long_zero = Bytes::default().raw(&[0x80, 0]).num(0);
    assert_eq!(structure(&long_zero), Err(Fault::Number { at: 0 }));
    let endless = Bytes::default().raw(&[0xFF; 12]);
    assert_eq!(structure(&endless), Err(Fault::Number { at: 0 }));
    let client = section(1, 1 << 53, 0).at_root(STRING).text("x").num(0);
    assert_eq!(structure(&client), Err(Fault::ClientId { at: 2 }));
    let last_client = section(1, (1 << 53) - 1, 0).at_root(STRING).text("x").num(0);
    assert!(structure(&last_client).is_ok());
    let wrapped = section(1, 5, (1 << 32) + 1).at_root(STRING).text("x").num(0);
    assert_eq!(structure(&wrapped), Err(Fault::Clock { at: 3 }));
    let too_negative = section(1, 5, 0).at_root(ANY).raw(&[1, 125]).raw(&[0xFF; 9]).raw(&[0x7F, 0]);
    assert!(matches!(structure(&too_negative), Err(Fault::Number { .. })));
}

#[test]
fn delete_ranges_come_in_order_and_do_not_overlap() {
    let known = Clocks::with(9, 100);
    assert_eq!(no_blocks().deletes(9, &[(0, 5), (5, 5), (20, 80)]).check(5, &known), Ok(()));
    for ranges in [[(5, 5), (0, 2)], [(0, 5), (4, 3)], [(3, 2), (3, 2)]] {
        let judged = no_blocks().deletes(9, &ranges).check(5, &known);
        assert!(matches!(judged, Err(Fault::Unordered { .. })), "{ranges:?}");
    }
    assert!(matches!(no_blocks().deletes(9, &[(3, 0)]).check(5, &known), Err(Fault::Empty { .. })));
    assert!(matches!(no_blocks().deletes(9, &[]).check(5, &known), Err(Fault::Truncated { .. })));
}

#[test]
fn clients_of_a_delete_set_come_in_either_order_but_once() {
    let clients = |ids: &[u64]| {
        let start = no_blocks().num(ids.len() as u64);
        ids.iter().fold(start, |bytes, id| bytes.num(*id).num(1).num(0).num(1))
    };
    assert!(structure(&clients(&[1, 2, 3])).is_ok());
    assert!(structure(&clients(&[3, 2, 1])).is_ok());
    for ids in [[1, 2, 1], [2, 2, 3], [3, 1, 3]] {
        assert!(matches!(structure(&clients(&ids)), Err(Fault::Unordered { .. })), "{ids:?}");
    }
}

#[test]
fn two_holes_in_a_row_or_one_at_the_end_are_refused() {
    let twice = section(3, 5, 0).raw(&[10, 1, 10, 1, 0, 1, 0]);
    assert_eq!(structure(&twice), Err(Fault::Unordered { at: 6 }));
    let last = section(2, 5, 0).raw(&[0, 1, 10, 1, 0]);
    assert_eq!(structure(&last), Err(Fault::Unordered { at: 6 }));
}

#[test]
fn every_limit_holds() {
    let limits =
        Limits { bytes: 100, blocks: 2, jumps: 2, clients: 2, delete_ranges: 2, depth: 1, nested: 1 };
    let many = |what| Err(Fault::TooMany { what, limit: 2 });
    assert_eq!(scan(&[0; 101], &limits), Err(Fault::TooLarge { size: 101, limit: 100 }));
    let blocks = section(3, 5, 0).raw(&[0, 1, 0, 1, 0, 1, 0]);
    assert_eq!(scan(&blocks.0, &limits), many(Counted::Blocks));
    let clients = Bytes::default().raw(&[3, 1, 7, 0, 0, 1, 1, 6, 0, 0, 1, 1, 5, 0, 0, 1, 0]);
    assert_eq!(scan(&clients.0, &limits), many(Counted::Clients));
    let ranges = no_blocks().deletes(9, &[(0, 1), (2, 1), (4, 1)]);
    assert_eq!(scan(&ranges.0, &limits), many(Counted::DeleteRanges));
    let deep = section(1, 5, 0).at_root(ANY).raw(&[1, 117, 1, 117, 0, 0]);
    assert_eq!(scan(&deep.0, &limits), Err(Fault::TooDeep { at: 11 }));
}

#[test]
fn numbers_pass_below_ten_to_the_300_however_they_are_written() {
    let zeros = |count: usize| "0".repeat(count);
    let takes = |json: &str| structure(&section(1, 5, 0).at_root(5).text(json).num(0)).is_ok();
    for held in [
        "9.99e299".to_owned(),
        "-9.99E+299".to_owned(),
        "99e298".to_owned(),
        "0.0099e+302".to_owned(),
        "0e999".to_owned(),
        "-0.000e99999999999999999999".to_owned(),
        "7e-99999999999999999999".to_owned(),
        format!("1{}", zeros(299)),
        format!("1{}e-400", zeros(500)),
        format!("0.{}1e+400", zeros(200)),
    ] {
        assert!(Any::from_json(&held).is_ok(), "yrs reads {held}");
        assert!(takes(&held), "{held}");
    }
    for refused in [
        "1e300".to_owned(),
        "-10e299".to_owned(),
        "0.001e303".to_owned(),
        "1e99999999999999999999".to_owned(),
        format!("1{}", zeros(300)),
        format!("0.{}1e+501", zeros(200)),
    ] {
        assert!(!takes(&refused), "{refused}");
    }
}

#[test]
fn json_passes_exactly_where_yrs_reads_it() {
    let samples = [
        "null",
        " true ",
        "false",
        "0",
        "-0",
        "-1.5e+3",
        "1E5",
        "\"\"",
        "\"a\\u00e9\\n\\\"\"",
        "\"\\ud83d\\ude00\"",
        "[]",
        "{}",
        "[ ]",
        "[1,2 , 3]",
        "{\"a\":{\"b\":[{}]},\"c\":[]}",
        "\t\r\n1",
        "9223372036854775807",
        "12345678901234567890123",
        "",
        " ",
        "nul",
        "nulll",
        "truefalse",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "1e999",
        "0x1",
        "NaN",
        "'a'",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"\u{1}\"",
        "[",
        "]",
        "[1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{",
        "}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "[}",
        "{]",
        "1 2",
        "[]]",
        "18446744073709551615",
        "1e-999",
        "0e99999999999",
        "undefined",
        "/**/1",
        "\u{FEFF}1",
    ];
    for json in samples {
        let update = section(1, 5, 0).at_root(5).text(json).num(0);
        assert_eq!(structure(&update).is_ok(), Any::from_json(json).is_ok(), "{json:?}");
    }
    let mut dice = Dice(77);
    for _ in 0..50_000 {
        let letters = "[]{}:,\"\\u0d8e-+.tfnrulasEe19 \n";
        let json: String = (0..dice.below(12)).map(|_| char::from(*dice.pick(letters.as_bytes()))).collect();
        let update = section(1, 5, 0).at_root(5).text(&json).num(0);
        if structure(&update).is_ok() {
            assert!(Any::from_json(&json).is_ok(), "{json:?}");
        } else if let Ok(Any::Number(_)) = Any::from_json(&json) {
            // Only numbers are refused that yrs would take: see `ydoc::json`.
            assert!(json.contains(['e', 'E']), "{json:?}");
        } else {
            assert!(Any::from_json(&json).is_err() || json.contains(['e', 'E']), "{json:?}");
        }
    }
}

#[test]
fn a_fault_has_a_code_and_a_sentence() {
    let fault = scan(&[], &Limits::default()).unwrap_err();
    assert_eq!(fault.code(), "guard.truncated");
    assert_eq!(fault.to_string(), "the update ends too early: what begins at byte 0 is longer than the rest");
}

#[test]
fn a_summary_counts_what_is_there() {
    let mut team = Team::new(1, 4, Genre::Everything);
    for _ in 0..40 {
        team.step();
    }
    let author = &team.authors[0];
    let state = state_of(&author.doc);
    let summary = scan(&state, &Limits::default()).unwrap();
    let update = Update::decode_v1(&state).unwrap();
    assert_eq!(summary.clients, 1);
    let ranges: usize = update.delete_set().iter().map(|(_, ranges)| ranges.into_iter().count()).sum();
    assert_eq!(summary.delete_ranges as usize, ranges);
    assert_eq!(summary.skips, 0);
}
