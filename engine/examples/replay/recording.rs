//! Recordings of people writing, keystroke by keystroke (see README.md beside the data).

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One author's way to a text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recording {
    start_content: String,
    /// What the text reads in the end.
    pub(crate) end_content: String,
    txns: Vec<Transaction>,
}

#[derive(Debug, Deserialize)]
struct Transaction {
    /// When it was written, such as `2021-04-19T06:06:58.219Z`.
    time: String,
    patches: Vec<(u32, u32, String)>,
}

/// One keystroke: take `deleted` units out at `at` and put `inserted` in. In UTF-16 units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patch {
    /// Where.
    pub(crate) at: u32,
    /// How much goes.
    pub(crate) deleted: u32,
    /// What comes.
    pub(crate) inserted: String,
    /// Milliseconds since 1970 when it was written.
    pub(crate) time: u64,
}

/// Where the recordings are looked for: beside the repository, never in it.
pub(crate) fn folder() -> PathBuf {
    // The crates `engine` and `tests` both stand one folder below the repository's own.
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data")
}

impl Recording {
    /// Reads `<name>.json.gz` from [`folder`].
    ///
    /// # Errors
    /// One sentence with the path that was looked at.
    pub(crate) fn open(name: &str) -> Result<Self, String> {
        let path = folder().join(format!("{name}.json.gz"));
        let failed = |why: String| format!("There is no recording at {}: {why}", path.display());
        let file = File::open(&path).map_err(|error| failed(error.to_string()))?;
        let mut json = String::new();
        let mut reader = flate2::read::GzDecoder::new(BufReader::new(file));
        reader.read_to_string(&mut json).map_err(|error| failed(error.to_string()))?;
        serde_json::from_str(&json).map_err(|error| failed(error.to_string()))
    }

    /// The keystrokes, with positions in UTF-16 units.
    pub(crate) fn patches(self) -> Vec<Patch> {
        let mut wide = Wide::default();
        let mut patches = Vec::with_capacity(self.txns.len() + 1);
        if !self.start_content.is_empty() {
            patches.push(wide.convert(0, 0, self.start_content, 0));
        }
        for Transaction { time, patches: parts } in self.txns {
            let time = millis(&time).unwrap_or(0);
            patches
                .extend(parts.into_iter().map(|(at, deleted, text)| wide.convert(at, deleted, text, time)));
        }
        patches
    }
}

/// Turns positions counted in code points into UTF-16 units: remembers where the characters stand that take two units.
/// Most texts have none, and then it costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Wide {
    /// Positions in code points, ascending.
    places: Vec<u32>,
}

impl Wide {
    /// One keystroke counted in code points.
    pub(crate) fn convert(&mut self, at: u32, deleted: u32, inserted: String, time: u64) -> Patch {
        let first = self.places.partition_point(|place| *place < at);
        let behind = self.places.partition_point(|place| *place < at + deleted);
        let patch =
            Patch { at: at + first as u32, deleted: deleted + (behind - first) as u32, inserted, time };
        if self.places.is_empty() && patch.inserted.is_ascii() {
            return patch;
        }
        let grown = patch.inserted.chars().count() as u32;
        let chars = (at..).zip(patch.inserted.chars());
        let new: Vec<u32> = chars.filter(|(_, c)| c.len_utf16() == 2).map(|(place, _)| place).collect();
        for place in &mut self.places[behind..] {
            *place = *place + grown - deleted;
        }
        self.places.splice(first..behind, new);
        patch
    }
}

/// Milliseconds since 1970 of an RFC 3339 time.
fn millis(time: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| time.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let fraction = if time.as_bytes().get(19) == Some(&b'.') { number(20..23)? } else { 0 };
    // Days since 1970 by Howard Hinnant's `days_from_civil`, for years from 1970 on.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let (era, of_era) = (y / 400, y % 400);
    let of_year = (153 * m + 2) / 5 + day.checked_sub(1)?;
    let days = (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)?;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + fraction)
}
