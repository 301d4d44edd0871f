//! What a snapshot covers, and is kept in the archive.

use super::{Loss, Remains, Salvaged, values};
use crate::home::places_in;
use crate::log::Entry;
use crate::snapshot::unpack;
use crate::stored::{self, HistoryRecord, Prefix};

impl Remains<'_> {
    /// Keeps what the snapshot covers, and hands out what lies in the archive and above it. Segments lie one behind the other,
    /// so what is missing shows, also where its row is gone.
    pub(super) fn archived(&self, first: u64, salvaged: &mut Salvaged) -> Vec<(u64, Entry)> {
        let begins = self.let_go(first, salvaged);
        let (mut above, mut reached) = (Vec::new(), begins.unwrap_or(0));
        for (key, rows) in self.rows(Prefix::Archive) {
            let Some((_, end)) = stored::parse_archive_key(key) else { continue };
            let whole = rows.iter().find_map(|row| {
                let (_, packed) = stored::decode_segment(row).ok()?;
                let entries = unpack(packed).ok()?;
                Some((row, entries))
            });
            let Some((row, entries)) = whole else {
                self.lacks(reached, end, salvaged);
                reached = reached.max(end);
                continue;
            };
            let begin = end.saturating_sub(entries.len() as u64);
            if begins.is_some() {
                self.lacks(reached, begin, salvaged);
            }
            reached = reached.max(end);
            if end <= first {
                salvaged.rows.insert(key.clone(), row.clone());
                salvaged.rows.extend(places_in(&self.stream, begin, &entries));
            } else {
                above.extend((begin..).zip(entries));
            }
        }
        if begins.is_some() {
            self.lacks(reached, first, salvaged);
        }
        above
    }

    /// Where history begins, if whoever runs the home keeps it for a while only: of what a snapshot covers nothing below is
    /// lost. `None`: nobody knows how much has gone, and so not whether a gap is a loss.
    fn let_go(&self, covered: u64, salvaged: &mut Salvaged) -> Option<u64> {
        let key = stored::history_key(&self.stream);
        let history = values(self.found, &key).find_map(|row| Some((row, HistoryRecord::decode(row).ok()?)));
        let (row, history) = match history {
            Some((row, history)) => (row.clone(), history),
            None if self.found.contains_key(&key) => {
                (HistoryRecord::UNKNOWN.encode(), HistoryRecord::UNKNOWN)
            }
            None => return Some(0),
        };
        let is_of_this = history.begins <= covered || (covered > 0 && !history.says_how_much());
        if !is_of_this {
            return Some(0);
        }
        salvaged.rows.insert(key, row);
        history.says_how_much().then_some(history.begins)
    }

    fn lacks(&self, from: u64, end: u64, salvaged: &mut Salvaged) {
        if from < end {
            salvaged.lost.push(Loss::Archive { stream: self.stream, from, end });
        }
    }
}
