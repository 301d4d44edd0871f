//! Writing a backup, record by record.

use std::io::{self, Write};

use causeway_core::time::Millis;
use miniz_oxide::deflate::compress_to_vec;

use super::format::{self, Change, Kind};
use super::{Counted, Gap, Packing, Summary};
use crate::Space;
use crate::limits::BACKUP_BLOCK_BYTES;
use crate::rows::layout::Sum;

/// A backup on its way into a file, a pipe or a socket. What holds no [`finish`](Self::finish) is no backup.
#[derive(Debug)]
pub struct BackupWriter<W> {
    out: W,
    packing: Packing,
    sum: Sum,
    block: Vec<u8>,
    /// The space at hand.
    room: Option<Counted>,
    summary: Summary,
}

impl<W: Write> BackupWriter<W> {
    /// Begins a backup made at this moment of the wall clock.
    ///
    /// # Errors
    /// Those of writing, here and everywhere below.
    pub fn begin(mut out: W, packing: Packing, made: Millis) -> io::Result<Self> {
        out.write_all(format::first_line().as_bytes())?;
        let summary = Summary { made, ..Summary::default() };
        let (sum, block) = (format::first_sum(), Vec::new());
        let mut writer = Self { out, packing, sum, block, room: None, summary };
        writer.record(Kind::Beginning, &format::numbers([made.0]))?;
        Ok(writer)
    }

    /// What was written so far.
    pub fn so_far(&self) -> Summary {
        self.summary
    }

    /// Begins a space; the last one has ended.
    pub fn begin_room(&mut self, space: &Space) -> io::Result<()> {
        self.end_room()?;
        self.room = Some(Counted::begin(space));
        self.record(Kind::Room, space.as_bytes())
    }

    /// Spaces that could not be listed; the last one has ended.
    pub fn gap(&mut self, gap: &Gap) -> io::Result<()> {
        self.end_room()?;
        self.summary.lost += 1;
        self.record(Kind::Gap, &format::encode_gap(gap))
    }

    /// The next change of the space.
    pub fn change(&mut self, change: &Change) -> io::Result<()> {
        if let Some(room) = &mut self.room {
            room.count(change, &mut self.summary);
        }
        change.encode(&mut self.block);
        if self.block.len() >= BACKUP_BLOCK_BYTES { self.write_block() } else { Ok(()) }
    }

    /// Ends the last space and the backup, and hands the output back, flushed.
    pub fn finish(mut self) -> io::Result<(W, Summary)> {
        self.end_room()?;
        let Summary { rooms, rows, lost, bytes, .. } = self.summary;
        self.record(Kind::End, &format::numbers([rooms, rows, lost, bytes]))?;
        self.out.flush()?;
        Ok((self.out, self.summary))
    }

    /// Tells whoever reads why there is no more.
    pub fn break_off(mut self, sentence: &str) -> io::Result<()> {
        self.record(Kind::BrokenOff, sentence.as_bytes())?;
        self.out.flush()
    }

    fn end_room(&mut self) -> io::Result<()> {
        let Some(room) = self.room.take() else { return Ok(()) };
        self.write_block()?;
        let counted = room.end(&mut self.summary);
        self.record(Kind::RoomEnd, &format::numbers(counted))
    }

    fn write_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let block = std::mem::take(&mut self.block);
        match self.packing {
            Packing::Plain => self.record(Kind::Plain, &block)?,
            Packing::Deflated => {
                let length =
                    u32::try_from(block.len()).expect("a block is at most a row longer than its bound");
                let body = [&length.to_be_bytes()[..], &compress_to_vec(&block, LEVEL)].concat();
                self.record(Kind::Deflated, &body)?;
            }
        }
        self.block = block;
        self.block.clear();
        // The longest row must not be kept room for.
        self.block.shrink_to(2 * BACKUP_BLOCK_BYTES);
        Ok(())
    }

    fn record(&mut self, kind: Kind, body: &[u8]) -> io::Result<()> {
        let kind = kind as u8;
        self.sum = format::sum_after(&self.sum, kind, body);
        let length = u32::try_from(body.len()).expect("a body is bounded far below 4 GiB");
        self.out.write_all(&[kind])?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(body)?;
        self.out.write_all(&self.sum)
    }
}

/// Of 1 to 10. Entries are random to the eye; above it costs twice the time for some hundredths.
const LEVEL: u8 = 3;
