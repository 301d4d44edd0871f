//! A disk that changes single bits: whatever else happens, no wrong value is read.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use causeway_core::storage::{Commit, FailureKind, Scan};
use causeway_store::contract::{put, rows, space};
use causeway_store::remains::examine;
use causeway_store::{OpenError, Store, StoreKind};

const FLIPS: u64 = 60;
const ROWS: u32 = 300;

fn value(n: u32) -> Vec<u8> {
    (0..if n.is_multiple_of(50) { 8000 } else { 300 }).map(|i: u32| (i ^ n) as u8).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for found in fs::read_dir(from).unwrap() {
        let found = found.unwrap();
        let to = to.join(found.file_name());
        if found.path().is_dir() {
            copy(&found.path(), &to);
        } else {
            fs::copy(found.path(), to).unwrap();
        }
    }
}

/// Reads row by row, past damaged ones, and tells how many were sound. A row is sound or said to be damaged, never
/// wrong and never silently missing.
fn sound_rows(store: &dyn Store) -> u32 {
    let mut sound = 0;
    for n in 0..ROWS {
        let start = n.to_be_bytes().to_vec();
        let end = [&start[..], &[0]].concat();
        let scan = Scan { start: start.clone(), end, max_bytes: 1 << 20, max_rows: 2 };
        match store.scan(&space("room"), &scan) {
            Ok(page) if page.rows.is_empty() => {
                assert_eq!(page.damaged, [start], "row {n} is missing in silence");
            }
            Ok(page) => {
                assert_eq!(page.rows, [(start, value(n))], "row {n} is not what was written");
                sound += 1;
            }
            Err(failure) => assert_eq!(failure.kind, FailureKind::Damaged, "{failure}"),
        }
    }
    sound
}

fn write_rows(kind: StoreKind, folder: &Path) {
    let store = kind.open(folder).unwrap();
    for start in (0..ROWS).step_by(20) {
        let put = (start..start + 20).map(|n| (n.to_be_bytes().to_vec(), value(n))).collect();
        store.apply(&space("room"), &Commit { put, ..Commit::default() }).unwrap();
        store.sync().unwrap();
    }
    assert_eq!(sound_rows(&*store), ROWS);
}

/// A store with damaged rows takes new ones, and loses none of the sound ones by that.
fn goes_on(kind: StoreKind, bent: &Path, store: Arc<dyn Store>) {
    let sound = sound_rows(&*store);
    store.apply(&space("another"), &put(&[(b"k", b"v")])).unwrap();
    store.sync().unwrap();
    drop(store);
    let store = kind.open(bent).unwrap();
    assert_eq!(sound_rows(&*store), sound);
    assert_eq!(rows(&*store, &space("another")), [(b"k".to_vec(), b"v".to_vec())]);
}

fn flip_bits(kind: StoreKind, written: &Path, bent: &Path) {
    let (mut refused, mut partly, mut whole) = (0, 0, 0);
    for flip in 0..FLIPS {
        copy(written, bent);
        let log = bent.join(match kind {
            StoreKind::Sled => "sled/db",
            StoreKind::Redb => "rows.redb",
        });
        let mut bytes = fs::read(&log).unwrap();
        // Spread over the whole file, the same in every run.
        let bit =
            usize::try_from(flip).unwrap() * (bytes.len() * 8 / FLIPS as usize) + 13 * flip as usize % 64;
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&log, bytes).unwrap();
        match kind.open(bent) {
            Ok(store) if sound_rows(&*store) == ROWS => whole += 1,
            Ok(store) => {
                partly += 1;
                // sled refuses to write near damage, and may refuse the folder after it.
                if kind == StoreKind::Redb {
                    goes_on(kind, bent, store);
                }
            }
            Err(OpenError::Damaged { .. }) => refused += 1,
            Err(other) => panic!("{other}"),
        }
        fs::remove_dir_all(bent).unwrap();
    }
    println!("{kind}: of {FLIPS} flips: {refused} refused, {partly} partly readable, {whole} harmless");
    assert!(refused + partly > 0, "no flip hit anything");
}

#[test]
fn st3_no_flipped_bit_is_read_as_a_value_or_loses_one_in_silence() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        let (written, bent) = (folder.path().join("written"), folder.path().join("bent"));
        write_rows(kind, &written);
        flip_bits(kind, &written, &bent);
        // Once more as a second opening leaves it: sled then writes a snapshot, which sends it down another path.
        drop(kind.open(&written).unwrap());
        flip_bits(kind, &written, &bent);
    }
}

/// redb reads its own tables with every commit and as it closes, and where they are bent no guard around it helps.
#[test]
fn st3_a_flipped_bit_in_the_tables_that_redb_keeps_for_itself_refuses_the_store_and_ends_no_process() {
    let kind = StoreKind::Redb;
    // Many openings, of which none is about fsync.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let (written, bent) = (folder.path().join("written"), folder.path().join("bent"));
    write_rows(kind, &written);
    let bytes = fs::read(written.join("rows.redb")).unwrap();
    let mut own = 0;
    for place in
        bytes.chunks(4096).zip(0..).skip(1).flat_map(|(page, number)| of_own_tables(page, number * 4096))
    {
        copy(&written, &bent);
        let mut changed = bytes.clone();
        changed[place] ^= 0x80;
        fs::write(bent.join("rows.redb"), &changed).unwrap();
        match kind.open(&bent) {
            // A page that is not in use any more, or with a piece of a long value.
            Ok(store) => {
                let _ = store.apply(&space("room"), &put(&[(b"k", b"v")]));
                drop(store);
            }
            Err(OpenError::Damaged { .. }) => {
                let scratch = tempfile::tempdir().unwrap();
                let remains = examine(&bent, scratch.path()).unwrap();
                assert!(!remains.is_sound(), "byte {place} is refused and called sound");
                own += usize::from(remains.findings.iter().any(|it| it.sentence.contains("own tables")));
            }
            Err(other) => panic!("byte {place}: {other}"),
        }
        fs::remove_dir_all(&bent).unwrap();
    }
    assert!(own > 20, "only {own} places were in tables of its own");
}

/// Places in a page, if it names none of our rows: within its first numbers, and within the pages that the first of a list
/// names, of which the highest bits name none that there is.
fn of_own_tables(page: &[u8], at: usize) -> Vec<usize> {
    let is_ours = page.windows(4).any(|word| word == b"room");
    let in_use = matches!(page[0], 1 | 2);
    if is_ours || !in_use {
        Vec::new()
    } else {
        [2, 9, 23].into_iter().chain(44..64).map(|within| at + within).collect()
    }
}
