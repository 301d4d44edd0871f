//! What is left out of a world: the way a story is told again shorter.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Left out of a run; nothing unless a shrinking has found it to be of no account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// Only so many of the devices take part.
    pub devices: Option<usize>,
    /// Everything heals after so many milliseconds.
    pub trouble: Option<u64>,
    /// Strokes of fate that do not fall, by their number in the run.
    pub strokes: BTreeSet<u64>,
    /// Disks that are not copied, by the number of the copy.
    pub copies: BTreeSet<u64>,
    /// What people leave undone, by [`act`].
    pub acts: BTreeSet<u64>,
}

/// Numbers what a person does on a page, counted from the page's first life on.
pub(crate) fn act(page: usize, number: u64) -> u64 {
    page as u64 * ACTS_OF_A_PAGE + number
}

const ACTS_OF_A_PAGE: u64 = 100_000;

impl fmt::Display for Cuts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.devices.map(|devices| format!("devices={devices}")));
        parts.extend(self.trouble.map(|trouble| format!("trouble={trouble}")));
        for (name, set) in [("strokes", &self.strokes), ("copies", &self.copies), ("acts", &self.acts)] {
            if !set.is_empty() {
                parts.push(format!("{name}={}", ranges(set)));
            }
        }
        f.write_str(&parts.join(","))
    }
}

impl FromStr for Cuts {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut cuts = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(())?;
            match name {
                "devices" => cuts.devices = Some(value.parse().map_err(drop)?),
                "trouble" => cuts.trouble = Some(value.parse().map_err(drop)?),
                "strokes" => cuts.strokes = parse_ranges(value)?,
                "copies" => cuts.copies = parse_ranges(value)?,
                "acts" => cuts.acts = parse_ranges(value)?,
                _ => return Err(()),
            }
        }
        Ok(cuts)
    }
}

/// `1-4.7.9-12`.
fn ranges(set: &BTreeSet<u64>) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in set {
        match runs.last_mut().filter(|(_, last)| last + 1 == *number) {
            Some((_, last)) => *last = *number,
            None => runs.push((*number, *number)),
        }
    }
    let told = runs
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") });
    told.collect::<Vec<_>>().join(".")
}

fn parse_ranges(text: &str) -> Result<BTreeSet<u64>, ()> {
    let mut set = BTreeSet::new();
    for run in text.split('.') {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let (first, last): (u64, u64) = (first.parse().map_err(drop)?, last.parse().map_err(drop)?);
        set.extend(first..=last);
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::Cuts;

    #[test]
    fn cuts_are_read_back_as_they_are_told() {
        let cuts = Cuts {
            devices: Some(3),
            trouble: Some(12_000),
            strokes: [1, 2, 3, 7].into(),
            copies: [0, 2].into(),
            acts: [100_001, 100_002, 300_000].into(),
        };
        assert_eq!(
            cuts.to_string(),
            "devices=3,trouble=12000,strokes=1-3.7,copies=0.2,acts=100001-100002.300000"
        );
        assert_eq!(cuts.to_string().parse(), Ok(cuts));
        assert_eq!("".parse(), Ok(Cuts::default()));
        assert_eq!("friends=3".parse::<Cuts>(), Err(()));
    }
}
