//! Reading a backup, record by record, with every sum looked at.

use std::fmt::Display;
use std::io::{self, ErrorKind, Read};

use causeway_core::time::Millis;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::format::{self, Change, Kind};
use super::{BackupError, Counted, Gap, Place, Summary, printable};
use crate::Space;
use crate::limits::BACKUP_BLOCK_BYTES;
use crate::rows::layout::{SUM_BYTES, Sum};

/// A backup as it comes out of a file, a pipe or a socket. Nothing that is not what was written comes out of it.
#[derive(Debug)]
pub struct BackupReader<R> {
    source: R,
    sum: Sum,
    /// Of the record at hand.
    place: Place,
    /// Bytes read so far.
    behind: u64,
    /// The space at hand.
    room: Option<Counted>,
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
    /// Spaces that could not be listed.
    Gap(Gap),
    /// All has ended, and was whole.
    End(Summary),
}

impl<R: Read> BackupReader<R> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// Each says what is wrong and where, here and in [`next_step`](Self::next_step).
    pub fn begin(mut source: R) -> Result<Self, BackupError> {
        let place = Place::default();
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
        let (sum, behind, summary) = (format::first_sum(), line.len() as u64, Summary::default());
        let mut reader = Self { source, sum, place, behind, room: None, summary, ended: false };
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
            Kind::Room if self.room.is_none() => {
                let space = Space::new(&body).map_err(|e| self.damaged(e))?;
                self.room = Some(Counted::begin(&space));
                self.place.room = Some(printable(space.as_bytes()));
                Ok(Step::Room(space))
            }
            Kind::Plain if self.room.is_some() => self.changes(&body),
            Kind::Deflated if self.room.is_some() => self.inflate(&body),
            Kind::RoomEnd => {
                let counted = self.room.take().map(|room| room.end(&mut self.summary));
                if counted.is_none() || format::read_numbers(&body) != counted {
                    return Err(self.damaged("rows of the room are missing"));
                }
                self.place.room = None;
                Ok(Step::RoomEnd)
            }
            Kind::Gap if self.room.is_none() => {
                let gap = format::decode_gap(&body).ok_or_else(|| self.damaged("a gap has no names"))?;
                self.summary.lost += 1;
                Ok(Step::Gap(gap))
            }
            Kind::End if self.room.is_none() => {
                let Summary { rooms, rows, lost, bytes, .. } = self.summary;
                if format::read_numbers(&body) != Some([rooms, rows, lost, bytes]) {
                    return Err(self.damaged("it does not hold what its end says"));
                }
                self.ends_here()?;
                Ok(Step::End(self.summary))
            }
            Kind::BrokenOff => Err(BackupError::BrokenOff(printable(&body))),
            Kind::Beginning | Kind::Room | Kind::Plain | Kind::Deflated | Kind::Gap | Kind::End => {
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
        let (mut changes, length) = (Vec::new(), bytes.len());
        while !bytes.is_empty() {
            // A block ends with the change that makes it full; more would be a few bytes each in the file, and many here.
            if length - bytes.len() >= BACKUP_BLOCK_BYTES {
                return Err(self.damaged("a block holds more than any that is written"));
            }
            let change =
                Change::decode(&mut bytes).ok_or_else(|| self.damaged("a row in it cannot be read"))?;
            if let Some(room) = &mut self.room {
                room.count(&change, &mut self.summary);
            }
            changes.push(change);
        }
        Ok(Step::Changes(changes))
    }

    fn record(&mut self) -> Result<(Kind, Vec<u8>), BackupError> {
        if self.ended {
            return Err(self.damaged("it has ended"));
        }
        self.place.byte = self.behind;
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
        self.behind += (head.len() + body.len() + sum.len()) as u64;
        Ok((found, body))
    }

    fn ends_here(&mut self) -> Result<(), BackupError> {
        self.ended = true;
        self.place.byte = self.behind;
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
