//! Rows that are in the log and not yet in the database, in memory.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::iter::Peekable;
use std::mem;
use std::ops::Bound;
use std::sync::Arc;

use crate::Space;
use crate::limits::ROW_COST;
use crate::rows::layout;

/// Rows by their keys in the tree, each with its newest value, or nothing where it is gone.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

impl Table {
    pub(crate) fn set(&mut self, tree_key: Vec<u8>, value: Option<Vec<u8>>) {
        let cost = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, Vec::len);
        self.bytes += cost(&value);
        match self.rows.entry(tree_key) {
            btree_map::Entry::Occupied(mut row) => self.bytes -= cost(&row.insert(value)),
            btree_map::Entry::Vacant(place) => {
                self.bytes += place.key().len() + ROW_COST;
                place.insert(value);
            }
        }
    }

    /// What it costs to hold.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many rows there are, also of those that are gone.
    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is anything of a row, be it that it is gone.
    pub(crate) fn holds(&self, tree_key: &[u8]) -> bool {
        self.rows.contains_key(tree_key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.rows.iter().map(|(key, value)| (&key[..], value.as_deref()))
    }

    fn range(&self, start: &[u8], end: &[u8]) -> Range<'_> {
        self.rows.range::<[u8], _>((Bound::Included(start), Bound::Excluded(end))).peekable()
    }
}

type Range<'a> = Peekable<btree_map::Range<'a, Vec<u8>, Option<Vec<u8>>>>;

/// All rows that the database need not know: those that are being carried into it, and above them those that came since.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    pub(crate) newest: Table,
    pub(crate) carried: Option<Arc<Table>>,
}

impl Layers {
    /// Makes the rows that came last those that are carried.
    pub(crate) fn take_up(&mut self) -> Arc<Table> {
        let table = Arc::new(mem::take(&mut self.newest));
        self.carried = Some(Arc::clone(&table));
        table
    }

    /// Makes the rows behind a key that were to be carried some of the newest, where no newer ones are; all where none is named.
    /// Those up to it are in the database.
    pub(crate) fn put_back(&mut self, behind: Option<&[u8]>) {
        let from = behind.map_or(Bound::Unbounded, Bound::Excluded);
        let carried = self.carried.take();
        for (key, value) in
            carried.iter().flat_map(|table| table.rows.range::<[u8], _>((from, Bound::Unbounded)))
        {
            if !self.newest.holds(key) {
                self.newest.set(key.clone(), value.clone());
            }
        }
    }

    /// A row: `None` where only the database knows, and `Some(None)` where it is gone.
    pub(crate) fn get(&self, tree_key: &[u8]) -> Option<Option<&[u8]>> {
        let row = self.newest.rows.get(tree_key);
        let row = row.or_else(|| self.carried.as_ref()?.rows.get(tree_key));
        row.map(Option::as_deref)
    }

    /// Rows of the tree, ascending, from `start` to before `end`, which does not lie before `start`.
    pub(crate) fn range<'a>(&'a self, start: &[u8], end: &[u8]) -> Merged<'a> {
        let carried = self.carried.as_ref().map(|table| table.range(start, end));
        Merged { newest: self.newest.range(start, end), carried }
    }

    /// The first space behind all keys below this one of which there is any row, be it one that is gone.
    pub(crate) fn space_from(&self, tree_key: &[u8]) -> Option<Space> {
        let (first, _) = self.range(tree_key, &layout::end_of_rows()).next()?;
        layout::space_of(first)
    }

    /// What it costs to hold all of them.
    pub(crate) fn bytes(&self) -> usize {
        self.newest.bytes + self.carried.as_ref().map_or(0, |table| table.bytes)
    }
}

/// Two tables read as one.
pub(crate) struct Merged<'a> {
    newest: Range<'a>,
    carried: Option<Range<'a>>,
}

impl<'a> Iterator for Merged<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let above = self.newest.peek().map(|(key, _)| *key);
        let row = match self.carried.as_mut() {
            None => self.newest.next(),
            Some(carried) => match (above, carried.peek().map(|(key, _)| *key)) {
                (Some(above), Some(below)) if below < above => carried.next(),
                (Some(above), Some(below)) => {
                    if above == below {
                        carried.next();
                    }
                    self.newest.next()
                }
                (Some(_), None) => self.newest.next(),
                (None, _) => carried.next(),
            },
        };
        row.map(|(key, value)| (&key[..], value.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, Option<&str>)]) -> Table {
        let mut table = Table::default();
        for (key, value) in rows {
            table.set(key.as_bytes().to_vec(), value.map(|value| value.as_bytes().to_vec()));
        }
        table
    }

    #[test]
    fn what_came_last_stands_above_what_is_carried() {
        let carried = Arc::new(table(&[("a", Some("1")), ("b", Some("1")), ("d", None), ("e", Some("1"))]));
        let newest = table(&[("b", None), ("c", Some("2")), ("d", Some("2"))]);
        let layers = Layers { newest, carried: Some(carried) };
        let read = |start: &str, end: &str| -> String {
            let rows = layers.range(start.as_bytes(), end.as_bytes());
            let told = rows.map(|(key, value)| [key, value.unwrap_or(b"-")].concat());
            String::from_utf8(told.collect::<Vec<_>>().concat()).unwrap()
        };
        assert_eq!(read("a", "z"), "a1b-c2d2e1");
        assert_eq!((read("b", "d"), read("e", "e")), ("b-c2".into(), String::new()));
        assert_eq!(
            (layers.get(b"b"), layers.get(b"a"), layers.get(b"x")),
            (Some(None), Some(Some(&b"1"[..])), None)
        );
    }

    #[test]
    fn a_row_that_is_written_again_and_again_costs_what_it_is() {
        let mut table = Table::default();
        for length in [5, 500, 50] {
            table.set(b"key".to_vec(), Some(vec![1; length]));
            assert_eq!(table.bytes, 3 + ROW_COST + length);
        }
        table.set(b"key".to_vec(), None);
        assert_eq!(table.bytes, 3 + ROW_COST);
    }
}
