//! Disks that are read-only or full. These stories mount small file systems of their own, which needs root; elsewhere
//! they say that they were not told.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use causeway_core::storage::{CommitError, FailureKind, StoreFailure};
use causeway_store::contract::{put, rows, space};
use causeway_store::{OpenError, Store, StoreKind, WriteAheadLimits};
use tempfile::TempDir;

/// A small disk in memory, unmounted when the story ends, however it ends.
struct Disk {
    at: TempDir,
}

impl Disk {
    fn new(options: &str) -> Option<Self> {
        let disk = Self { at: tempfile::tempdir().unwrap() };
        let mounted = mount(&["-t", "tmpfs", "-o", options, "causeway-store-test"], disk.at.path());
        if !mounted {
            eprintln!("not told: this machine lets us mount nothing");
        }
        mounted.then_some(disk)
    }

    /// Waits while the disk is busy: a child that another story has just forked holds our open files until it is
    /// another program, and sled's threads let theirs go a moment after their store is closed.
    fn remount(&self, options: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !mount(&["-o", &format!("remount,{options}")], self.path()) {
            assert!(Instant::now() < deadline, "the disk stays busy");
            std::thread::yield_now();
        }
    }

    fn path(&self) -> &Path {
        self.at.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, so that a file still open cannot keep the mount.
        let _ = Command::new("umount").arg("-l").arg(self.at.path()).status();
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    Command::new("mount").args(arguments).arg(at).status().is_ok_and(|status| status.success())
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = folder.read_dir().unwrap().map(|found| found.unwrap().path()).collect();
    names.sort();
    names
}

#[test]
fn st5_a_read_only_disk_is_refused_and_left_alone() {
    for kind in StoreKind::ALL {
        let Some(disk) = Disk::new("size=24m") else { return };
        drop(kind.open(disk.path().join("old")).unwrap());
        disk.remount("ro");
        for data in ["old", "new", "deep/new"].map(|name| disk.path().join(name)) {
            let refused = kind.open(&data).err().unwrap();
            assert_eq!(refused, OpenError::NotWritable(data));
            assert!(refused.to_string().contains("not writable"));
        }
        assert_eq!(names(disk.path()), [disk.path().join("old")]);
        disk.remount("rw");
        kind.open(disk.path().join("old")).unwrap();
    }
}

/// Saves rows until the store refuses, and tells how many were saved and why it ended.
fn fill(store: &dyn Store) -> (u32, StoreFailure) {
    let mut saved = 0u32;
    loop {
        assert!(saved < 1000, "50 MB do not fit on a disk of 24 MB");
        let commit = put(&[(&saved.to_be_bytes(), &VALUE)]);
        match store.apply(&space("room"), &commit).and_then(|()| store.sync().map_err(CommitError::from)) {
            Ok(()) => saved += 1,
            Err(CommitError::Failed(failure)) => return (saved, failure),
            Err(conflict @ CommitError::Conflict { .. }) => panic!("{conflict}"),
        }
    }
}

/// Opens the store again: everything that was saved is there, and it goes on.
fn goes_on(kind: StoreKind, data: &Path, saved: u32) {
    let store = kind.open(data).unwrap();
    let found = rows(&*store, &space("room"));
    assert!(found.len() >= saved as usize, "{kind}: {} of {saved} saved rows are there", found.len());
    for (n, (key, found)) in (0u32..).zip(found) {
        assert_eq!((key, found), (n.to_be_bytes().to_vec(), VALUE.to_vec()));
    }
    store.apply(&space("room"), &put(&[(b"after", b"v")])).unwrap();
    store.sync().unwrap();
}

static VALUE: [u8; 50_000] = [3; 50_000];

/// What fills the disk is the log, or the database into which it is carried.
const LIMITS: [WriteAheadLimits; 2] = [
    WriteAheadLimits { carry_bytes: 100 << 20, full_bytes: 200 << 20, piece_bytes: 4 << 20 },
    WriteAheadLimits { carry_bytes: 1 << 20, full_bytes: 2 << 20, piece_bytes: 4 << 20 },
];

/// Both kinds, and redb within both limits.
const STORES: [(StoreKind, WriteAheadLimits); 3] =
    [(StoreKind::Sled, LIMITS[0]), (StoreKind::Redb, LIMITS[0]), (StoreKind::Redb, LIMITS[1])];

#[test]
fn st4_a_full_disk_is_an_error_and_never_a_false_success() {
    for (kind, limits) in STORES {
        let Some(disk) = Disk::new("size=24m") else { return };
        let data = disk.path().join("data");
        let store = kind.open_within(limits, &data).unwrap();
        let (saved, failure) = fill(&*store);
        assert_eq!(failure.kind, FailureKind::Full, "{failure}");
        assert!(saved > 50, "only {saved} fitted");
        drop(store);
        assert!(!data.join("carrying").exists(), "it is the log that met the end of the disk, and not redb");
        // What was saved is also read as long as the disk is full, but where sled wants to write as it opens.
        match kind.open(&data) {
            Ok(store) => assert!(rows(&*store, &space("room")).len() >= saved as usize),
            Err(refused) => {
                assert_eq!((kind, refused), (StoreKind::Sled, OpenError::Full(data.clone())), "{limits:?}");
            }
        }
        disk.remount("size=96m");
        goes_on(kind, &data, saved);
    }
}

#[test]
fn st4_a_store_that_failed_takes_nothing_even_with_space_again_until_it_is_reopened() {
    for (kind, limits) in STORES {
        let Some(disk) = Disk::new("size=24m") else { return };
        let data = disk.path().join("data");
        let store = kind.open_within(limits, &data).unwrap();
        let (saved, _) = fill(&*store);
        // After a failed sync nobody knows what is on the disk.
        disk.remount("size=96m");
        assert_eq!(store.sync().unwrap_err().kind, FailureKind::Closed);
        let again = store.apply(&space("room"), &put(&[(b"k", b"v")]));
        assert!(matches!(again, Err(CommitError::Failed(failure)) if failure.kind == FailureKind::Closed));
        drop(store);
        goes_on(kind, &data, saved);
    }
}

const FOLDER: &str = "CAUSEWAY_STORE_TEST_FULL_FOLDER";
const KIND: &str = "CAUSEWAY_STORE_TEST_FULL_KIND";
const WHICH: &str = "CAUSEWAY_STORE_TEST_FULL_LIMITS";

/// Not a story of its own: the process of the next one, whose files may not grow.
#[test]
fn the_process_whose_files_may_not_grow() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let kind: StoreKind = std::env::var(KIND).unwrap().parse().unwrap();
    let limits = LIMITS[std::env::var(WHICH).unwrap().parse::<usize>().unwrap()];
    let (saved, failure) = fill(&*kind.open_within(limits, folder).unwrap());
    assert_eq!(failure.kind, FailureKind::Full, "{failure}");
    println!("\nsaved {saved}");
}

/// Told without root, too: the system refuses files beyond 24 MB, and later does not.
#[test]
fn st4_files_that_may_not_grow_are_a_full_disk() {
    for (kind, which) in [(StoreKind::Sled, 0), (StoreKind::Redb, 0), (StoreKind::Redb, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let limited = Command::new("sh")
            .args(["-c", r#"trap "" XFSZ; ulimit -f 48000; exec "$0" "$@""#])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "the_process_whose_files_may_not_grow", "--nocapture"])
            .env(FOLDER, folder.path())
            .env(KIND, kind.name())
            .env(WHICH, which.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&limited.stdout).into_owned();
        assert!(limited.status.success(), "{said}{}", String::from_utf8_lossy(&limited.stderr));
        let saved = said.lines().find_map(|line| line.strip_prefix("saved ")).unwrap().parse().unwrap();
        assert!(saved > 50, "only {saved} fitted");
        goes_on(kind, folder.path(), saved);
    }
}

#[test]
fn st4_a_disk_that_is_full_from_the_start_is_refused_and_left_as_it_was() {
    for kind in StoreKind::ALL {
        let Some(disk) = Disk::new("size=24m") else { return };
        let fill = disk.path().join("fill");
        let filled = std::fs::write(&fill, vec![0; 30 << 20]);
        assert!(filled.is_err(), "the disk is full now");
        let data = disk.path().join("data");
        let refused = kind.open(&data).err().unwrap();
        assert_eq!(refused, OpenError::Full(data.clone()));
        assert_eq!(names(disk.path()), std::slice::from_ref(&fill));
        std::fs::remove_file(fill).unwrap();
        kind.open(data).unwrap();
    }
}
