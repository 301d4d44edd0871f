//! Stories of one data folder: opened, refused, reopened, damaged.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use causeway_store::contract::{put, rows, space};
use causeway_store::{OpenError, StoreKind};

/// Every path under a folder with what is in it.
fn picture(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut seen = BTreeMap::new();
    for found in fs::read_dir(folder).unwrap() {
        let path = found.unwrap().path();
        if path.is_dir() {
            seen.insert(path.clone(), Vec::new());
            seen.extend(picture(&path));
        } else {
            seen.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    seen
}

fn refusal(kind: StoreKind, folder: impl AsRef<Path>) -> OpenError {
    kind.open(folder).err().expect("it is refused")
}

#[test]
fn what_was_written_is_there_after_reopening() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a folder/that does not exist yet");
        let long = vec![9; 100_000];
        for round in 0..3u8 {
            let store = kind.open(&data).unwrap();
            assert_eq!(rows(&*store, &space("room")).len(), usize::from(round));
            store.apply(&space("room"), &put(&[(&[round], &long)])).unwrap();
            store.sync().unwrap();
        }
        let store = kind.open(&data).unwrap();
        assert!(rows(&*store, &space("room")).into_iter().all(|(_, value)| value == long));
    }
}

#[test]
fn st5_a_folder_that_is_open_is_refused_and_left_alone() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        let store = kind.open(folder.path()).unwrap();
        let before = picture(folder.path());
        let refused = refusal(kind, folder.path());
        assert_eq!(refused, OpenError::Locked(folder.path().into()));
        assert!(refused.to_string().contains("in use by another process"));
        assert_eq!(picture(folder.path()), before);
        drop(store);
        kind.open(folder.path()).unwrap();
    }
}

const FOLDER_OF_THE_OTHER: &str = "CAUSEWAY_STORE_TEST_LOCKED_FOLDER";
const KIND_OF_THE_OTHER: &str = "CAUSEWAY_STORE_TEST_LOCKED_KIND";

/// Not a story of its own: what the other process of the next story does.
#[test]
fn the_other_process() {
    if let Ok(folder) = std::env::var(FOLDER_OF_THE_OTHER) {
        let kind = std::env::var(KIND_OF_THE_OTHER).unwrap().parse().unwrap();
        assert_eq!(refusal(kind, &folder), OpenError::Locked(folder.into()));
        println!("it was locked");
    }
}

#[test]
fn st5_a_folder_that_another_process_has_open_is_refused() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        let _store = kind.open(folder.path()).unwrap();
        let other = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_other_process", "--nocapture"])
            .env(FOLDER_OF_THE_OTHER, folder.path())
            .env(KIND_OF_THE_OTHER, kind.name())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&other.stdout).into_owned();
        assert!(other.status.success() && said.contains("it was locked"), "{said}");
    }
}

/// The format that each kind writes.
fn known(kind: StoreKind) -> u32 {
    match kind {
        StoreKind::Sled => 3,
        StoreKind::Redb => 4,
    }
}

#[test]
fn st5_a_folder_of_a_newer_version_is_refused_and_left_alone() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("FORMAT"), format!("causeway store, {kind}, format 5\n")).unwrap();
        let before = picture(folder.path());
        let refused = refusal(kind, folder.path());
        assert_eq!(refused, OpenError::NewerFormat { found: 5, known: known(kind) });
        assert!(refused.to_string().contains("install a newer version"));
        assert_eq!(picture(folder.path()), before);
    }
}

#[test]
fn st5_a_folder_of_an_older_format_is_refused_and_left_alone() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        drop(kind.open(folder.path()).unwrap());
        fs::write(folder.path().join("FORMAT"), format!("causeway store, {kind}, format 2\n")).unwrap();
        let before = picture(folder.path());
        let refused = refusal(kind, folder.path());
        assert_eq!(refused, OpenError::OlderFormat { found: 2, known: known(kind) });
        assert!(refused.to_string().contains("choose a new data folder"));
        assert_eq!(picture(folder.path()), before);
    }
}

#[test]
fn st5_a_file_in_place_of_the_folder_is_refused_and_left_alone() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data");
        fs::write(&file, "letters").unwrap();
        assert_eq!(refusal(kind, &file), OpenError::NotAFolder(file.clone()));
        let below = file.join("below");
        assert_eq!(refusal(kind, &below), OpenError::NotAFolder(below));
        assert_eq!(fs::read_to_string(&file).unwrap(), "letters");
    }
}

#[test]
fn st5_a_folder_without_its_format_or_with_an_unreadable_one_is_called_damaged() {
    for kind in StoreKind::ALL {
        let folder = tempfile::tempdir().unwrap();
        drop(kind.open(folder.path()).unwrap());
        for format in [None, Some("causeway"), Some("causeway store, sled, format -1"), Some("")] {
            fs::remove_file(folder.path().join("FORMAT")).unwrap();
            if let Some(format) = format {
                fs::write(folder.path().join("FORMAT"), format).unwrap();
            }
            let before = picture(folder.path());
            let refused = refusal(kind, folder.path());
            assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
            assert_eq!(picture(folder.path()), before);
            fs::write(
                folder.path().join("FORMAT"),
                format!("causeway store, {kind}, format {}", known(kind)),
            )
            .unwrap();
        }
        kind.open(folder.path()).unwrap();
    }
}

#[test]
fn st5_a_folder_of_the_other_kind_is_refused_in_one_sentence_and_left_alone() {
    for (found, asked) in [(StoreKind::Sled, StoreKind::Redb), (StoreKind::Redb, StoreKind::Sled)] {
        let folder = tempfile::tempdir().unwrap();
        drop(found.open(folder.path()).unwrap());
        let before = picture(folder.path());
        let refused = refusal(asked, folder.path());
        assert_eq!(refused, OpenError::OtherKind { folder: folder.path().into(), found, asked });
        let told = refused.to_string();
        assert!(told.contains(&format!("ask for {found}")), "{told}");
        assert_eq!(picture(folder.path()), before);
        found.open(folder.path()).unwrap();
    }
}

#[test]
fn an_unreadable_database_is_called_damaged_and_left_alone() {
    for (kind, file) in [(StoreKind::Sled, "sled/conf"), (StoreKind::Redb, "rows.redb")] {
        let folder = tempfile::tempdir().unwrap();
        drop(kind.open(folder.path()).unwrap());
        let file = folder.path().join(file);
        let sound = fs::read(&file).unwrap();
        fs::write(&file, "no words that a database knows").unwrap();
        let before = picture(folder.path());
        let refused = refusal(kind, folder.path());
        assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
        assert_eq!(picture(folder.path()), before);
        fs::write(&file, sound).unwrap();
        kind.open(folder.path()).unwrap();
    }
}
