//! Putting a database on the disk once more, after the disk has failed.
//!
//! An fsync that fails is not an fsync that may be repeated: Linux counts as clean what it could not write. It is read
//! back from memory until the memory is needed, it is not on the disk, and no later fsync puts it there. A store that was
//! opened again on such a file would call saved what the next power cut takes, or find its own log with a gap. So every
//! byte is written where it stands, which makes it count as new, and is synced. A power cut meanwhile does no more harm
//! than one before. What the disk does not read is passed over: it is on the disk or lost, and nothing is written in its place.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use tracing::warn;

use crate::limits::AGAIN_BYTES;
use crate::pieces::Pieces;
use crate::watch;

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
    let (mut written, mut unsynced) = (0, 0);
    while let Some(piece) = pieces.next(&mut bytes) {
        watch::step();
        let (mut from, end) = (piece.at, piece.at + piece.length as u64);
        while let Some(data) = data_in(file, from..end).filter(|_| piece.is_read) {
            let [first, last] = [data.start, data.end].map(|at| (at - piece.at) as usize);
            file.seek(SeekFrom::Start(data.start))?;
            file.write_all(&bytes[first..last])?;
            (from, written) = (data.end, written + last - first);
            unsynced += last - first;
        }
        if unsynced >= AGAIN_BYTES {
            // All at the end could take longer than anybody waits.
            file.sync_data()?;
            unsynced = 0;
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

/// The first bytes in a range of a file that are no hole: holes are not filled, which would take room that there may not be. What
/// has not reached the disk is no hole.
#[cfg(target_os = "linux")]
fn data_in(file: &File, range: Range<u64>) -> Option<Range<u64>> {
    use rustix::fs::{SeekFrom, seek};
    use rustix::io::Errno;
    let start = match seek(file, SeekFrom::Data(range.start)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return None,
        // The file system does not tell.
        Err(_) => range.start,
    };
    let end = seek(file, SeekFrom::Hole(start)).map_or(range.end, |end| end.min(range.end));
    (start < end).then_some(start..end)
}

#[cfg(not(target_os = "linux"))]
fn data_in(_file: &File, range: Range<u64>) -> Option<Range<u64>> {
    (!range.is_empty()).then_some(range)
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

    #[test]
    fn st8_whoever_writes_a_file_again_gets_on_with_each_piece() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), vec![7; PIECE_BYTES + 3]).unwrap();
        let watch = watch::Watch::default();
        let _opening = watch.begin();
        watch.look(Duration::from_secs(60));
        write_again(file.path()).unwrap();
        watch.look(Duration::from_secs(60));
        assert_eq!(watch.stands_still(), Duration::ZERO);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn st4_holes_of_a_file_are_not_filled_as_there_may_be_no_room_for_them() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        let mut file = File::create(&path).unwrap();
        file.write_all(&[7; 5_000]).unwrap();
        file.seek(SeekFrom::Start(9 * PIECE_BYTES as u64 + 100)).unwrap();
        file.write_all(&[8; 5_000]).unwrap();
        file.set_len(64 * PIECE_BYTES as u64).unwrap();
        file.sync_all().unwrap();
        drop(file);
        let (bytes, blocks) = (fs::read(&path).unwrap(), path.metadata().unwrap().blocks());
        write_again(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
        assert_eq!(path.metadata().unwrap().blocks(), blocks);
        assert!(blocks < 1_000, "{blocks} blocks: the file system has no holes");
    }
}
