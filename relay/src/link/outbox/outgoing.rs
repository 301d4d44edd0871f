//! One WebSocket message on its way, and how much of it is written.

use std::io::{self, IoSlice};

use bytes::Bytes;
use tokio::net::TcpStream;

use crate::limits::JOINED_FRAMES;
use crate::link::websocket::{Head, Kind};

/// A head and the frames behind it, which are not copied.
#[derive(Debug)]
pub(super) struct Outgoing {
    kind: Kind,
    head: Head,
    frames: Vec<Bytes>,
    length: usize,
    written: usize,
}

impl Outgoing {
    pub(super) fn frames(frames: Vec<Bytes>) -> Self {
        Self::new(Kind::Binary, frames)
    }

    /// One frame, of whose message so much is written.
    pub(super) fn begun(frame: Bytes, written: usize) -> Self {
        Self { written, ..Self::frames(vec![frame]) }
    }

    pub(super) fn ping() -> Self {
        Self::new(Kind::Ping, Vec::new())
    }

    pub(super) fn pong(payload: Bytes) -> Self {
        Self::new(Kind::Pong, vec![payload])
    }

    pub(super) fn close(code: u16, reason: &str) -> Self {
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        Self::new(Kind::Close, vec![payload.into()])
    }

    fn new(kind: Kind, frames: Vec<Bytes>) -> Self {
        let payload = frames.iter().map(Bytes::len).sum();
        let head = Head::new(kind, payload);
        Self { kind, head, frames, length: head.bytes().len() + payload, written: 0 }
    }

    pub(super) fn is_close(&self) -> bool {
        self.kind == Kind::Close
    }

    /// Bytes on the wire.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Writes what the socket takes at once; true when that was the rest.
    pub(super) fn write(&mut self, socket: &TcpStream) -> io::Result<bool> {
        let mut slices = [IoSlice::new(&[]); 1 + JOINED_FRAMES];
        let parts = std::iter::once(self.head.bytes()).chain(self.frames.iter().map(|frame| &frame[..]));
        let (mut skip, mut count) = (self.written, 0);
        for (part, slice) in parts.zip(&mut slices) {
            let rest = &part[skip.min(part.len())..];
            skip -= part.len() - rest.len();
            *slice = IoSlice::new(rest);
            count += 1;
        }
        self.written += socket.try_write_vectored(&slices[..count])?;
        Ok(self.written == self.length)
    }
}
