//! Reading a file past the places that the disk does not read.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

/// A file from its beginning to its end, piece by piece. As [`Read`] it gives zeros for what cannot be read.
pub(crate) struct Pieces<'a> {
    file: &'a File,
    at: u64,
    length: u64,
    /// Up to here it is read block by block, as a read of more has failed.
    careful_until: u64,
    unread: Unread,
}

/// What was come by.
pub(crate) struct Piece {
    pub(crate) at: u64,
    pub(crate) length: usize,
    /// Otherwise the disk does not give it.
    pub(crate) is_read: bool,
}

/// What could not be read.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    /// Runs of blocks.
    pub(crate) places: u64,
    pub(crate) bytes: u64,
    /// What the disk said first.
    pub(crate) why: Option<io::Error>,
    /// Where the last of them ends; zero where there is none.
    pub(crate) end: u64,
}

impl<'a> Pieces<'a> {
    pub(crate) fn of(file: &'a File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file, at: 0, length, careful_until: 0, unread: Unread::default() })
    }

    /// Reads the next piece, at most as long as `bytes`; nothing at the end of the file.
    pub(crate) fn next(&mut self, bytes: &mut [u8]) -> Option<Piece> {
        while self.at < self.length && !bytes.is_empty() {
            let left = usize::try_from(self.length - self.at).unwrap_or(usize::MAX);
            let to_block = BLOCK_BYTES - (self.at % BLOCK_BYTES as u64) as usize;
            let is_careful = self.at < self.careful_until;
            let wanted = bytes.len().min(left).min(if is_careful { to_block } else { usize::MAX });
            let at = self.at;
            match read_at(self.file, at, &mut bytes[..wanted]) {
                // It has become shorter.
                Ok(0) => return None,
                Ok(length) => {
                    self.at += length as u64;
                    return Some(Piece { at, length, is_read: true });
                }
                Err(_) if !is_careful => self.careful_until = at + wanted as u64,
                Err(why) => {
                    self.at += wanted as u64;
                    self.unread.note(at, wanted as u64, why);
                    return Some(Piece { at, length: wanted, is_read: false });
                }
            }
        }
        None
    }

    /// What could not be read so far.
    pub(crate) fn into_unread(self) -> Unread {
        self.unread
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.next(out) else { return Ok(0) };
        if !piece.is_read {
            out[..piece.length].fill(0);
        }
        Ok(piece.length)
    }
}

impl Unread {
    fn note(&mut self, at: u64, length: u64, why: io::Error) {
        self.places += u64::from(self.bytes == 0 || at != self.end);
        self.bytes += length;
        self.end = at + length;
        self.why.get_or_insert(why);
    }

    /// What two files have of it.
    pub(crate) fn and(self, other: Self) -> Self {
        let Self { places, bytes, why, .. } = self;
        Self { places: places + other.places, bytes: bytes + other.bytes, why: why.or(other.why), end: 0 }
    }
}

fn read_at(mut file: &File, at: u64, bytes: &mut [u8]) -> io::Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    loop {
        match file.read(bytes) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// What disks read and lose at once.
const BLOCK_BYTES: usize = 4096;
