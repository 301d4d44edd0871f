//! The file that says what keeps a data folder: the kind of store and the number of its format.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::{OpenError, damaged, refusal};
use crate::StoreKind;

/// The folder's format is one that we can read.
pub(super) enum Known {
    /// The one that we write.
    Ours,
    /// redb's before there was a write-ahead log; nothing else has changed since.
    WithoutLog,
}

/// Whether the folder is of this kind and of a known format; `None` where nothing was written yet.
pub(super) fn read_format(folder: &Path, asked: StoreKind) -> Result<Option<Known>, OpenError> {
    let text = match fs::read(folder.join(FORMAT)) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(refusal(folder, &e)),
    };
    let parsed = std::str::from_utf8(&text).ok().and_then(|text| {
        let (kind, number) = text.strip_prefix(FORMAT_OWNER)?.split_once(FORMAT_NUMBER)?;
        Some((kind.parse().ok()?, number.trim().parse().ok()?))
    });
    let known = known_format(asked);
    match parsed {
        Some((found, _)) if found != asked => {
            Err(OpenError::OtherKind { folder: folder.into(), found, asked })
        }
        Some((_, found)) if found > known => Err(OpenError::NewerFormat { found, known }),
        Some((_, found)) if found == known => Ok(Some(Known::Ours)),
        Some((StoreKind::Redb, FORMAT_WITHOUT_LOG)) => Ok(Some(Known::WithoutLog)),
        Some((_, found)) => Err(OpenError::OlderFormat { found, known }),
        None => Err(damaged(folder, format!("{FORMAT} is not readable"))),
    }
}

/// Counts with every record of a store or home that changes its layout without a version of its own. sled has no log of ours.
fn known_format(kind: StoreKind) -> u32 {
    match kind {
        StoreKind::Sled => 3,
        StoreKind::Redb => 4,
    }
}

/// Writes beside and renames, so that no power cut leaves an empty file that nobody could read.
pub(super) fn write_format(folder: &Path, kind: StoreKind) -> io::Result<()> {
    let beside = folder.join(FORMAT_BESIDE);
    let mut file = File::create(&beside)?;
    writeln!(file, "{FORMAT_OWNER}{kind}{FORMAT_NUMBER}{}", known_format(kind))?;
    file.sync_all()?;
    fs::rename(beside, folder.join(FORMAT))
}

/// The kind of store that keeps a folder; nothing where no store does.
pub(crate) fn kind_of(folder: &Path) -> Result<Option<StoreKind>, OpenError> {
    for kind in StoreKind::ALL {
        match read_format(folder, kind) {
            Ok(found) => return Ok(found.map(|_| kind)),
            Err(OpenError::OtherKind { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(None)
}

pub(super) const FORMAT: &str = "FORMAT";
pub(super) const FORMAT_BESIDE: &str = "FORMAT.new";
const FORMAT_OWNER: &str = "causeway store, ";
const FORMAT_NUMBER: &str = ", format ";
/// redb's last without a write-ahead log.
const FORMAT_WITHOUT_LOG: u32 = 3;
