//! Putting a database on the disk once more, after the disk has failed.
//!
//! An fsync that fails is not an fsync that may be repeated: Linux counts as clean what it could not write. It is read
//! back from memory until the memory is needed, it is not on the disk, and no later fsync puts it there. A store that was
//! opened again on such a file would call saved what the next power cut takes, or find its own log with a gap. So every
//! byte is written where it stands, which makes it count as new, and is synced. A power cut meanwhile does no more harm
//! than one before. What the disk does not read is passed over: it is on the disk or lost, and nothing is written in its place.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use tracing::warn;

use crate::pieces::Pieces;

/// Writes a file, or all files of a folder, where they stand and syncs them. Waits a few seconds for
/// whoever has a file locked.
pub(crate) fn write_again(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        return write_file_again(&OpenOptions::new().read(true).write(true).open(path)?);
    }
    for found in fs::read_dir(path)? {
        write_again(&found?.path())?;
    }
    super::sync_folder(path)
}

fn write_file_again(mut file: &File) -> io::Result<()> {
    wait_for_the_last_user(file)?;
    let mut bytes = vec![0; PIECE_BYTES];
    let mut pieces = Pieces::of(file)?;
    let mut written = 0;
    while let Some(piece) = pieces.next(&mut bytes) {
        if piece.is_read {
            file.seek(SeekFrom::Start(piece.at))?;
            file.write_all(&bytes[..piece.length])?;
            written += piece.length;
        }
    }
    let unread = pieces.into_unread();
    match unread.why {
        Some(why) if written == 0 => return Err(why),
        Some(why) => warn!(bytes = unread.bytes, %why, "what the disk does not read is left as it is"),
        None => {}
    }
    file.sync_all()
}

/// Both databases lock their files; a thread of the one that was just dropped may still be writing.
fn wait_for_the_last_user(file: &File) -> io::Result<()> {
    let deadline = Instant::now() + CLOSING_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(CLOSING_PAUSE),
            Err(locked) => return Err(locked.into()),
        }
    }
}

/// As long as the databases are waited for when they are opened.
const CLOSING_PATIENCE: Duration = Duration::from_secs(5);
const CLOSING_PAUSE: Duration = Duration::from_millis(5);
/// Few calls, and little memory.
const PIECE_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        let files =
            [("a", vec![7; PIECE_BYTES + 3]), ("inner/b", b"short".to_vec()), ("inner/c", Vec::new())];
        for (name, content) in &files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        write_again(folder.path()).unwrap();
        for (name, content) in &files {
            assert_eq!(fs::read(folder.path().join(name)).unwrap(), *content);
        }
    }
}
