//! Columns: run-length encoded values, in the one spelling that automerge writes.

use crate::cursor::Cursor;
use crate::fault::Fault;

/// Values of one type, or nothing. An absent column holds nothing, as often as one asks.
pub(super) struct Runs<'a, T> {
    cursor: Cursor<'a>,
    read: fn(&mut Cursor<'a>) -> Result<T, Fault>,
    absent: bool,
    run: Run<T>,
    left: u64,
    last: Option<T>,
    holds_values: bool,
}

enum Run<T> {
    None,
    Same(T),
    Literal,
    Nothing,
}

impl<'a, T: Copy + PartialEq> Runs<'a, T> {
    pub(super) fn new(
        payload: &'a [u8],
        (start, end): (usize, usize),
        read: fn(&mut Cursor<'a>) -> Result<T, Fault>,
    ) -> Self {
        let cursor = Cursor::part(payload, start, end);
        Runs { absent: start == end, cursor, read, run: Run::None, left: 0, last: None, holds_values: false }
    }

    pub(super) fn at(&self) -> usize {
        self.cursor.at()
    }

    /// Whether all has been read.
    pub(super) fn is_done(&self) -> bool {
        self.left == 0 && self.cursor.remaining() == 0
    }

    pub(super) fn next(&mut self) -> Result<Option<T>, Fault> {
        if self.absent {
            return Ok(None);
        }
        if self.left == 0 {
            self.begin()?;
        }
        self.left -= 1;
        match self.run {
            Run::Same(value) => Ok(Some(value)),
            Run::Nothing | Run::None => Ok(None),
            Run::Literal => {
                let at = self.cursor.at();
                let value = (self.read)(&mut self.cursor)?;
                if self.last == Some(value) {
                    return Err(Fault::NotCanonical { at });
                }
                self.last = Some(value);
                Ok(Some(value))
            }
        }
    }

    /// A value where there has to be one.
    pub(super) fn value(&mut self) -> Result<T, Fault> {
        let at = self.cursor.at();
        self.next()?.ok_or(Fault::Malformed { at })
    }

    /// Judges the column after its last value.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        let at = self.cursor.at();
        if !self.is_done() {
            return Err(Fault::Trailing { at });
        }
        // A column of nothing is left out.
        if self.absent || self.holds_values { Ok(()) } else { Err(Fault::NotCanonical { at }) }
    }

    /// Reads the head of a run: a count of equal values, minus a count of different ones, or zero and a count of
    /// nothings. Two runs that could have been one are refused.
    fn begin(&mut self) -> Result<(), Fault> {
        let at = self.cursor.at();
        let count = self.cursor.leb()?;
        let twice = match (&self.run, count) {
            (Run::Literal, ..=-1) | (Run::Nothing, 0) => true,
            (Run::None | Run::Same(_) | Run::Literal | Run::Nothing, _) => count == 1,
        };
        if twice {
            return Err(Fault::NotCanonical { at });
        }
        match count {
            0 => {
                self.left = self.cursor.u64()?;
                self.run = Run::Nothing;
                self.last = None;
            }
            1.. => {
                let value = (self.read)(&mut self.cursor)?;
                if self.last == Some(value) {
                    return Err(Fault::NotCanonical { at });
                }
                self.left = count.unsigned_abs();
                self.run = Run::Same(value);
                self.last = Some(value);
                self.holds_values = true;
            }
            _ => {
                self.left = count.unsigned_abs();
                self.run = Run::Literal;
                self.holds_values = true;
            }
        }
        if self.left == 0 { Err(Fault::Empty { at }) } else { Ok(()) }
    }
}

/// Numbers, each as its difference to the one before.
pub(super) struct Differences<'a> {
    runs: Runs<'a, i64>,
    sum: i64,
}

impl<'a> Differences<'a> {
    pub(super) fn new(payload: &'a [u8], range: (usize, usize)) -> Self {
        Differences { runs: Runs::new(payload, range, Cursor::leb), sum: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Option<i64>, Fault> {
        let at = self.runs.at();
        let Some(difference) = self.runs.next()? else { return Ok(None) };
        self.sum = self.sum.checked_add(difference).ok_or(Fault::Clock { at })?;
        Ok(Some(self.sum))
    }

    pub(super) fn value(&mut self) -> Result<i64, Fault> {
        let at = self.runs.at();
        self.next()?.ok_or(Fault::Malformed { at })
    }

    pub(super) fn finish(&self) -> Result<(), Fault> {
        self.runs.finish()
    }
}

/// Truths: counts of false and true in turn, beginning with false.
pub(super) struct Truths<'a> {
    cursor: Cursor<'a>,
    value: bool,
    left: u64,
    begun: bool,
}

impl<'a> Truths<'a> {
    pub(super) fn new(payload: &'a [u8], (start, end): (usize, usize)) -> Self {
        Truths { cursor: Cursor::part(payload, start, end), value: true, left: 0, begun: false }
    }

    pub(super) fn next(&mut self) -> Result<bool, Fault> {
        while self.left == 0 {
            let at = self.cursor.at();
            self.left = self.cursor.u64()?;
            self.value = !self.value;
            // Only the first count may be zero: where all begins with true.
            if self.left == 0 && self.begun {
                return Err(Fault::NotCanonical { at });
            }
            self.begun = true;
        }
        self.left -= 1;
        Ok(self.value)
    }

    pub(super) fn finish(&self) -> Result<(), Fault> {
        if self.left == 0 && self.cursor.remaining() == 0 {
            Ok(())
        } else {
            Err(Fault::Trailing { at: self.cursor.at() })
        }
    }
}
