//! The kinds of store that keep a data folder, and how one of them is chosen.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use crate::ahead::{WriteAheadLimits, WriteAheadStore};
use crate::folder::{self, Past};
use crate::{OpenError, SledStore, Store, sled_store};

/// Which embedded database keeps a data folder. A folder stays with the kind that first wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StoreKind {
    /// sled: a log of its own.
    Sled,
    /// redb behind a write-ahead log. The default.
    #[default]
    Redb,
}

/// A word that names no kind of store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no kind of store; say sled or redb")]
pub struct UnknownKind(pub String);

impl StoreKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Sled, Self::Redb];

    /// The word for it, as people write it and as the file `FORMAT` says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Redb => "redb",
        }
    }

    /// Opens a store of this kind in a data folder, creating the folder where there is none.
    ///
    /// # Errors
    /// One sentence each that says what to do; nothing was touched.
    pub fn open(self, folder: impl AsRef<Path>) -> Result<Arc<dyn Store>, OpenError> {
        self.open_within(WriteAheadLimits::default(), folder)
    }

    /// The same with other limits of the write-ahead log than the usual ones; sled has none.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_within(
        self,
        limits: WriteAheadLimits,
        folder: impl AsRef<Path>,
    ) -> Result<Arc<dyn Store>, OpenError> {
        self.open_after(folder.as_ref(), Past::Plain, limits)
    }

    /// The kind that keeps a data folder; nothing where there is none, or nothing in it.
    ///
    /// # Errors
    /// Where the folder is of another format, or does not say.
    pub fn of(folder: impl AsRef<Path>) -> Result<Option<Self>, OpenError> {
        folder::kind_of(folder.as_ref())
    }

    /// The same after what has happened to the store. Where its disk failed everything that may not have reached it is written
    /// once more first, as what an fsync could not write is still read and no longer written by any other: it may take as long
    /// as copying the database.
    pub(crate) fn open_after(
        self,
        folder: &Path,
        past: Past,
        limits: WriteAheadLimits,
    ) -> Result<Arc<dyn Store>, OpenError> {
        Ok(match self {
            Self::Sled => Arc::new(SledStore::open_after(folder, past)?),
            Self::Redb => Arc::new(WriteAheadStore::open(folder, past, limits)?),
        })
    }

    /// What of the data folder belongs to the database itself: a folder of sled's, a file of redb's.
    pub(crate) fn content(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Redb => "rows.redb",
        }
    }

    /// The file of a data folder in which the database keeps its rows.
    pub(crate) fn file_in(self, folder: &Path) -> PathBuf {
        let content = folder.join(self.content());
        match self {
            Self::Sled => content.join(sled_store::LOG),
            Self::Redb => content,
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for StoreKind {
    type Err = UnknownKind;

    fn from_str(word: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == word).ok_or_else(|| UnknownKind(word.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_nothing_else_is() {
        for kind in StoreKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!(
            "rocks".parse::<StoreKind>().unwrap_err().to_string(),
            "'rocks' is no kind of store; say sled or redb"
        );
    }
}
