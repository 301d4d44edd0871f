//! Copying a store while others write to it.
//!
//! A page shows one moment, a space of many pages does not. So the commits to a space are taken down while its pages are
//! read, and written behind them: whoever makes all of it in that order has the space as it was when the last page had been
//! read. A row that no commit touched is as it was all the time, and one that was touched is in the end what the last commit
//! made of it.

use std::io::{self, Write};

use causeway_core::storage::{FailureKind, Page, Scan, StoreFailure};
use causeway_core::time::Millis;

use super::listing::{Listed, Listing};
use super::{BackupWriter, Change, Packing, Summary};
use crate::limits::{COPY_PAGE_BYTES, COPY_PAGE_ROWS, MAX_KEY_BYTES};
use crate::tap::{Following, TapLost};
use crate::{Space, StoreGate};

/// Why a store could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Two at a time would each cost the other's and everybody's time.
    #[error("another backup is being made; wait until it is done")]
    Another,
    /// A room takes in more than is read of it.
    #[error("a room is written to faster than its backup is read; write the backup to a faster disk")]
    TooSlow,
    /// The store cannot be read.
    #[error("the store failed: {0}")]
    Store(#[from] StoreFailure),
    /// The copy cannot be written.
    #[error("{0}")]
    Write(#[from] io::Error),
}

/// Writes all spaces as a backup: each as it was at one moment between the call and its return, and nothing that was
/// durable before the call is missing. Blocks for as long as that takes. `watch` is told after each page.
///
/// # Errors
/// See [`CopyError`]; unless it is the output itself that fails, whoever reads it is told why it ends there.
pub fn copy<W: Write>(
    store: &StoreGate,
    out: W,
    packing: Packing,
    made: Millis,
    watch: &mut dyn FnMut(&Summary),
) -> Result<(W, Summary), CopyError> {
    let writer = BackupWriter::begin(out, packing, made)?;
    let everything = Part { prefixes: vec![Vec::new()] };
    let mut copying = Copying { store, writer, part: &everything, watch };
    let outcome = copying.all_rooms();
    copying.end(outcome)
}

/// The rows of a space whose keys begin in certain ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// How; in ascending order, and none begins with another.
    pub prefixes: Vec<Vec<u8>>,
}

impl Part {
    fn holds(&self, key: &[u8]) -> bool {
        self.prefixes.iter().any(|prefix| key.starts_with(prefix))
    }
}

/// Writes a part of one space, as [`copy`] does, and reads nothing else.
///
/// # Errors
/// As for [`copy`].
pub fn copy_part<W: Write>(
    store: &StoreGate,
    space: &Space,
    part: &Part,
    out: W,
    made: Millis,
) -> Result<(W, Summary), CopyError> {
    let writer = BackupWriter::begin(out, Packing::Plain, made)?;
    let mut copying = Copying { store, writer, part, watch: &mut |_| {} };
    let outcome = copying.one_room(space);
    copying.end(outcome)
}

struct Copying<'a, W> {
    store: &'a StoreGate,
    writer: BackupWriter<W>,
    part: &'a Part,
    watch: &'a mut dyn FnMut(&Summary),
}

impl<W: Write> Copying<'_, W> {
    fn end(self, outcome: Result<(), CopyError>) -> Result<(W, Summary), CopyError> {
        match outcome {
            Ok(()) => Ok(self.writer.finish()?),
            Err(error @ CopyError::Write(_)) => Err(error),
            Err(error) => {
                self.writer.break_off(&error.to_string())?;
                Err(error)
            }
        }
    }

    fn all_rooms(&mut self) -> Result<(), CopyError> {
        // Until the end, or another backup would come between two rooms.
        let following = self.follow()?;
        let mut listing = Listing::default();
        while let Some(listed) = listing.next(self.store)? {
            match listed {
                Listed::Space(space) => self.room(&following, &space)?,
                Listed::Gap(gap) => self.writer.gap(&gap)?,
            }
        }
        Ok(())
    }

    fn one_room(&mut self, space: &Space) -> Result<(), CopyError> {
        let following = self.follow()?;
        self.room(&following, space)
    }

    fn follow(&self) -> Result<Following, CopyError> {
        self.store.follow().ok_or(CopyError::Another)
    }

    fn room(&mut self, following: &Following, space: &Space) -> Result<(), CopyError> {
        following.turn_to(space);
        self.writer.begin_room(space)?;
        let part = self.part;
        for prefix in &part.prefixes {
            if !self.rows(following, space, prefix)? {
                // A room of which rows are missing in silence would never be asked for them.
                return Ok(self.writer.change(&Change::LeftOut)?);
            }
        }
        Ok(())
    }

    /// All rows whose keys begin like this; whether they could be read.
    fn rows(&mut self, following: &Following, space: &Space, prefix: &[u8]) -> Result<bool, CopyError> {
        let mut start = prefix.to_vec();
        loop {
            let scan = Scan {
                start: start.clone(),
                end: [prefix, &[u8::MAX; MAX_KEY_BYTES + 1]].concat(),
                max_bytes: COPY_PAGE_BYTES,
                max_rows: COPY_PAGE_ROWS,
            };
            let page = match self.store.scan_and_wait(space, &scan) {
                Ok(page) => page,
                Err(failure) if failure.kind == FailureKind::Damaged => return Ok(false),
                Err(failure) => return Err(failure.into()),
            };
            let Page { rows, damaged, more } = page;
            for (key, value) in rows {
                self.writer.change(&Change::Put(key, value))?;
            }
            for key in damaged {
                self.writer.change(&Change::Lost(key))?;
            }
            self.changes(following)?;
            (self.watch)(&self.writer.so_far());
            match more {
                Some(next) => start = next,
                None => return Ok(true),
            }
        }
    }

    /// What was committed since the last page. Never before a page that was read earlier, or it would be undone by it.
    fn changes(&mut self, following: &Following) -> Result<(), CopyError> {
        let commits = following.take().map_err(|lost| match lost {
            TapLost::TooMuch => CopyError::TooSlow,
            TapLost::Failed(failure) => CopyError::Store(failure),
        })?;
        for commit in commits {
            for key in commit.delete {
                self.writer.change(&Change::Delete(key))?;
            }
            for prefix in commit.delete_prefix {
                self.writer.change(&Change::Clear(prefix))?;
            }
            for (key, value) in commit.put.into_iter().filter(|(key, _)| self.part.holds(key)) {
                self.writer.change(&Change::Put(key, value))?;
            }
        }
        Ok(())
    }
}
