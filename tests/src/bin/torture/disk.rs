//! A disk that forgets: a file system of our own in memory, mounted for a relay to keep its data on. It knows what was
//! fsynced and what was only written, can break at any operation, and can lose its power.

mod fuse;
mod image;

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use fuser::{BackgroundSession, Config, MountOption, spawn_mount};
use tempfile::TempDir;

use self::image::Image;
pub(crate) use self::image::Trouble;
use crate::Outcome;
use crate::rng::Rng;

/// A mounted disk; it is unmounted with this.
#[derive(Debug)]
pub(crate) struct Disk {
    platter: Arc<Platter>,
    session: Option<BackgroundSession>,
    at: TempDir,
}

/// What is on it, for us and for the thread that answers the kernel.
#[derive(Debug, Default)]
struct Platter {
    image: Mutex<Image>,
    /// All is well again.
    mended: Condvar,
}

impl Platter {
    fn image(&self) -> MutexGuard<'_, Image> {
        self.image.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn image_when_it_answers(&self) -> MutexGuard<'_, Image> {
        let image = self.mended.wait_while(self.image(), |image| image.hangs());
        image.unwrap_or_else(PoisonError::into_inner)
    }

    fn mend(&self) {
        self.image().mend();
        self.mended.notify_all();
    }
}

impl Disk {
    /// Mounts an empty disk. Needs root and the kernel's part of FUSE.
    pub(crate) fn mount() -> Outcome<Self> {
        let mut disk = Self { platter: Arc::default(), session: None, at: tempfile::tempdir()? };
        disk.attach()?;
        Ok(disk)
    }

    fn attach(&mut self) -> Outcome<()> {
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("causeway-torture".into()), MountOption::NoAtime];
        let files = fuse::Files::new(Arc::clone(&self.platter));
        self.session =
            Some(spawn_mount(files, self.at.path(), &config).map_err(|why| format!("no FUSE here: {why}"))?);
        Ok(())
    }

    fn detach(&mut self) -> Outcome<()> {
        // A disk that answers nobody cannot be unmounted.
        self.platter.mend();
        match self.session.take().map(BackgroundSession::umount_and_join) {
            // The kernel's other word for a file system that has been unmounted.
            Some(Err(why)) if why.kind() != std::io::ErrorKind::ConnectionAborted => Err(why.into()),
            Some(Ok(()) | Err(_)) | None => Ok(()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.at.path()
    }

    /// From so many changes on there is this trouble.
    pub(crate) fn trouble_after(&self, changes: u64, trouble: Trouble) {
        self.image().trouble_after(changes, trouble);
    }

    /// All is well again.
    pub(crate) fn mend(&self) {
        self.platter.mend();
    }

    /// Whether the trouble has begun.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.image().is_in_trouble()
    }

    /// Changes of files and names, and syncs, so far.
    pub(crate) fn changes(&self) -> u64 {
        self.image().changes()
    }

    /// The power is gone and comes back: of what was not fsynced a random part is left. Whoever used the disk has ended.
    pub(crate) fn cut_power(&mut self, rng: &mut Rng) -> Outcome<()> {
        self.detach()?;
        self.image().cut_power(rng);
        self.attach()
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.platter.image()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(why) = self.detach() {
            eprintln!("{} stays mounted: {why}", self.at.path().display());
        }
    }
}
