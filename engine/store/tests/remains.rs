//! What is found in a folder whose database was changed behind its back: never anything that was not written.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use causeway_core::storage::Commit;
use causeway_store::remains::{ExamineError, examine};
use causeway_store::{OpenError, Space, StoreKind};

const ROWS: u32 = 60;

fn room(number: u32) -> Space {
    Space::new(format!("room-{}", number % 3)).unwrap()
}

/// Some of the values are long.
fn value(number: u32) -> Vec<u8> {
    let length = if number.is_multiple_of(20) { 9_000 } else { 80 };
    (0..length).map(|at: u32| (at ^ number.wrapping_mul(31)) as u8 | 1).collect()
}

fn written(kind: StoreKind, folder: &Path) -> PathBuf {
    let store = kind.open(folder).unwrap();
    for number in 0..ROWS {
        let put = vec![(number.to_be_bytes().to_vec(), value(number))];
        store.apply(&room(number), &Commit { put, ..Commit::default() }).unwrap();
        store.sync().unwrap();
    }
    folder.join(if kind == StoreKind::Sled { "sled/db" } else { "rows.redb" })
}

/// How many rows are found, each as it was written; and whether the folder is called sound.
fn found(folder: &Path) -> (u32, bool) {
    let scratch = tempfile::tempdir().unwrap();
    let remains = examine(folder, scratch.path()).unwrap();
    let mut count = 0;
    for number in 0..ROWS {
        let rows = remains.rows(&room(number));
        let values = rows.get(&number.to_be_bytes()[..]).cloned().unwrap_or_default();
        assert!(values.iter().all(|found| *found == value(number)), "row {number} was written otherwise");
        count += u32::from(!values.is_empty());
    }
    (count, remains.is_sound())
}

fn with_silent_panics(story: impl FnOnce()) {
    // Those of a database are caught, and would be printed by the hundred.
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|at| at.file().contains("/sled-") || at.file().contains("/redb-")) {
            told(panic);
        }
    }));
    story();
}

#[test]
fn rl14_of_a_sound_folder_every_row_is_found_and_nothing_is_changed() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        let file = written(kind, folder.path());
        let before = fs::read(&file).unwrap();
        assert_eq!(found(folder.path()), (ROWS, true));
        assert!(fs::read(&file).unwrap() == before);
    }
}

#[test]
fn rl14_a_changed_byte_costs_a_row_or_two_whether_or_not_the_database_opens() {
    with_silent_panics(|| {
        for kind in StoreKind::ALL {
            let folder = tempfile::tempdir().unwrap();
            let file = written(kind, folder.path());
            let whole = fs::read(&file).unwrap();
            let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
            let (mut tried, mut all, mut least) = (0, 0, ROWS);
            for place in used.iter().step_by(used.len() / 60) {
                let mut bent = whole.clone();
                bent[*place] ^= 1 << (place % 8);
                fs::write(&file, &bent).unwrap();
                let (count, sound) = found(folder.path());
                assert!(count == ROWS || !sound, "{kind}, byte {place}: {count} rows are called all");
                tried += 1;
                all += count;
                least = least.min(count);
            }
            println!(
                "{kind}: of {ROWS} rows {:.1} are found, {least} at the least",
                f64::from(all) / f64::from(tried)
            );
            assert!(least >= ROWS - 4, "{kind}: {least}");
        }
    });
}

#[test]
fn rl14_a_file_that_ends_early_or_begins_with_nothing_still_has_rows() {
    with_silent_panics(|| {
        for kind in StoreKind::ALL {
            let folder = tempfile::tempdir().unwrap();
            let file = written(kind, folder.path());
            let whole = fs::read(&file).unwrap();
            let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
            fs::write(&file, &whole[..used / 2]).unwrap();
            let (count, sound) = found(folder.path());
            assert!(count > 0 && !sound, "{kind}: {count}");
            let mut bent = whole.clone();
            bent[..4096].fill(0);
            fs::write(&file, bent).unwrap();
            let (count, sound) = found(folder.path());
            assert!(count >= ROWS / 2 && !sound, "{kind}: {count}");
        }
    });
}

#[test]
fn rl14_a_folder_that_says_nothing_is_known_by_what_lies_in_it() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        written(kind, folder.path());
        fs::write(folder.path().join("FORMAT"), "something else").unwrap();
        assert_eq!(found(folder.path()), (ROWS, false));
    }
    let empty = tempfile::tempdir().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    assert!(matches!(examine(empty.path(), scratch.path()), Err(ExamineError::NoStore(_))));
}

/// What the findings say that is wrong.
fn wrong(folder: &Path) -> Vec<String> {
    let scratch = tempfile::tempdir().unwrap();
    let remains = examine(folder, scratch.path()).unwrap();
    let wrong = remains.findings.into_iter().filter(|finding| !finding.sound);
    wrong.map(|finding| finding.sentence).collect()
}

#[test]
fn rl14_a_folder_that_does_not_say_how_much_was_saved_is_not_sound() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        written(kind, folder.path());
        let tip = folder.path().join("tip");
        fs::write(&tip, "none of ours").unwrap();
        assert!(matches!(&wrong(folder.path())[..], [told] if told.contains("tip cannot be read")));
        fs::remove_file(&tip).unwrap();
        assert!(matches!(&wrong(folder.path())[..], [told] if told.contains("tip is missing")));
        // Opened once more it has begun anew.
        drop(kind.open(folder.path()).unwrap());
        assert_eq!(found(folder.path()), (ROWS, true), "{kind}");
    }
}

#[test]
fn rl14_a_database_that_is_gone_is_said_to_be_gone() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        fs::remove_file(written(kind, folder.path())).unwrap();
        assert!(matches!(&wrong(folder.path())[..], [told] if told.contains("is gone")), "{kind}");
    }
}

#[test]
fn rl14_a_database_that_opens_empty_is_not_sound_while_its_file_holds_rows_and_is_not_served() {
    with_silent_panics(|| {
        let kind = StoreKind::Sled;
        let folder = tempfile::tempdir().unwrap();
        let file = written(kind, folder.path());
        let mut bent = fs::read(&file).unwrap();
        for snapshot in fs::read_dir(folder.path().join("sled")).unwrap() {
            let path = snapshot.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("snap") {
                fs::remove_file(path).unwrap();
            }
        }
        bent[..64].fill(0);
        fs::write(&file, &bent).unwrap();
        fs::remove_file(folder.path().join("tip")).unwrap();
        println!("{:?}", wrong(folder.path()));
        assert!(!found(folder.path()).1);
        let refused = kind.open(folder.path()).err().expect("it is refused");
        assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    });
}

#[test]
fn rl14_a_bent_number_in_a_leaf_of_redbs_costs_the_rows_beside_it_and_none_that_only_its_key_leads_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(StoreKind::Redb, folder.path());
    let whole = fs::read(&file).unwrap();
    // Of several rows; all were carried together, so no older page has them.
    let is_leaf = |at: &usize| whole[*at] == 1 && whole[*at + 2] > 10;
    let leaves: Vec<usize> = (0..whole.len()).step_by(4096).filter(is_leaf).collect();
    assert!(!leaves.is_empty());
    for at in leaves.into_iter().flat_map(|leaf| (leaf + 4..leaf + 60).step_by(5)) {
        let mut bent = whole.clone();
        bent[at] ^= 1 << (at % 8);
        fs::write(&file, bent).unwrap();
        let (count, _) = found(folder.path());
        assert!(count >= ROWS - 3, "byte {at}: {count} of {ROWS} rows");
    }
}
