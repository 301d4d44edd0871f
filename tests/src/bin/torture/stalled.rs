//! A reader that stops reading, and later takes all there is.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use causeway_core::ids::{RoomId, StreamId};
use causeway_core::log::{Digest, Entry, MARK_BYTES, StreamLog, Verdict};
use causeway_core::snapshot::SignedRoot;
use causeway_core::wire::message::Chunk;
use causeway_core::wire::{self, Body, Message, Subscribe};

use crate::Outcome;
use crate::socket::Socket;

/// What the system may keep for it; a page that hangs has no more.
const RECEIVE_BYTES: u32 = 16 << 10;

/// One reader, its link, and what came.
#[derive(Debug)]
pub(crate) struct Stalled {
    socket: Socket,
    stream: StreamId,
    log: StreamLog,
    snapshot: Vec<u8>,
}

/// Why it has not everything.
#[derive(Debug)]
pub(crate) enum Amiss {
    /// Its link has ended: the relay lets go of whoever takes nothing for half a minute.
    Ended(Box<dyn Error + Send + Sync>),
    /// What came does not hang together.
    Wrong(String),
}

impl Stalled {
    /// Takes all there is of the first text of a room, and reads nothing that comes after.
    pub(crate) async fn begin(relay: SocketAddr, from: IpAddr, room: &RoomId) -> Outcome<Self> {
        let socket = connect(relay, from, room).await?;
        let stream = StreamId::first_document(room);
        let mut reader = Self { socket, stream, log: StreamLog::new(stream), snapshot: Vec::new() };
        reader.catch_up().await.map_err(|amiss| amiss.to_string())?;
        Ok(reader)
    }

    /// Another link, for what it holds already.
    pub(crate) async fn come_back(&mut self, relay: SocketAddr, from: IpAddr, room: &RoomId) -> Outcome<()> {
        self.socket = connect(relay, from, room).await?;
        Ok(())
    }

    /// Reads until it holds what the relay says there is.
    pub(crate) async fn catch_up(&mut self) -> Result<(), Amiss> {
        for question in 1.. {
            let digest = self.log.digest();
            let ask = Subscribe { stream: self.stream, question, digest, newest_but: None };
            self.socket.send(&ask.into()).await.map_err(Amiss::Ended)?;
            if self.take_until_answered(question).await? == self.log.digest() {
                break;
            }
        }
        Ok(())
    }

    async fn take_until_answered(&mut self, question: u64) -> Result<Digest, Amiss> {
        loop {
            match self.socket.next().await.map_err(Amiss::Ended)? {
                Message::Entries(entries) => entries.iter().try_for_each(|entry| self.take(entry))?,
                Message::Other(Body::Chunk(chunk)) if chunk.stream == self.stream => self.gather(&chunk)?,
                Message::Other(Body::Compare(compare)) => {
                    let above = self.log.tips().map(|(replica, tip)| (replica, tip.seq)).collect();
                    let groups = compare.groups.chunks(MARK_BYTES).map(|mark| mark[0]).collect();
                    let told = wire::Compare { groups, above, ..compare };
                    self.socket.send(&told.into()).await.map_err(Amiss::Ended)?;
                }
                Message::Other(Body::Synced(synced)) if synced.question == question => {
                    return Ok(synced.digest);
                }
                Message::Other(_) => {}
            }
        }
    }

    fn take(&mut self, entry: &Entry) -> Result<(), Amiss> {
        if entry.header().stream != self.stream {
            return Ok(());
        }
        match self.log.judge(entry) {
            Verdict::Fresh(accepted) => self.log.extend(entry, accepted),
            Verdict::Known => {}
            verdict @ (Verdict::Waits(_) | Verdict::Refused(_)) => {
                return Err(Amiss::Wrong(format!("{:?} was sent out of place: {verdict:?}", entry.name())));
            }
        }
        Ok(())
    }

    fn gather(&mut self, chunk: &Chunk) -> Result<(), Amiss> {
        if chunk.at == 0 {
            self.snapshot.clear();
        }
        self.snapshot.extend_from_slice(&chunk.bytes);
        if self.snapshot.len() as u64 == chunk.total {
            let root =
                wire::snapshot::split(&self.snapshot).and_then(|(root, _)| SignedRoot::decode(root).ok());
            let Some(root) = root else { return Err(Amiss::Wrong("a snapshot without a root".into())) };
            self.log = root.root.log();
            self.snapshot = Vec::new();
        }
        Ok(())
    }
}

async fn connect(relay: SocketAddr, from: IpAddr, room: &RoomId) -> Outcome<Socket> {
    let mut socket = Socket::open_narrow(relay, Some(from), room.as_str(), Some(RECEIVE_BYTES)).await?;
    socket.greet(room).await?;
    Ok(socket)
}

impl fmt::Display for Amiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(why) => write!(f, "{why}"),
            Self::Wrong(what) => write!(f, "{what}"),
        }
    }
}
