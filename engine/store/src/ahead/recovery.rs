//! Reading the write-ahead log when a store is opened.
//!
//! A process that dies leaves a log that ends with its last record. A power cut may leave any part of what was written after
//! the last fsync: a record in half, or one missing before another that is there. None of it was promised to be there, so the
//! log ends with the first record that cannot be read. That same sight may also be a disk that lost what it had promised to
//! keep; then there is proof that it was promised: a later record that says how far the log was synced, a later file, which is
//! begun only when the one before is on the disk, or the number in the file `tip`. Where there is, the log is damaged, and
//! nothing of it is cut.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::file;
use super::record::{FILE_HEAD_BYTES, FileHead, HEAD_BYTES, Record, stamp_of};
use super::table::Table;
use crate::pieces::Pieces;
use crate::rows::layout::{self, Sum};

/// What the log holds that the database does not.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) table: Table,
    /// Where it lies, the oldest first; also what the database holds already.
    pub(crate) files: Vec<PathBuf>,
    /// The number of the last record, or of the last batch in the database where that is greater.
    pub(crate) last: u64,
    /// The sum of that record; zeros where there is none.
    pub(crate) sum: Sum,
}

/// Why a log is not gone on with.
#[derive(Debug)]
pub(crate) enum RecoveryError {
    /// It is not what was written.
    Damaged(String),
    /// It cannot be read.
    Io(io::Error),
}

impl From<io::Error> for RecoveryError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads a log, of which the database holds everything up to a batch.
pub(crate) fn recover(folder: &Path, held: u64) -> Result<Recovered, RecoveryError> {
    let mut files = files(folder)?;
    let mut unfinished = None;
    if let Some((first, path)) = files.last() {
        let bytes = read(path)?;
        if FileHead::decode(&bytes).is_none() && !is_promised(&bytes, 0, *first) {
            unfinished = files.pop();
        }
    }
    let mut reading =
        Reading { held, recovered: Recovered { last: held, ..Recovered::default() }, next: None };
    for (at, (first, path)) in files.iter().enumerate() {
        let behind = files.get(at + 1).map(|(first, _)| *first);
        if behind.is_some_and(|behind| behind <= held + 1) {
            // It was carried, and outlived that.
            reading.recovered.files.push(path.clone());
        } else {
            reading.file(*first, path, behind)?;
        }
    }
    match unfinished {
        // It was to go on from a record that is not there.
        Some((first, path)) if first != reading.recovered.last + 1 => Err(damaged(&path, 0)),
        // One of the same name takes its place.
        Some(_) | None => Ok(reading.recovered),
    }
}

/// The files of a log and the numbers of their first records, ascending.
pub(crate) fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut files = Vec::new();
    for found in found {
        let found = found?;
        let first = found.file_name().to_str().and_then(file::number_in);
        files.extend(first.map(|first| (first, found.path())));
    }
    files.sort();
    Ok(files)
}

/// All bytes of a file; zeros where the disk does not read, which are no record.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut pieces = Pieces::of(&file)?;
    let mut bytes = Vec::new();
    pieces.read_to_end(&mut bytes)?;
    Ok(bytes)
}

struct Reading {
    held: u64,
    recovered: Recovered,
    /// The number of the next record and the sum before it, once a file was read.
    next: Option<(u64, Sum)>,
}

impl Reading {
    /// Reads a file, which goes on until the first record of the one `behind` it.
    fn file(&mut self, first: u64, path: &Path, behind: Option<u64>) -> Result<(), RecoveryError> {
        let bytes = read(path)?;
        let head = FileHead::decode(&bytes).filter(|head| head.first == first);
        let head = head.ok_or_else(|| damaged(path, 0))?;
        match self.next {
            None if first > self.held + 1 => {
                let what = format!("its batches {} to {} are nowhere to be found", self.held + 1, first - 1);
                return Err(RecoveryError::Damaged(what));
            }
            Some(next) if next != (head.first, head.before) => return Err(damaged(path, 0)),
            None | Some(_) => {}
        }
        let (mut number, mut sum, mut at) = (head.first, head.before, FILE_HEAD_BYTES);
        while behind != Some(number) {
            let record = Record::read(&bytes[at..]);
            let record = record.filter(|record| (record.stamp.number, record.stamp.before) == (number, sum));
            let Some(record) = record else {
                if behind.is_some() || is_promised(&bytes, at, number) {
                    return Err(damaged(path, at));
                }
                break;
            };
            self.take(&record);
            (number, sum, at) = (number + 1, record.sum, at + record.length);
        }
        self.next = Some((number, sum));
        self.recovered.files.push(path.into());
        if number > self.recovered.last {
            (self.recovered.last, self.recovered.sum) = (number - 1, sum);
        }
        Ok(())
    }

    fn take(&mut self, record: &Record<'_>) {
        if record.stamp.number <= self.held {
            return;
        }
        for (key, value) in &record.changes {
            self.recovered.table.set(layout::key(&record.space, key), value.map(<[u8]>::to_vec));
        }
    }
}

fn damaged(path: &Path, at: usize) -> RecoveryError {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    RecoveryError::Damaged(format!("its write-ahead log cannot be read behind byte {at} of {name}"))
}

/// Whether a record behind this place says that the one of this number was on the disk.
fn is_promised(bytes: &[u8], at: usize, number: u64) -> bool {
    Behind { bytes, at, first: number }.any(|record| record.stamp.synced >= number)
}

/// The records from a place on, whatever lies between them, of which the numbers go on from `first`.
pub(crate) struct Behind<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
    pub(crate) first: u64,
}

impl Behind<'_> {
    /// Whether this may be the head of a record. Chance makes a head of anything, and its sum would take long.
    fn fits(&self, rest: &[u8]) -> bool {
        let numbers = self.first..=self.first.saturating_add((self.bytes.len() / HEAD_BYTES) as u64);
        stamp_of(rest).is_some_and(|(length, stamp)| {
            length <= rest.len() - HEAD_BYTES
                && numbers.contains(&stamp.number)
                && stamp.synced < stamp.number
        })
    }
}

impl<'a> Iterator for Behind<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        while let Some(rest) = self.bytes.get(self.at..).filter(|rest| rest.len() > HEAD_BYTES) {
            let record = self.fits(rest).then(|| Record::read(rest)).flatten();
            self.at += record.as_ref().map_or(1, |record| record.length);
            if record.is_some() {
                return record;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::tail::Tail;
    use super::*;
    use crate::Space;

    /// Three files of three commits each, of which each was synced; the rows and their numbers are the same.
    fn written(folder: &Path) -> Vec<PathBuf> {
        let space = Space::new("room").unwrap();
        let mut tail = Tail::after(folder.into(), Recovered::default());
        let mut files = Vec::new();
        for number in 1..=9u8 {
            tail.stage(
                &space,
                [(&[number][..], Some(&[number; 40][..])), (&[0], Some(&[number]))].into_iter(),
            )
            .unwrap();
            tail.write().unwrap();
            tail.sync().unwrap();
            if number % 3 == 0 {
                files.extend(tail.turn().files);
            }
        }
        files
    }

    /// The numbers of the rows that were recovered, or what is wrong.
    fn told(folder: &Path, held: u64) -> Result<Vec<u8>, String> {
        match recover(folder, held) {
            Ok(recovered) => {
                let rows = recovered.table.iter();
                let keys = rows.map(|(key, _)| layout::key_of(key)[0]);
                let keys: Vec<u8> = keys.filter(|key| *key > 0).collect();
                assert!(keys.last().is_none_or(|last| u64::from(*last) == recovered.last));
                Ok(keys)
            }
            Err(RecoveryError::Damaged(what)) => Err(what),
            Err(RecoveryError::Io(why)) => panic!("{why}"),
        }
    }

    #[test]
    fn st3_a_file_that_is_missing_is_noticed_and_one_that_was_carried_is_not_missed() {
        let folder = tempfile::tempdir().unwrap();
        let files = written(&folder.path().join("log"));
        let log = folder.path().join("log");
        assert_eq!(files.len(), 3);
        assert_eq!(told(&log, 0), Ok((1..=9).collect()));
        assert_eq!(told(&log, 5), Ok((6..=9).collect()));
        assert_eq!(told(&log, 9), Ok(Vec::new()));
        let middle = fs::read(&files[1]).unwrap();
        fs::remove_file(&files[1]).unwrap();
        assert!(told(&log, 0).is_err() && told(&log, 5).is_err());
        assert_eq!(told(&log, 6), Ok((7..=9).collect()), "its rows are in the database");
        fs::write(&files[1], &middle).unwrap();
        fs::remove_file(&files[0]).unwrap();
        assert!(told(&log, 2).unwrap_err().contains("3 to 3 are nowhere"));
        assert_eq!(told(&log, 3), Ok((4..=9).collect()));
    }

    #[test]
    fn st3_every_byte_is_needed_but_of_the_last_record_which_only_the_tip_can_vouch_for() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let files = written(&log);
        for file in &files {
            let whole = fs::read(file).unwrap();
            let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
            for at in 0..used {
                let mut bent = whole.clone();
                bent[at] ^= 1 << (at % 8);
                fs::write(file, bent).unwrap();
                match told(&log, 0) {
                    Err(what) => assert!(what.contains("cannot be read behind byte"), "{what}"),
                    Ok(rows) => {
                        assert!(file == &files[2] && rows == Vec::from_iter(1..=8), "byte {at}: {rows:?}");
                    }
                }
            }
            fs::write(file, whole).unwrap();
        }
        assert_eq!(told(&log, 0), Ok((1..=9).collect()));
    }

    #[test]
    fn st2_a_newest_file_without_its_head_was_never_begun_unless_something_in_it_was_promised() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let files = written(&log);
        let next = log.join(file::name(10));
        for torn in [Vec::new(), vec![0; 400], b"causeway write-ahead".to_vec()] {
            fs::write(&next, torn).unwrap();
            assert_eq!(told(&log, 0), Ok((1..=9).collect()));
        }
        fs::rename(&next, log.join(file::name(12))).unwrap();
        assert!(told(&log, 0).is_err(), "it would go on from what is not there");
        fs::remove_file(log.join(file::name(12))).unwrap();
        let mut bent = fs::read(&files[2]).unwrap();
        bent[3] ^= 1;
        fs::write(&files[2], bent).unwrap();
        assert!(told(&log, 0).unwrap_err().contains("behind byte 0 of"));
    }
}
