//! What honest authors write passes, in any order that respects what builds on what, and merged into one payload.

use causeway_guard::amdoc::{Ledger, Limits, scan};

use crate::authors::{ACTORS, written};

#[test]
fn every_change_of_three_authors_passes() {
    for seed in 0..60 {
        let mut ledger = Ledger::new();
        for (who, bytes) in written(seed, 30) {
            let admitted = ledger.admit(&bytes, ACTORS[who], &Limits::default());
            admitted.unwrap_or_else(|fault| panic!("seed {seed}: {fault}: {bytes:?}"));
        }
    }
}

#[test]
fn changes_of_one_author_pass_as_one_payload() {
    let log = written(7, 40);
    let mut ledger = Ledger::new();
    let mut merged = 0;
    for run in log.chunk_by(|one, next| one.0 == next.0) {
        let payload: Vec<u8> = run.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        let summary = scan(&payload, &Limits::default()).expect("well formed");
        assert_eq!(summary.changes as usize, run.len());
        ledger.admit(&payload, ACTORS[run[0].0], &Limits::default()).expect("honest");
        merged += usize::from(run.len() > 1);
    }
    assert!(merged > 3);
}

#[test]
fn a_refused_payload_leaves_the_ledger_as_it_was() {
    let log = written(9, 20);
    let (last, before) = log.split_last().expect("twenty steps");
    let mut ledger = Ledger::new();
    for (who, bytes) in before {
        ledger.admit(bytes, ACTORS[*who], &Limits::default()).expect("honest");
    }
    let twice = [last.1.clone(), last.1.clone()].concat();
    assert!(ledger.admit(&twice, ACTORS[last.0], &Limits::default()).is_err());
    assert!(ledger.admit(&last.1, ACTORS[(last.0 + 1) % 3], &Limits::default()).is_err());
    ledger.admit(&last.1, ACTORS[last.0], &Limits::default()).expect("honest, and not half admitted before");
}
