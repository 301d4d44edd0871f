//! Every store passes the one suite.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;

use causeway_store::contract::contract;
use causeway_store::{MemoryStore, StoreKind, WriteAheadLimits};

#[test]
fn st1_the_memory_store_keeps_the_contract() {
    contract(|| Arc::new(MemoryStore::new()));
}

/// Runs the suite on stores of a kind within these limits. Answers the folders in which they lay.
fn keeps_the_contract(kind: StoreKind, limits: WriteAheadLimits) {
    let folder = tempfile::tempdir().unwrap();
    let made = Cell::new(0);
    contract(|| {
        made.set(made.get() + 1);
        kind.open_within(limits, folder.path().join(made.get().to_string())).unwrap()
    });
    let data = (1..=made.get()).map(|number| folder.path().join(number.to_string()));
    for blobs in data.map(|data| data.join("sled/blobs")).filter(|blobs: &PathBuf| blobs.exists()) {
        assert_eq!(blobs.read_dir().unwrap().count(), 0, "sled never fsyncs a row in a file of its own");
    }
}

#[test]
fn st1_sled_keeps_the_contract() {
    keeps_the_contract(StoreKind::Sled, WriteAheadLimits::default());
}

#[test]
fn st1_redb_keeps_the_contract_from_its_log() {
    keeps_the_contract(StoreKind::Redb, WriteAheadLimits::default());
}

#[test]
fn st1_redb_keeps_the_contract_while_every_commit_is_being_carried() {
    let limits = WriteAheadLimits { carry_bytes: 0, piece_bytes: 100, ..WriteAheadLimits::default() };
    keeps_the_contract(StoreKind::Redb, limits);
}

#[test]
fn st1_redb_keeps_the_contract_when_every_commit_waits_until_the_last_is_carried() {
    let limits = WriteAheadLimits { carry_bytes: 0, full_bytes: 1, ..WriteAheadLimits::default() };
    keeps_the_contract(StoreKind::Redb, limits);
}
