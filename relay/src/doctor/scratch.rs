//! A folder for a copy of a database, gone again when it is dropped.

use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// In this folder, or where the system keeps such things. Nobody else may look into it.
    pub(super) fn make(within: Option<&Path>) -> Result<Self, Failure> {
        let mut name = [0; 8];
        getrandom::fill(&mut name).expect("the system has randomness");
        let name = format!("causeway-doctor-{:016x}", u64::from_le_bytes(name));
        let folder = within.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let path = folder.join(name);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|why| Failure::Scratch { folder, why })?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
