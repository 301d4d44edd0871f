//! What a write-ahead log holds, also behind what cannot be read of it: a record is known by its sum, wherever it lies.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use causeway_core::salvage::Found;
use causeway_core::stored::Prefix;

use super::Finding;
use crate::Space;
use crate::ahead::recovery::{File, Known, RecoveryError, files, recover};
use crate::rows::layout;

/// Rows of a log that the database does not have.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// By their keys in the tree what became of them, the newest first: a value, or nothing.
    rows: BTreeMap<Vec<u8>, Vec<Option<Vec<u8>>>>,
    /// Whether the log can be read to its end: what it says is all that there is to say of a row.
    pub(super) is_whole: bool,
    /// The number of its last batch, or of the last in the database.
    pub(super) last: u64,
}

impl Ahead {
    /// Reads a log of which the database, if it can be asked, holds everything up to a batch.
    pub(super) fn read(
        folder: &Path,
        held: Option<u64>,
        saved: u64,
        findings: &mut Vec<Finding>,
    ) -> io::Result<Self> {
        let files = files(folder)?;
        let Some((first, _)) = files.first() else {
            return Ok(Self { is_whole: true, last: held.unwrap_or(0), ..Self::default() });
        };
        let held = held.unwrap_or(first.saturating_sub(1));
        let mut ahead = Self { last: held, ..Self::default() };
        match recover(folder, Known { held, saved }) {
            Ok(recovered) => {
                findings.push(Finding::sound(format!(
                    "The write-ahead log is whole; the database has yet to take {} batches of it.",
                    recovered.last - held
                )));
                (ahead.is_whole, ahead.last) = (true, recovered.last);
                let rows = recovered.table.iter();
                let newest = rows.map(|(key, value)| (key.to_vec(), vec![value.map(<[u8]>::to_vec)]));
                ahead.rows = newest.collect();
            }
            Err(RecoveryError::Damaged(what)) => {
                findings.push(Finding::wrong(format!("The write-ahead log is damaged: {what}.")));
                for (first, path) in &files {
                    ahead.take(&File::read(path)?, *first, held);
                }
            }
            Err(RecoveryError::Io(why)) => return Err(why),
        }
        Ok(ahead)
    }

    /// Takes every record that is one, wherever it lies.
    fn take(&mut self, file: &File, first: u64, held: u64) {
        for record in file.records(0, first).filter(|record| record.stamp.number > held) {
            self.last = self.last.max(record.stamp.number);
            for (key, value) in record.changes {
                let versions = self.rows.entry(layout::key(&record.space, key)).or_default();
                versions.insert(0, value.map(<[u8]>::to_vec));
                versions.truncate(VERSIONS);
            }
        }
    }

    /// Adds the spaces of which it has rows.
    pub(super) fn spaces(&self, spaces: &mut BTreeSet<Space>) {
        let there = self.rows.iter().filter(|(_, versions)| versions.iter().any(Option::is_some));
        spaces.extend(there.filter_map(|(tree_key, _)| layout::space_of(tree_key)));
    }

    /// Puts what it has of a space above what the database gave.
    pub(super) fn rows(&self, space: &Space, found: &mut Found) {
        let (start, end) = (layout::key(space, &[]), layout::key_behind(space));
        for (tree_key, versions) in self.rows.range(start..end) {
            let key = layout::key_in_space(space, tree_key);
            if self.is_whole {
                match versions.first().cloned().flatten() {
                    Some(value) => drop(found.insert(key.to_vec(), vec![value])),
                    None => drop(found.remove(key)),
                }
                continue;
            }
            // One that has ended is not begun again, however little is certain of the rest.
            if key.first() == Some(&(Prefix::Quarantine as u8)) && versions.first() == Some(&None) {
                found.remove(key);
                continue;
            }
            let mut values: Vec<Vec<u8>> = Vec::new();
            for value in versions.iter().flatten().chain(found.get(key).into_iter().flatten()) {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
            if !values.is_empty() {
                found.insert(key.to_vec(), values);
            }
        }
    }
}

/// Versions of a row that are kept: those that are written again and again are made anew from the others.
const VERSIONS: usize = 16;
