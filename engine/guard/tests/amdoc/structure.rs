//! The format, byte by byte.

use causeway_guard::amdoc::{Ledger, Limits, Summary, scan};
use causeway_guard::{Counted, Fault, Unsupported};

use crate::authors::written;
use crate::writer::{Op, Spec};

const OWN: &[u8] = b"ann";

#[test]
fn a_summary_counts_what_is_there() {
    let bytes = Spec::first(OWN, vec![Op::put("a", 1), Op::put("b", 2)]).bytes();
    assert_eq!(scan(&bytes, &Limits::default()), Ok(Summary { changes: 1, operations: 2 }));
    assert_eq!(scan(&[], &Limits::default()), Err(Fault::Empty { at: 0 }));
}

#[test]
fn a_payload_cut_short_anywhere_or_a_byte_too_long_is_refused() {
    for (_, bytes) in written(3, 20) {
        for end in 0..bytes.len() {
            assert!(scan(&bytes[..end], &Limits::default()).is_err(), "cut at {end}: {bytes:?}");
        }
        for extra in [0, 1, 0x85] {
            let longer = [bytes.as_slice(), &[extra]].concat();
            assert!(scan(&longer, &Limits::default()).is_err());
        }
    }
}

#[test]
fn a_flipped_bit_is_refused() {
    let bytes = Spec::first(OWN, vec![Op::put("a", 1)]).bytes();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            assert!(scan(&flipped, &Limits::default()).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn what_is_not_supported_is_named() {
    let unsupported = |spec: &Spec| match scan(&spec.bytes(), &Limits::default()) {
        Err(Fault::Unsupported { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    let mut table = Op::put("a", 1);
    table.action = 6;
    assert_eq!(unsupported(&Spec::first(OWN, vec![table])), Unsupported::Action);
    let strange = Op::put("a", 1).with(12, &[1]);
    assert_eq!(unsupported(&Spec::first(OWN, vec![strange])), Unsupported::ValueType);
    let spec = Spec::first(OWN, vec![Op::put("a", 1)]);
    let mut columns = spec.columns();
    columns.push((0x94, vec![1]));
    let marked = scan(&spec.bytes_with(&columns), &Limits::default());
    assert!(matches!(marked, Err(Fault::Unsupported { what: Unsupported::Column, .. })), "{marked:?}");
}

#[test]
fn every_limit_holds() {
    let bytes = Spec::first(OWN, vec![Op::put("a", 1), Op::put("b", 1)]).bytes();
    let refused = |limits| scan(&bytes, &limits).expect_err("beyond the bound");
    let usual = Limits::default();
    assert_eq!(refused(Limits { bytes: 10, ..usual }), Fault::TooLarge { size: bytes.len(), limit: 10 });
    let many = |what, limit| Fault::TooMany { what, limit };
    assert_eq!(refused(Limits { operations: 1, ..usual }), many(Counted::Operations, 1));
    let stream = Limits { stream_operations: 1, ..usual };
    assert_eq!(Ledger::new().admit(&bytes, OWN, &stream), Err(many(Counted::Operations, 1)));
    let wide = Spec { builds_on: vec![[1; 32], [2; 32]], ..Spec::first(OWN, vec![Op::put("a", 1)]) };
    let narrow = Limits { dependencies: 1, ..usual };
    assert_eq!(scan(&wide.bytes(), &narrow), Err(many(Counted::Dependencies, 1)));
    let named = Spec {
        others: vec![b"bob".to_vec(), b"eve".to_vec()],
        ..Spec::first(OWN, vec![Op::put("a", 1).replacing(&[(1, 1), (2, 2)])])
    };
    let lonely = Limits { actors: 1, ..usual };
    assert_eq!(scan(&named.bytes(), &lonely), Err(many(Counted::Actors, 1)));
    let one = Limits { predecessors: 1, ..usual };
    assert_eq!(scan(&named.bytes(), &one), Err(many(Counted::Predecessors, 1)));
}
