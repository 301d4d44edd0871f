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
        let (mut above, mut reached) = (Vec::new(), self.let_go(first, salvaged));
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
            self.lacks(reached, begin, salvaged);
            reached = reached.max(end);
            if end <= first {
                salvaged.rows.insert(key.clone(), row.clone());
                salvaged.rows.extend(places_in(&self.stream, begin, &entries));
            } else {
                above.extend((begin..).zip(entries));
            }
        }
        self.lacks(reached, first, salvaged);
        above
    }

    /// Where history begins, if whoever runs the home keeps it for a while only: of what a snapshot covers nothing below is
    /// lost.
    fn let_go(&self, covered: u64, salvaged: &mut Salvaged) -> u64 {
        let key = stored::history_key(&self.stream);
        let history = values(self.found, &key).find_map(|row| Some((row, HistoryRecord::decode(row).ok()?)));
        history.filter(|(_, history)| history.begins <= covered).map_or(0, |(row, history)| {
            salvaged.rows.insert(key, row.clone());
            history.begins
        })
    }

    fn lacks(&self, from: u64, end: u64, salvaged: &mut Salvaged) {
        if from < end {
            salvaged.lost.push(Loss::Archive { stream: self.stream, from, end });
        }
    }
}
