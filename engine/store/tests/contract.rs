//! Every store passes the one suite.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;

use causeway_store::contract::contract;
use causeway_store::{MemoryStore, RedbStore, SledStore};

#[test]
fn st1_the_memory_store_keeps_the_contract() {
    contract(|| Box::new(MemoryStore::new()));
}

#[test]
fn st1_the_sled_store_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let made = Cell::new(0);
    contract(|| {
        made.set(made.get() + 1);
        Box::new(SledStore::open(folder.path().join(made.get().to_string())).unwrap())
    });
    let spilled = (1..=made.get()).map(|n| folder.path().join(n.to_string()).join("sled/blobs"));
    for blobs in spilled {
        assert_eq!(blobs.read_dir().unwrap().count(), 0, "sled never fsyncs a row in a file of its own");
    }
}

#[test]
fn st1_the_redb_store_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let made = Cell::new(0);
    contract(|| {
        made.set(made.get() + 1);
        Box::new(RedbStore::open(folder.path().join(made.get().to_string())).unwrap())
    });
}
