//! What is known of rows without reading them.
//!
//! Whoever writes over a long value has to take its pieces away, so a write would begin with a read of what it replaces.
//! Most writes replace nothing, as their keys count upwards, or replace a short value that was just written. Both are
//! remembered here, and a row of which nothing is known is read.

use std::collections::BTreeMap;

use super::layout::Sum;
use crate::limits::KNOWN_ROWS;

/// What a database holds of a row that has no pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    Absent,
    Short(Sum),
}

/// Knowledge about one database. Every write to it has to be noted.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Tree keys that hold a short value, and the sum of its row.
    short: BTreeMap<Vec<u8>, Sum>,
    /// By what stands before the number in keys that end in one: from which number on there is no row.
    free_from: BTreeMap<Vec<u8>, u64>,
}

impl Known {
    /// What there is before a write; `None` where it has to be read.
    pub(crate) fn before(&self, tree_key: &[u8]) -> Option<Before> {
        match counted(tree_key) {
            Some((before, number)) => {
                self.free_from.get(before).filter(|from| number >= **from).map(|_| Before::Absent)
            }
            None => self.short.get(tree_key).copied().map(Before::Short),
        }
    }

    /// Whether it is worth finding out that this row and all of higher number are absent.
    pub(crate) fn asks_for_end(&self, tree_key: &[u8]) -> bool {
        counted(tree_key).is_some_and(|(before, _)| !self.free_from.contains_key(before))
    }

    /// There is no row from here on, of those that count on.
    pub(crate) fn note_end(&mut self, tree_key: &[u8]) {
        if let Some((before, number)) = counted(tree_key) {
            if self.free_from.len() >= KNOWN_ROWS {
                self.free_from.clear();
            }
            self.free_from.insert(before.to_vec(), number);
        }
    }

    /// A row is written, with this sum where its value is `short`, or deleted.
    pub(crate) fn note_written(&mut self, tree_key: &[u8], short: Option<Sum>) {
        match counted(tree_key) {
            Some((before, number)) => {
                if let Some(from) = self.free_from.get_mut(before) {
                    *from = (*from).max(number.saturating_add(1));
                }
            }
            None => match short {
                None => drop(self.short.remove(tree_key)),
                Some(sum) => {
                    if self.short.len() >= KNOWN_ROWS && !self.short.contains_key(tree_key) {
                        self.short.clear();
                    }
                    self.short.insert(tree_key.to_vec(), sum);
                }
            },
        }
    }
}

/// What stands before the number that a key ends in, and the number. Eight bytes that are no number, of a hash, are almost
/// never that small; one that is taken for a number costs a look more.
fn counted(tree_key: &[u8]) -> Option<(&[u8], u64)> {
    let (before, number) = tree_key.split_last_chunk::<8>()?;
    let number = u64::from_be_bytes(*number);
    (number < COUNTED_BELOW).then_some((before, number))
}

/// The tree key behind all that count on from this one.
pub(crate) fn end_of_count(tree_key: &[u8]) -> Vec<u8> {
    let before = tree_key.len().saturating_sub(8);
    [&tree_key[..before], &COUNTED_BELOW.to_be_bytes()].concat()
}

/// More than anybody counts to, one by one.
const COUNTED_BELOW: u64 = 1 << 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Vec<u8> {
        [b"row".as_slice(), &number.to_be_bytes()].concat()
    }

    const SUM: Option<Sum> = Some([7; 16]);

    #[test]
    fn rows_that_count_on_are_absent_from_the_end_on() {
        let mut known = Known::default();
        let is_absent = |known: &Known, number| known.before(&key(number)) == Some(Before::Absent);
        assert!(known.asks_for_end(&key(5)) && !is_absent(&known, 5));
        known.note_end(&key(5));
        assert!(is_absent(&known, 5) && is_absent(&known, 9) && !is_absent(&known, 4));
        known.note_written(&key(7), None);
        assert!(!is_absent(&known, 7) && is_absent(&known, 8));
        known.note_written(&key(2), SUM);
        assert!(!is_absent(&known, 7), "an older one takes nothing back");
    }

    #[test]
    fn a_short_row_is_known_until_a_long_value_is_written_to_it_or_it_is_deleted() {
        let mut known = Known::default();
        known.note_written(b"tip", SUM);
        assert_eq!(known.before(b"tip"), SUM.map(Before::Short));
        known.note_written(b"tip", None);
        assert_eq!(known.before(b"tip"), None);
    }

    #[test]
    fn it_forgets_rather_than_grows() {
        let mut known = Known::default();
        for number in 0..3 * KNOWN_ROWS as u64 {
            known.note_written(&number.to_le_bytes().map(|byte| byte | 0x80), SUM);
            known.note_end(&[number.to_le_bytes(), [0; 8]].concat());
        }
        assert!(known.short.len() <= KNOWN_ROWS && known.free_from.len() <= KNOWN_ROWS);
    }
}
