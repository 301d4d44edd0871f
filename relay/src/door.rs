//! The door for whoever runs the relay: a Unix socket in the data folder, beside the database that its process keeps locked.
//!
//! One line is a request. The answer begins with `ok` or with `no` and a sentence, in a line of its own; what follows `ok`
//! is said at each request. Only who may read the folder's files gets in: the socket is its owner's, and the system says
//! who calls.

#[cfg(unix)]
mod serving;

#[cfg(unix)]
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use causeway_core::ids::{RoomId, StreamId};
use causeway_store::OpenError;

use crate::failure::Failure;

/// The socket's name in the data folder.
pub(crate) const NAME: &str = "door";

/// What can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// A backup, not deflated.
    Backup,
    /// What is in quarantine, a line each.
    List,
    /// A backup of one stream, not deflated.
    Export(RoomId, StreamId),
    /// To try a stream again; answered with nothing.
    Release(RoomId, StreamId),
}

/// Why nobody answered as asked.
#[derive(Debug)]
pub(crate) enum DoorError {
    /// The relay said no, in a sentence.
    Refused(String),
    /// It could not be asked.
    Io(io::Error),
}

impl Request {
    fn line(&self) -> String {
        match self {
            Self::Backup => "backup".into(),
            Self::List => "list".into(),
            Self::Export(room, stream) => format!("export {room} {stream}"),
            Self::Release(room, stream) => format!("release {room} {stream}"),
        }
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let request = match words.next()? {
            "backup" => Self::Backup,
            "list" => Self::List,
            "export" => Self::Export(words.next()?.parse().ok()?, words.next()?.parse().ok()?),
            "release" => Self::Release(words.next()?.parse().ok()?, words.next()?.parse().ok()?),
            _ => return None,
        };
        words.next().is_none().then_some(request)
    }
}

/// Asks the relay that serves a data folder; nothing where none does.
#[cfg(unix)]
pub(crate) fn ask(folder: &Path, request: &Request) -> Result<Option<impl Read + use<>>, DoorError> {
    use std::io::{ErrorKind, Write};
    use std::os::unix::net::UnixStream;

    let mut stream = match by_short_path(&folder.join(NAME), |path| UnixStream::connect(path)) {
        Ok(stream) => stream,
        // One that is left of a relay that was killed answers no more.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        Err(e) => return Err(DoorError::Io(e)),
    };
    let asked = stream.write_all(format!("{}\n", request.line()).as_bytes());
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    (&mut answer).take(LINE_BYTES).read_line(&mut line).map_err(DoorError::Io)?;
    match line.trim_end().split_once(' ').unwrap_or((line.trim_end(), "")) {
        ("ok", "") => Ok(Some(answer)),
        // Who is not let in may be told before the question has arrived.
        ("no", sentence) => Err(DoorError::Refused(sentence.into())),
        _ => Err(DoorError::Io(asked.err().unwrap_or_else(|| ErrorKind::UnexpectedEof.into()))),
    }
}

/// Does something with a socket whose path may be longer than the system takes for an address, some hundred bytes: then by
/// way of its open folder, where there is such a way.
#[cfg(unix)]
fn by_short_path<T>(socket: &Path, with: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    use std::os::fd::AsRawFd;

    match (with(socket), socket.parent(), socket.file_name()) {
        (Err(e), Some(folder), Some(name)) if e.kind() == io::ErrorKind::InvalidInput => {
            let folder = File::open(folder)?;
            with(&Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name))
        }
        (done, _, _) => done,
    }
}

impl DoorError {
    /// As whoever asked at the door of this folder is told.
    pub(crate) fn failure(self, folder: &Path) -> Failure {
        match self {
            Self::Refused(sentence) => Failure::Refused(sentence),
            Self::Io(why) if why.kind() == io::ErrorKind::PermissionDenied => Failure::Foreign(folder.into()),
            Self::Io(why) if why.kind() == io::ErrorKind::NotADirectory => {
                Failure::Store(OpenError::NotAFolder(folder.into()))
            }
            Self::Io(why) => Failure::NoDoor { folder: folder.into(), why: why.to_string() },
        }
    }
}

/// Elsewhere a relay has no door, and is stopped for a backup.
#[cfg(not(unix))]
pub(crate) fn ask(_folder: &Path, _request: &Request) -> Result<Option<io::Empty>, DoorError> {
    Ok(None)
}

#[cfg(unix)]
pub(crate) use serving::serve;

/// Nobody can ask here.
#[cfg(not(unix))]
pub(crate) async fn serve(_path: Option<&Path>, _rooms: &crate::rooms::Rooms) {
    std::future::pending().await
}

/// Bytes of a line: a request names a room and a stream, an answer has one sentence.
const LINE_BYTES: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rl13_a_request_is_understood_as_it_was_asked_and_nothing_else_is() {
        let (room, stream): (RoomId, _) = ("harbour".parse().unwrap(), StreamId::ydoc([7; 16]));
        let asked = [
            Request::Backup,
            Request::List,
            Request::Export(room.clone(), stream),
            Request::Release(room, StreamId::DIRECTORY),
        ];
        for request in asked {
            assert_eq!(Request::parse(&request.line()), Some(request));
        }
        for line in ["", "backup now", "restore", "export harbour", "release no/room directory"] {
            assert_eq!(Request::parse(line), None, "{line}");
        }
    }
}
