//! What is left of a data folder that a store refuses to open, or that somebody suspects. Nothing in the folder is changed:
//! the database is opened on a copy, as opening it would repair it.
//!
//! * [`examine`] says in sentences what is right and wrong, and finds rows in two ways: as the database gives them, and,
//!   where that is not all, in the bytes of its file (`leaves` for redb, `log` for sled). A row has a sum over key and value,
//!   so what is found is what was once written; whether it is the newest is for others to judge.
//! * Long values lie in pieces that have no sum of their own, but for the whole: they are found where all pieces are.

mod carved;
mod leaves;
mod log;
mod opened;

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use causeway_core::salvage::Found;

use crate::folder::{self, tip};
use crate::rows::layout;
use crate::{OpenError, Space, StoreKind};

use carved::Carved;
use opened::Opened;

/// A data folder that was looked at.
#[derive(Debug)]
pub struct Remains {
    /// What keeps it.
    pub kind: StoreKind,
    /// What was found, the folder first.
    pub findings: Vec<Finding>,
    opened: Option<Opened>,
    carved: Carved,
    spaces: BTreeSet<Space>,
}

/// Something that is right or wrong with a data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether that is as it should be.
    pub sound: bool,
    /// In a sentence.
    pub sentence: String,
}

/// Why a folder was not looked at.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    /// A relay serves it.
    #[error("The data folder {} is in use; stop the relay first.", .0.display())]
    InUse(PathBuf),
    /// There is nothing to look at.
    #[error("There is no store in {}.", .0.display())]
    NoStore(PathBuf),
    /// It cannot be read, or there is no room for a copy of the database.
    #[error("{} cannot be copied to {} and read there: {why}.", .folder.display(), .scratch.display())]
    Io {
        /// The data folder.
        folder: PathBuf,
        /// Where the copy should go.
        scratch: PathBuf,
        /// What the operating system said.
        #[source]
        why: io::Error,
    },
}

/// Looks at a data folder. `scratch` is a folder with room for a copy of the database; what is made there stays until its
/// owner removes it. Where rows are looked for beside the database, all that are found are held in memory.
///
/// # Errors
/// See [`ExamineError`].
pub fn examine(folder: &Path, scratch: &Path) -> Result<Remains, ExamineError> {
    let refuse = |why| ExamineError::Io { folder: folder.into(), scratch: scratch.into(), why };
    let _lock = lock(folder).map_err(refuse)?.ok_or_else(|| ExamineError::InUse(folder.into()))?;
    let mut findings = Vec::new();
    let named = StoreKind::of(folder);
    let lying = StoreKind::ALL.into_iter().find(|kind| folder.join(kind.content()).exists());
    let kind = match &named {
        Ok(Some(kind)) => {
            findings.push(Finding::sound(format!(
                "The folder is kept by {kind}, in the format of this version."
            )));
            *kind
        }
        Ok(None) | Err(_) => {
            let kind = lying.ok_or_else(|| ExamineError::NoStore(folder.into()))?;
            let why = named.err().map_or_else(|| "FORMAT is missing".into(), |why| why.to_string());
            findings
                .push(Finding::wrong(format!("The folder does not say what keeps it ({why}); {kind} does.")));
            kind
        }
    };
    if folder.join(folder::RESTORING).exists() {
        findings.push(Finding::wrong(OpenError::HalfRestored(folder.into()).to_string()));
    }
    let saved = tip::read(&folder.join(folder::TIP)).map_err(refuse)?;
    let original = folder.join(kind.content());
    let copy = scratch.join(kind.content());
    copy_all(&original, &copy).map_err(refuse)?;
    let mut remains =
        Remains { kind, findings, opened: None, carved: Carved::default(), spaces: BTreeSet::new() };
    remains.open(&copy, saved);
    if !remains.is_sound() {
        remains.carve(&original).map_err(refuse)?;
    }
    Ok(remains)
}

impl Remains {
    /// Whether nothing was found to be wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.sound)
    }

    /// The spaces of which a row was found.
    pub fn spaces(&self) -> impl Iterator<Item = &Space> {
        self.spaces.iter()
    }

    /// All that was found of a space: under each key the value the database gives, then others that its file holds.
    #[must_use]
    pub fn rows(&self, space: &Space) -> Found {
        let mut found = Found::new();
        if let Some(opened) = &self.opened {
            opened.rows(space, &mut found);
        }
        self.carved.rows(space, &mut found);
        found
    }

    fn open(&mut self, copy: &Path, saved: u64) {
        match Opened::open(self.kind, copy) {
            Err(why) => self.findings.push(Finding::wrong(format!("{} does not open: {why}.", self.kind))),
            Ok(opened) => {
                let told = opened.look(saved, &mut self.spaces);
                self.findings.extend(told);
                self.opened = Some(opened);
            }
        }
    }

    fn carve(&mut self, original: &Path) -> io::Result<()> {
        match self.kind {
            StoreKind::Redb => leaves::carve(&File::open(original)?, &mut self.carved)?,
            StoreKind::Sled => log::carve(&File::open(original.join(log::FILE))?, &mut self.carved)?,
        }
        self.spaces.extend(self.carved.keys().filter_map(layout::space_of));
        let sentence = format!("In the bytes of its file {} whole rows were found.", self.carved.count());
        self.findings.push(Finding::sound(sentence));
        Ok(())
    }
}

impl Finding {
    fn sound(sentence: impl Into<String>) -> Self {
        Self { sound: true, sentence: sentence.into() }
    }

    fn wrong(sentence: impl Into<String>) -> Self {
        Self { sound: false, sentence: sentence.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", if self.sound { "right" } else { "WRONG" }, self.sentence)
    }
}

/// The lock of a folder, if nobody has it; a folder without one is in nobody's use.
fn lock(folder: &Path) -> io::Result<Option<Option<File>>> {
    let file = match File::open(folder.join(folder::LOCK)) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Some(None)),
        Err(e) => return Err(e),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(Some(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for found in fs::read_dir(from)? {
        let found = found?;
        copy_all(&found.path(), &to.join(found.file_name()))?;
    }
    Ok(())
}
