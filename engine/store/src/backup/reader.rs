//! Reading a backup, record by record, with every sum looked at.

use std::fmt::Display;
use std::io::{self, ErrorKind, Read};

use causeway_core::time::Millis;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::format::{self, Change, Kind};
use super::{BackupError, Place, Summary};
use crate::Space;
use crate::rows::layout::{SUM_BYTES, Sum};

/// A backup as it comes out of a file, a pipe or a socket. Nothing that is not what was written comes out of it.
#[derive(Debug)]
pub struct BackupReader<R> {
    source: R,
    sum: Sum,
    place: Place,
    /// The space at hand, with its rows and those of it that could not be read.
    in_room: bool,
    rows: u64,
    lost: u64,
    summary: Summary,
    ended: bool,
}

/// One step of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A space begins.
    Room(Space),
    /// Changes to it, to be made in this order.
    Changes(Vec<Change>),
    /// It has ended.
    RoomEnd,
    /// All has ended, and was whole.
    End(Summary),
}

impl<R: Read> BackupReader<R> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// Each says what is wrong and where, here and in [`next_step`](Self::next_step).
    pub fn begin(mut source: R) -> Result<Self, BackupError> {
        let mut place = Place::default();
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') && line.len() < FIRST_LINE_BYTES {
            let mut byte = [0];
            fill(&mut source, &mut byte, &place)?;
            line.push(byte[0]);
        }
        let number = std::str::from_utf8(&line).ok().and_then(|line| line.strip_prefix(format::OWNER));
        match number.and_then(|number| number.trim_end().parse::<u32>().ok()) {
            Some(format::FORMAT) => {}
            Some(found) => return Err(BackupError::Newer { found, known: format::FORMAT }),
            None => return Err(BackupError::NotABackup),
        }
        place.byte = line.len() as u64;
        let (sum, summary) = (format::first_sum(), Summary::default());
        let mut reader = Self { source, sum, place, in_room: false, rows: 0, lost: 0, summary, ended: false };
        let (kind, body) = reader.record()?;
        match (kind, format::read_numbers(&body)) {
            (Kind::Beginning, Some([made])) => reader.summary.made = Millis(made),
            _ => return Err(reader.damaged("it does not say when it was made")),
        }
        Ok(reader)
    }

    /// What was read so far.
    pub fn so_far(&self) -> Summary {
        self.summary
    }

    /// The next step. After [`Step::End`] there is none: nothing may follow it.
    pub fn next_step(&mut self) -> Result<Step, BackupError> {
        let (kind, body) = self.record()?;
        match kind {
            Kind::Room if !self.in_room => {
                let space = Space::new(&body).map_err(|e| self.damaged(e))?;
                self.in_room = true;
                self.place.room = Some(String::from_utf8_lossy(space.as_bytes()).into_owned());
                Ok(Step::Room(space))
            }
            Kind::Plain if self.in_room => self.changes(&body),
            Kind::Deflated if self.in_room => self.inflate(&body),
            Kind::RoomEnd if self.in_room => {
                let counted = [std::mem::take(&mut self.rows), std::mem::take(&mut self.lost)];
                if format::read_numbers(&body) != Some(counted) {
                    return Err(self.damaged("rows of the room are missing"));
                }
                self.in_room = false;
                self.place.room = None;
                self.summary.rooms += 1;
                Ok(Step::RoomEnd)
            }
            Kind::End if !self.in_room => {
                let Summary { rooms, rows, lost, bytes, .. } = self.summary;
                if format::read_numbers(&body) != Some([rooms, rows, lost, bytes]) {
                    return Err(self.damaged("it does not hold what its end says"));
                }
                self.ends_here()?;
                Ok(Step::End(self.summary))
            }
            Kind::BrokenOff => Err(BackupError::BrokenOff(String::from_utf8_lossy(&body).into_owned())),
            Kind::Beginning | Kind::Room | Kind::Plain | Kind::Deflated | Kind::RoomEnd | Kind::End => {
                Err(self.damaged("its records are in an order that nobody writes"))
            }
        }
    }

    fn inflate(&mut self, body: &[u8]) -> Result<Step, BackupError> {
        let Some((length, deflated)) = body.split_first_chunk::<4>() else {
            return Err(self.damaged("a block has no length"));
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > format::MOST_CHANGES {
            return Err(self.damaged("a block is longer than any that is written"));
        }
        let changes = decompress_to_vec_with_limit(deflated, length).ok();
        match changes.filter(|changes| changes.len() == length) {
            Some(changes) => self.changes(&changes),
            None => Err(self.damaged("a block cannot be inflated")),
        }
    }

    fn changes(&mut self, mut bytes: &[u8]) -> Result<Step, BackupError> {
        let mut changes = Vec::new();
        while !bytes.is_empty() {
            let change =
                Change::decode(&mut bytes).ok_or_else(|| self.damaged("a row in it cannot be read"))?;
            match &change {
                Change::Put(key, value) => {
                    self.rows += 1;
                    self.summary.rows += 1;
                    self.summary.bytes += (key.len() + value.len()) as u64;
                }
                Change::Lost(_) => {
                    self.lost += 1;
                    self.summary.lost += 1;
                }
                Change::Delete(_) | Change::Clear(_) => {}
            }
            changes.push(change);
        }
        Ok(Step::Changes(changes))
    }

    fn record(&mut self) -> Result<(Kind, Vec<u8>), BackupError> {
        if self.ended {
            return Err(self.damaged("it has ended"));
        }
        let mut head = [0; format::HEAD_BYTES];
        fill(&mut self.source, &mut head, &self.place)?;
        let [kind, length @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let found = Kind::of(kind).filter(|_| length <= format::MOST_BODY);
        let found = found.ok_or_else(|| self.damaged("a record begins with bytes that nobody writes"))?;
        // Grows with what comes, as the length may be a lie.
        let mut body = Vec::with_capacity(length.min(TRUSTED_BYTES));
        let read = (&mut self.source).take(length as u64).read_to_end(&mut body);
        if read.map_err(BackupError::Read)? < length {
            return Err(BackupError::CutOff(self.place.clone()));
        }
        let mut sum = [0; SUM_BYTES];
        fill(&mut self.source, &mut sum, &self.place)?;
        self.sum = format::sum_after(&self.sum, kind, &body);
        if self.sum != sum {
            return Err(self.damaged("a sum is not that of its record"));
        }
        self.place.byte += (head.len() + body.len() + sum.len()) as u64;
        Ok((found, body))
    }

    fn ends_here(&mut self) -> Result<(), BackupError> {
        self.ended = true;
        let mut byte = [0];
        loop {
            match self.source.read(&mut byte) {
                Ok(0) => return Ok(()),
                Ok(_) => return Err(self.damaged("something stands behind its end")),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(BackupError::Read(e)),
            }
        }
    }

    pub(super) fn damaged(&self, what: impl Display) -> BackupError {
        BackupError::Damaged { place: self.place.clone(), what: what.to_string() }
    }
}

fn fill(source: &mut impl Read, into: &mut [u8], place: &Place) -> Result<(), BackupError> {
    source.read_exact(into).map_err(|e: io::Error| match e.kind() {
        ErrorKind::UnexpectedEof => BackupError::CutOff(place.clone()),
        _ => BackupError::Read(e),
    })
}

/// More than the first line takes.
const FIRST_LINE_BYTES: usize = 64;
/// Bytes that a record's length is believed before they have come.
const TRUSTED_BYTES: usize = 1 << 20;
