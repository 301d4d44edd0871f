//! Where the hand stands: the units beside it by their names, so that typing on needs no walk through the text.
//!
//! yrs finds an index by walking from the beginning of the text, past every piece of it. Most keystrokes go on where the
//! last one ended, and of those it is known what stands left and right: they are handed to yrs as the update that it
//! would have made of them itself, in which neighbours have names. Whatever else happens to the text makes the caret
//! unknown, and the next insertion walks and finds it again. Only marks of rich text that a deletion leaves without use stay,
//! which a walk would clear away; nobody sees them.

use std::ops::Range;

use yrs::ID;
use yrs::block::ClientID;
use yrs::encoding::read::{Cursor, Error, Read};
use yrs::encoding::write::Write;
use yrs::updates::decoder::{Decoder, DecoderV1};
use yrs::updates::encoder::{Encoder, EncoderV1};

/// The place behind the last unit that was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caret {
    /// In UTF-16 units from the beginning of the text.
    index: u32,
    /// The clock of the next unit that this document writes.
    next: u32,
    client: ClientID,
    /// What an insertion here follows: the last unit to the left, whether it is still seen or not.
    left: u32,
    /// The unit that an insertion here precedes; nothing at the end of the text.
    right: Option<ID>,
    /// Units of this document's own that are seen directly to the left, the nearest last.
    runs: Vec<Range<u32>>,
}

impl Caret {
    /// What an update says of the place behind the one insertion that it is, which ended at `index`.
    pub(super) fn behind(update: &[u8], index: u32) -> Option<Self> {
        let (id, units, right) = inserted(update).ok()??;
        let next = id.clock.checked_add(units)?;
        let mut caret = Self { index, next, client: id.client, left: next - 1, right, runs: Vec::new() };
        caret.begin_run(id.clock..next);
        Some(caret)
    }

    /// The update that inserts `chunk` of so many units at `index`, if that is here; the caret is behind it then.
    pub(super) fn insert(&mut self, index: u32, chunk: &str, units: u32) -> Option<Vec<u8>> {
        let end = self.next.checked_add(units).filter(|_| index == self.index)?;
        let mut update = EncoderV1::new();
        update.write_var(1_u32);
        update.write_var(1_u32);
        update.write_client(self.client);
        update.write_var(self.next);
        update.write_info(STRING | HAS_LEFT | if self.right.is_some() { HAS_RIGHT } else { 0 });
        update.write_left_id(&ID::new(self.client, self.left));
        if let Some(right) = &self.right {
            update.write_right_id(right);
        }
        update.write_string(chunk);
        update.write_var(0_u32);
        match self.runs.last_mut() {
            Some(run) if run.end == self.next => run.end = end,
            _ => self.begin_run(self.next..end),
        }
        self.index += units;
        self.left = end - 1;
        self.next = end;
        Some(update.to_vec())
    }

    /// The update that takes out `length` units from `index` on, if those stand left of here and are known.
    pub(super) fn delete(&mut self, index: u32, length: u32) -> Option<Vec<u8>> {
        let run = self.runs.last_mut().filter(|_| index.checked_add(length) == Some(self.index))?;
        let start = run.end.checked_sub(length).filter(|start| *start >= run.start)?;
        run.end = start;
        if run.start == run.end {
            self.runs.pop();
        }
        self.index = index;
        let mut update = EncoderV1::new();
        update.write_var(0_u32);
        update.write_var(1_u32);
        update.write_client(self.client);
        update.write_var(1_u32);
        update.write_ds_clock(start);
        update.write_ds_len(length);
        Some(update.to_vec())
    }

    fn begin_run(&mut self, run: Range<u32>) {
        if self.runs.len() == RUNS {
            self.runs.remove(0);
        }
        self.runs.push(run);
    }
}

/// The first unit, the number of units and the right neighbour of an update's one block, if it is a string.
fn inserted(update: &[u8]) -> Result<Option<(ID, u32, Option<ID>)>, Error> {
    let mut update = DecoderV1::new(Cursor::new(update));
    let blocks = (update.read_var::<u32>()?, update.read_var::<u32>()?);
    let id = ID::new(update.read_client()?, update.read_var()?);
    let info = update.read_info()?;
    if blocks != (1, 1) || info & CONTENT != STRING || info & (HAS_LEFT | HAS_RIGHT) == 0 {
        return Ok(None);
    }
    if info & HAS_LEFT != 0 {
        update.read_left_id()?;
    }
    let right = if info & HAS_RIGHT != 0 { Some(update.read_right_id()?) } else { None };
    let units = update.read_string()?.chars().map(|c| c.len_utf16() as u32).sum();
    Ok(Some((id, units, right)))
}

/// Steps back that are known at once: past what was typed between so many corrections.
const RUNS: usize = 16;

/// What the first byte of a block says, in lib0's first encoding of updates.
const CONTENT: u8 = 0b0000_1111;
const STRING: u8 = 4;
const HAS_RIGHT: u8 = 0b0100_0000;
const HAS_LEFT: u8 = 0b1000_0000;
