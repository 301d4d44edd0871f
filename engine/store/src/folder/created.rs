//! What an attempt to open a data folder has made, to be taken away again if it fails.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::watch;

/// What this attempt made; it is removed again unless the attempt succeeds.
#[derive(Default)]
pub(super) struct Created(Vec<Made>);

/// One thing that was made.
pub(crate) enum Made {
    /// A file.
    File(PathBuf),
    /// The data folder or one above it: removed only if it is empty.
    Folder(PathBuf),
    /// A database's own folder, to which nobody ever wrote: removed whole.
    Tree(PathBuf),
}

impl Created {
    pub(super) fn add(&mut self, made: Made) {
        self.0.push(made);
    }

    /// Creates the folder, open to nobody but whoever runs this, and those above it that are missing.
    pub(super) fn folders(&mut self, folder: &Path) -> io::Result<()> {
        for one in missing(folder).into_iter().rev() {
            let made = if one == folder { create_private(&one) } else { fs::create_dir(&one) };
            match made {
                Ok(()) => self.add(Made::Folder(one)),
                // Someone else was faster.
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Makes the names of the files durable, as a database fsyncs only what is in them, and keeps all that was made.
    pub(super) fn keep(mut self, folder: &Path) -> io::Result<()> {
        sync_folder(folder)?;
        for made in &self.0 {
            if let Made::Folder(path) = made {
                match path.canonicalize()?.parent().map_or(Ok(()), sync_folder) {
                    // We may put a folder there without being allowed to look at it.
                    Err(e) if e.kind() != ErrorKind::PermissionDenied => return Err(e),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        self.0.clear();
        Ok(())
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        for made in self.0.drain(..).rev() {
            let _ = match made {
                Made::File(path) => fs::remove_file(path),
                Made::Folder(path) => fs::remove_dir(path),
                Made::Tree(path) => fs::remove_dir_all(path),
            };
        }
    }
}

/// The folder and those above it that are not there, from the inside out.
pub(crate) fn missing(folder: &Path) -> Vec<PathBuf> {
    let missing = folder.ancestors().take_while(|f| !f.as_os_str().is_empty() && !f.exists());
    missing.map(Path::to_path_buf).collect()
}

/// What lies there holds all that anybody wrote.
#[cfg(unix)]
fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    watch::step();
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened like a file, and its file system keeps names in a journal of its own.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_data_folder_is_made_for_whoever_runs_the_store_alone_and_those_above_it_as_usual() {
        let home = tempfile::tempdir().unwrap();
        let usual = home.path().join("usual");
        fs::create_dir(&usual).unwrap();
        let data = home.path().join("above/data");
        let mut created = Created::default();
        created.folders(&data).unwrap();
        let mode = |folder: &Path| fs::metadata(folder).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data), 0o700);
        assert_eq!(mode(data.parent().unwrap()), mode(&usual));
        drop(created);
        assert!(!data.parent().unwrap().exists(), "what was not kept is taken away");
    }
}
