//! Small file systems of our own, for disks that are full or read-only. Mounting needs root; elsewhere a story says that
//! it was not told.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A small disk in memory, unmounted when the story ends, however it ends.
pub(crate) struct Disk {
    at: TempDir,
}

impl Disk {
    pub(crate) fn mount(options: &str) -> Option<Self> {
        let at = tempfile::tempdir().unwrap();
        let arguments = ["-t", "tmpfs", "-o", options, "causeway-relay-test"];
        let mounted = Command::new("mount").args(arguments).arg(at.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { at });
        }
        eprintln!("not told: this machine lets us mount nothing");
        None
    }

    pub(crate) fn path(&self) -> &Path {
        self.at.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}
