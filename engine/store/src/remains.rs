//! What is left of a data folder that a store refuses to open, or that somebody suspects. Nothing in the folder is changed:
//! the database is opened on a copy, as opening it would repair it.
//!
//! * [`examine`] says in sentences what is right and wrong, and finds rows in two ways: as the database gives them, and,
//!   where that is not all, in the bytes of its file (`leaves` for redb, `log` for sled). A row has a sum over key and value,
//!   so what is found is what was once written; whether it is the newest is for others to judge.
//! * Above what the database gives stands what the write-ahead log holds (`ahead`), which is read where it lies.
//! * Long values lie in pieces that have no sum of their own, but for the whole: they are found where all pieces are.

mod ahead;
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
use causeway_core::stored::Prefix;

use crate::folder::tip::{self, Noted};
use crate::folder::{self, Mark};
use crate::limits::CARRY_ATTEMPTS;
use crate::pieces::{Pieces, Unread};
use crate::rows::layout;
use crate::{OpenError, Space, StoreKind};

use ahead::Ahead;
use carved::{Carved, Kept};
use opened::{Opened, Seen};

/// A data folder that was looked at.
#[derive(Debug)]
pub struct Remains {
    /// What keeps it.
    pub kind: StoreKind,
    /// What was found, the folder first.
    pub findings: Vec<Finding>,
    opened: Option<Opened>,
    ahead: Ahead,
    carved: Kept,
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
/// owner removes it. Where rows are looked for beside the database, those that it does not give itself are held in memory.
/// What the disk does not read is told, and the rest is read.
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
    let mut remains = Remains {
        kind,
        findings,
        opened: None,
        ahead: Ahead::default(),
        carved: Kept::default(),
        spaces: BTreeSet::new(),
    };
    let noted = tip::read(&folder.join(folder::TIP));
    let file = kind.file_in(folder);
    if !file.exists() {
        let gone = format!("The database is gone: there is no {}.", file.display());
        remains.findings.push(Finding::wrong(gone));
        remains.read_ahead(folder, None, noted).map_err(refuse)?;
        return Ok(remains);
    }
    let copy = scratch.join(kind.content());
    let unread = copy_all(&folder.join(kind.content()), &copy).map_err(refuse)?;
    remains.findings.extend(unread_places(&unread));
    let (is_untouched, held) = remains.open(&copy);
    remains.read_ahead(folder, held, noted).map_err(refuse)?;
    if !remains.is_sound() || is_untouched {
        remains.carve(&file, is_untouched).map_err(refuse)?;
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

    /// All that was found of a space: under each key the newest value, then others that the files hold.
    #[must_use]
    pub fn rows(&self, space: &Space) -> Found {
        let mut found = Found::new();
        let opened = self.opened.as_ref();
        let mut carved = Found::new();
        self.carved.rows(space, opened, &mut carved);
        if let Some(opened) = opened {
            opened.rows(space, &mut found);
            // Of a quarantine that was ended a row may still lie in the file.
            carved.retain(|key, _| key.first() != Some(&(Prefix::Quarantine as u8)));
        }
        for (key, values) in carved {
            let given = found.entry(key).or_default();
            for value in values {
                if !given.contains(&value) {
                    given.push(value);
                }
            }
        }
        self.ahead.rows(space, &mut found);
        found
    }

    /// Whether the copy opens as a database to which nobody has ever written, and the number of the last batch that it holds, if
    /// that can be read.
    fn open(&mut self, copy: &Path) -> (bool, Option<u64>) {
        match Opened::open(self.kind, copy) {
            Err(why) => {
                self.findings.push(Finding::wrong(format!("{} does not open: {why}.", self.kind)));
                (false, None)
            }
            Ok(opened) => {
                let Seen { findings, is_untouched, batch } = opened.look(&mut self.spaces);
                self.findings.extend(findings);
                self.opened = Some(opened);
                (is_untouched, batch)
            }
        }
    }

    /// Reads the write-ahead log, and holds what there is of both against what was saved.
    fn read_ahead(&mut self, folder: &Path, held: Option<u64>, noted: Noted) -> io::Result<()> {
        let saved = match noted {
            Noted::Saved(saved) => saved,
            Noted::Unreadable | Noted::Missing => 0,
        };
        self.ahead = Ahead::read(&folder.join(folder::AHEAD), held, saved, &mut self.findings)?;
        self.ahead.spaces(&mut self.spaces);
        if Mark::of(folder).attempts() >= CARRY_ATTEMPTS {
            let gave_up = "The database gave up each time that something was written to it; what is newer lies in its log alone.";
            self.findings.push(Finding::wrong(gave_up));
        }
        let last = self.ahead.last;
        self.findings.extend(match noted {
            // What is wrong with a database that does not say how far it is, or with a log, has been told.
            Noted::Saved(_) if held.is_none() || !self.ahead.is_whole => None,
            Noted::Saved(saved) if last < saved => {
                Some(Finding::wrong(format!("Of {saved} saved commits it holds {last}.")))
            }
            Noted::Saved(saved) => {
                Some(Finding::sound(format!("It holds all {saved} commits that were noted as saved.")))
            }
            Noted::Missing => Some(Finding::wrong(
                "The file tip is missing: nobody can tell whether commits are, that were saved.",
            )),
            Noted::Unreadable => Some(Finding::wrong(
                "The file tip cannot be read: nobody can tell whether commits are missing, that were saved.",
            )),
        });
        Ok(())
    }

    fn carve(&mut self, file: &Path, is_untouched: bool) -> io::Result<()> {
        let mut carved = Carved::beside(self.opened.as_ref(), &self.spaces);
        carve(self.kind, &File::open(file)?, &mut carved)?;
        self.carved = carved.into_kept();
        self.spaces.extend(self.carved.keys().filter_map(layout::space_of));
        if is_untouched && self.carved.count() > 0 {
            self.findings.push(Finding::wrong("It opens as if nobody had ever written to it."));
        }
        if !self.is_sound() {
            let sentence = format!(
                "In the bytes of its file whole rows were met {} times, {} of them such as the database does not give.",
                self.carved.met(),
                self.carved.count()
            );
            self.findings.push(Finding::sound(sentence));
        }
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

/// Whether there are rows in the bytes of a database's file, whatever it says itself.
pub(crate) fn holds_rows(kind: StoreKind, file: &Path) -> io::Result<bool> {
    let mut carved = Carved::nothing();
    carve(kind, &File::open(file)?, &mut carved)?;
    Ok(carved.into_kept().met() > 0)
}

fn carve(kind: StoreKind, file: &File, carved: &mut Carved<'_>) -> io::Result<()> {
    match kind {
        StoreKind::Redb => leaves::carve(file, carved),
        StoreKind::Sled => log::carve(file, carved),
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

fn copy_all(from: &Path, to: &Path) -> io::Result<Unread> {
    if !from.is_dir() {
        let original = File::open(from)?;
        let mut pieces = Pieces::of(&original)?;
        io::copy(&mut pieces, &mut File::create(to)?)?;
        return Ok(pieces.into_unread());
    }
    fs::create_dir(to)?;
    let mut unread = Unread::default();
    for found in fs::read_dir(from)? {
        let found = found?;
        unread = unread.and(copy_all(&found.path(), &to.join(found.file_name()))?);
    }
    Ok(unread)
}

fn unread_places(unread: &Unread) -> Option<Finding> {
    let Unread { places, bytes, why, .. } = unread;
    let why = why.as_ref()?;
    let places = if *places == 1 { "1 place".into() } else { format!("{places} places") };
    Some(Finding::wrong(format!("{places} of the database, {bytes} bytes together, cannot be read: {why}.")))
}
