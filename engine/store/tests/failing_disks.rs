//! Disks that are read-only or full. These stories mount small file systems of their own, which needs root; elsewhere
//! they say that they were not told.
#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

use causeway_core::storage::{CommitError, FailureKind};
use causeway_store::contract::{put, rows, space};
use causeway_store::{OpenError, SledStore, Store};
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

    fn remount(&self, options: &str) {
        assert!(mount(&["-o", &format!("remount,{options}")], self.path()));
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
fn a_read_only_disk_is_refused_and_left_alone() {
    let Some(disk) = Disk::new("size=24m") else { return };
    drop(SledStore::open(disk.path().join("old")).unwrap());
    disk.remount("ro");
    for data in ["old", "new", "deep/new"].map(|name| disk.path().join(name)) {
        let refused = SledStore::open(&data).unwrap_err();
        assert_eq!(refused, OpenError::NotWritable(data));
        assert!(refused.to_string().contains("not writable"));
    }
    assert_eq!(names(disk.path()), [disk.path().join("old")]);
    disk.remount("rw");
    SledStore::open(disk.path().join("old")).unwrap();
}

#[test]
fn a_full_disk_is_an_error_and_never_a_false_success() {
    let Some(disk) = Disk::new("size=24m") else { return };
    let data = disk.path().join("data");
    let store = SledStore::open(&data).unwrap();
    let value = vec![3; 50_000];
    let mut saved = 0u32;
    let failure = loop {
        assert!(saved < 1000, "50 MB do not fit on a disk of 24 MB");
        let commit = put(&[(&saved.to_be_bytes(), &value)]);
        match store.apply(&space("room"), &commit).and_then(|()| store.sync().map_err(CommitError::from)) {
            Ok(()) => saved += 1,
            Err(CommitError::Failed(failure)) => break failure,
            Err(conflict @ CommitError::Conflict { .. }) => panic!("{conflict}"),
        }
    };
    assert_eq!(failure.kind, FailureKind::Full, "{failure}");
    assert!(saved > 50, "only {saved} fitted");

    // Not even with space again: after a failed sync nobody knows what is on the disk.
    disk.remount("size=96m");
    assert_eq!(store.sync().unwrap_err().kind, FailureKind::Closed);
    let again = store.apply(&space("room"), &put(&[(b"k", b"v")]));
    assert!(matches!(again, Err(CommitError::Failed(failure)) if failure.kind == FailureKind::Closed));
    drop(store);

    let store = SledStore::open(&data).unwrap();
    let found = rows(&store, &space("room"));
    assert!(found.len() >= saved as usize, "{} of {saved} saved rows are there", found.len());
    for (n, (key, found)) in (0u32..).zip(found) {
        assert_eq!((key, found), (n.to_be_bytes().to_vec(), value.clone()));
    }
    store.apply(&space("room"), &put(&[(b"after", b"v")])).unwrap();
    store.sync().unwrap();
}

#[test]
fn a_disk_that_is_full_from_the_start_is_refused_and_left_as_it_was() {
    let Some(disk) = Disk::new("size=24m") else { return };
    let fill = disk.path().join("fill");
    let filled = std::fs::write(&fill, vec![0; 30 << 20]);
    assert!(filled.is_err(), "the disk is full now");
    let data = disk.path().join("data");
    let refused = SledStore::open(&data).unwrap_err();
    assert_eq!(refused, OpenError::Full(data.clone()));
    assert_eq!(names(disk.path()), std::slice::from_ref(&fill));
    std::fs::remove_file(fill).unwrap();
    SledStore::open(data).unwrap();
}
