//! Reading the write-ahead log when a store is opened.
//!
//! A process that dies leaves a log that ends with its last record. A power cut may leave any part of what was written after
//! the last fsync: a record in half, or one missing before another that is there. None of it was promised to be there, so the
//! log ends with the first record that cannot be read. That same sight may also be a disk that lost what it had promised to
//! keep; then there is proof that it was promised: a later record that says how far the log was synced, a later file, which is
//! begun only when the one before is on the disk, or the number in the file `tip`. Where there is, the log is damaged, and
//! nothing of it is cut.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::file;
use super::record::{FILE_HEAD_BYTES, FileHead, HEAD_BYTES, Key, Record, glance};
use super::table::Table;
use crate::pieces::Pieces;
use crate::rows::layout::{self, Sum};

/// What the log holds that the database does not.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) table: Table,
    /// Where it lies, the oldest first; also what the database holds already.
    pub(crate) files: Vec<PathBuf>,
    /// Bytes of these files.
    pub(crate) bytes: u64,
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

/// How far a store is known to be, without its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// The database holds everything up to this batch.
    pub(crate) held: u64,
    /// Everything up to here was noted as saved.
    pub(crate) saved: u64,
}

/// Reads a log.
pub(crate) fn recover(folder: &Path, known: Known) -> Result<Recovered, RecoveryError> {
    let mut files = files(folder)?;
    let mut unfinished = None;
    if let Some((_, path)) = files.last()
        && File::read(path)?.was_never_begun()
    {
        unfinished = files.pop();
    }
    let recovered = Recovered { last: known.held, ..Recovered::default() };
    let mut reading = Reading { known, recovered, next: None };
    for (at, (first, path)) in files.iter().enumerate() {
        reading.recovered.bytes += path.metadata()?.len();
        let behind = files.get(at + 1).map(|(first, _)| *first);
        if behind.is_some_and(|behind| behind <= known.held + 1) {
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

/// A file of a log, as far as the disk reads it.
pub(crate) struct File {
    pub(crate) bytes: Vec<u8>,
    /// Up to here zeros may stand for what the disk does not read; zero where it reads all of it.
    unread_until: usize,
}

impl File {
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let file = fs::File::open(path)?;
        let mut pieces = Pieces::of(&file)?;
        let mut bytes = Vec::new();
        pieces.read_to_end(&mut bytes)?;
        let unread_until = usize::try_from(pieces.into_unread().end).unwrap_or(usize::MAX);
        Ok(Self { bytes, unread_until })
    }

    /// Whether it is one that was being made when the process or the power went: it is synced with its head before anything is
    /// written behind that.
    fn was_never_begun(&self) -> bool {
        let behind = self.bytes.get(FILE_HEAD_BYTES..).unwrap_or_default();
        FileHead::decode(&self.bytes).is_none()
            && self.unread_until == 0
            && behind.iter().all(|byte| *byte == 0)
    }

    /// The record of a number, and where it lies.
    fn find(&self, number: u64) -> Option<(Record<'_>, usize)> {
        let head = FileHead::decode(&self.bytes)?;
        let mut records = Behind { bytes: &self.bytes, key: head.key, at: FILE_HEAD_BYTES, first: number };
        let record = records.find(|record| record.stamp.number == number)?;
        let place = records.at - record.length;
        Some((record, place))
    }

    /// Where the last of all such records ends; that place where there is none.
    fn end_of_records(&self, at: usize, first: u64) -> usize {
        let Some(head) = FileHead::decode(&self.bytes) else { return at };
        let mut records = Behind { bytes: &self.bytes, key: head.key, at, first };
        let mut end = at;
        while records.next().is_some() {
            end = records.at;
        }
        end
    }

    /// All records of it from a place on of which the numbers go on from `first`, whatever lies between them. None where its head
    /// is damaged, as nothing can be told from chance then.
    pub(crate) fn records(&self, at: usize, first: u64) -> impl Iterator<Item = Record<'_>> {
        let head = FileHead::decode(&self.bytes);
        head.into_iter().flat_map(move |head| Behind { bytes: &self.bytes, key: head.key, at, first })
    }
}

struct Reading {
    known: Known,
    recovered: Recovered,
    /// The number of the next record and the sum before it, once a file was read.
    next: Option<(u64, Sum)>,
}

impl Reading {
    /// Reads a file, which goes on until the first record of the one `behind` it.
    fn file(&mut self, first: u64, path: &Path, behind: Option<u64>) -> Result<(), RecoveryError> {
        self.take_all(&File::read(path)?, first, path, behind)
    }

    fn take_all(
        &mut self,
        file: &File,
        first: u64,
        path: &Path,
        behind: Option<u64>,
    ) -> Result<(), RecoveryError> {
        let Known { held, .. } = self.known;
        let head = FileHead::decode(&file.bytes).filter(|head| head.first == first);
        let head = head.ok_or_else(|| damaged(path, 0))?;
        match self.next {
            None if first > held + 1 => {
                let what = format!("its commits {} to {} are nowhere to be found", held + 1, first - 1);
                return Err(RecoveryError::Damaged(what));
            }
            Some(next) if next != (head.first, head.before) => return Err(damaged(path, 0)),
            None | Some(_) => {}
        }
        let (mut number, mut sum, mut at) = (head.first, head.before, FILE_HEAD_BYTES);
        while behind != Some(number) {
            let record = Record::read(&head.key, file.bytes.get(at..).unwrap_or_default());
            if let Some(record) =
                record.filter(|record| (record.stamp.number, record.stamp.before) == (number, sum))
            {
                self.take(&record);
                (number, sum, at) = (number + 1, record.sum, at + record.length);
                continue;
            }
            if number <= held {
                // What cannot be read is in the database; it goes on with the first that is not.
                let Some((record, place)) = file.find(held + 1) else { break };
                (number, sum, at) = (held + 1, record.stamp.before, place);
                continue;
            }
            if behind.is_some() || self.is_promised(file, at, number) {
                return Err(damaged(path, at));
            }
            break;
        }
        if number <= held {
            // Whatever of it is in the database need not be read.
            at = file.end_of_records(at, number);
            if behind.is_some() || self.is_promised(file, at, held + 1) {
                return Err(damaged(path, at));
            }
        }
        self.next = Some((number, sum));
        self.recovered.files.push(path.into());
        if number > self.recovered.last {
            (self.recovered.last, self.recovered.sum) = (number - 1, sum);
        }
        Ok(())
    }

    /// Whether the record of this number, which is not at its place, had been on the disk; where the disk does not read what lies
    /// there nobody knows.
    fn is_promised(&self, file: &File, at: usize, number: u64) -> bool {
        number <= self.known.saved
            || file.unread_until > at
            || file.records(at, number).any(|record| record.stamp.synced >= number)
    }

    fn take(&mut self, record: &Record<'_>) {
        if record.stamp.number <= self.known.held {
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

/// See [`File::records`].
struct Behind<'a> {
    bytes: &'a [u8],
    key: Key,
    at: usize,
    first: u64,
}

impl Behind<'_> {
    /// Whether this may be the head of a record: to find out costs more.
    fn fits(&self, rest: &[u8]) -> bool {
        let numbers = self.first..=self.first.saturating_add((self.bytes.len() / HEAD_BYTES) as u64);
        glance(rest).is_some_and(|(length, number)| {
            length <= rest.len().saturating_sub(HEAD_BYTES) && numbers.contains(&number)
        })
    }
}

impl<'a> Iterator for Behind<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        while let Some(rest) = self.bytes.get(self.at..).filter(|rest| rest.len() > HEAD_BYTES) {
            let record = self.fits(rest).then(|| Record::read(&self.key, rest)).flatten();
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
        match recover(folder, Known { held, saved: 0 }) {
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
            for at in FILE_HEAD_BYTES..used {
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
        bent[..FILE_HEAD_BYTES].fill(7);
        fs::write(&files[2], bent).unwrap();
        assert!(
            told(&log, 0).unwrap_err().contains("behind byte 0 of"),
            "there is something behind its head"
        );
    }

    /// Three records of which none was synced when it was written, in one file.
    fn unsynced(folder: &Path) -> PathBuf {
        let space = Space::new("room").unwrap();
        let mut tail = Tail::after(folder.into(), Recovered::default());
        for number in 1..=3u8 {
            tail.stage(&space, [(&[number][..], Some(&[number; 40][..]))].into_iter()).unwrap();
        }
        tail.write().unwrap();
        tail.turn().files.remove(0)
    }

    #[test]
    fn st3_what_the_tip_says_was_saved_is_damaged_and_no_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = unsynced(&folder.path().join("log"));
        let mut bytes = fs::read(&file).unwrap();
        let second = bytes.windows(40).position(|window| window == [2; 40]).unwrap();
        bytes[second] ^= 1;
        fs::write(&file, bytes).unwrap();
        let log = folder.path().join("log");
        let recovered = recover(&log, Known { held: 0, saved: 1 }).unwrap();
        assert_eq!(recovered.last, 1);
        assert!(matches!(recover(&log, Known { held: 0, saved: 3 }), Err(RecoveryError::Damaged(_))));
        assert_eq!(File::read(&file).unwrap().records(0, 1).count(), 2, "the others are found");
    }

    #[test]
    fn st3_what_is_damaged_and_in_the_database_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let files = written(&log);
        let mut bytes = fs::read(&files[2]).unwrap();
        let eighth = bytes.windows(40).position(|window| window == [8; 40]).unwrap();
        bytes[eighth] ^= 1;
        fs::write(&files[2], bytes).unwrap();
        assert!(told(&log, 7).is_err());
        assert_eq!(told(&log, 8), Ok(vec![9]));
        assert_eq!(told(&log, 9), Ok(Vec::new()));
    }

    #[test]
    fn st3_a_place_of_the_log_that_the_disk_does_not_read_is_no_end() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = fs::read(unsynced(&folder.path().join("log"))).unwrap();
        let reading =
            Reading { known: Known { held: 0, saved: 0 }, recovered: Recovered::default(), next: None };
        for unread_until in [0, FILE_HEAD_BYTES + 1] {
            // Zeros stand for what is not read, as they do where nothing was written yet.
            let file = File { bytes: bytes[..FILE_HEAD_BYTES].to_vec(), unread_until };
            assert_eq!(reading.is_promised(&file, FILE_HEAD_BYTES, 1), unread_until > 0);
            let file = File { bytes: vec![0; FILE_HEAD_BYTES], unread_until };
            assert_eq!(file.was_never_begun(), unread_until == 0);
        }
    }

    #[test]
    fn st3_a_place_that_the_disk_does_not_read_before_what_the_database_holds_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let path = unsynced(&log);
        let whole = fs::read(&path).unwrap();
        let third = whole.windows(40).position(|window| window == [3; 40]).unwrap();
        let read = |unread: std::ops::Range<usize>, held, saved| {
            let mut bytes = whole.clone();
            bytes[unread.clone()].fill(0);
            let mut reading =
                Reading { known: Known { held, saved }, recovered: Recovered::default(), next: None };
            reading.take_all(&File { bytes, unread_until: unread.end }, 1, &path, None)
        };
        let first = FILE_HEAD_BYTES..FILE_HEAD_BYTES + 40;
        assert!(read(first.clone(), 3, 3).is_ok(), "all of it is in the database");
        assert!(
            read(first.clone(), 1, 1).is_ok() && read(first.clone(), 2, 3).is_ok(),
            "it goes on behind it"
        );
        assert!(read(first.clone(), 0, 0).is_err(), "nobody knows what was there");
        assert!(read(first, 3, 4).is_err(), "more was saved");
        assert!(read(third..third + 40, 2, 2).is_err() && read(third..third + 40, 3, 3).is_err());
        assert!(read(whole.len() - 9..whole.len(), 3, 3).is_err(), "there may have been a fourth");
    }

    #[test]
    fn st3_what_somebody_writes_to_a_room_is_never_taken_for_a_record() {
        let folder = tempfile::tempdir().unwrap();
        let space = Space::new("room").unwrap();
        // A whole file of a log, which says of itself what would make any end damage.
        let other = written(&folder.path().join("other"));
        let forged = fs::read(&other[2]).unwrap();
        let log = folder.path().join("log");
        let mut tail = Tail::after(log.clone(), Recovered::default());
        tail.stage(&space, [(&b"k"[..], Some(&forged[..]))].into_iter()).unwrap();
        tail.write().unwrap();
        let file = tail.turn().files.remove(0);
        let mut bytes = fs::read(&file).unwrap();
        bytes[FILE_HEAD_BYTES] ^= 1;
        fs::write(&file, bytes).unwrap();
        assert_eq!(recover(&log, Known { held: 0, saved: 0 }).unwrap().last, 0);
        assert_eq!(File::read(&file).unwrap().records(0, 1).count(), 0);
    }
}
