//! A reader that stops reading, and later takes all there is.

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

/// One link, and what came over it.
#[derive(Debug)]
pub(crate) struct Stalled {
    socket: Socket,
    stream: StreamId,
    log: StreamLog,
    snapshot: Vec<u8>,
}

impl Stalled {
    /// Takes all there is of the first text of a room, and reads nothing that comes after.
    pub(crate) async fn begin(relay: SocketAddr, from: IpAddr, room: &RoomId) -> Outcome<Self> {
        let mut socket = Socket::open_narrow(relay, Some(from), room.as_str(), Some(RECEIVE_BYTES)).await?;
        socket.greet(room).await?;
        let stream = StreamId::first_document(room);
        socket.subscribe(stream).await?;
        let mut reader = Self { socket, stream, log: StreamLog::new(stream), snapshot: Vec::new() };
        reader.take_until_answered(1).await?;
        Ok(reader)
    }

    /// Reads until it holds what the relay says there is.
    ///
    /// # Errors
    /// The link has ended, or what came does not hang together.
    pub(crate) async fn catch_up(mut self) -> Outcome<()> {
        let mut question = 1;
        loop {
            question += 1;
            let digest = self.log.digest();
            let ask = Subscribe { stream: self.stream, question, digest, newest_but: None };
            self.socket.send(&ask.into()).await?;
            if self.take_until_answered(question).await? == self.log.digest() {
                return Ok(());
            }
        }
    }

    async fn take_until_answered(&mut self, question: u64) -> Outcome<Digest> {
        loop {
            match self.socket.next().await? {
                Message::Entries(entries) => entries.iter().try_for_each(|entry| self.take(entry))?,
                Message::Other(Body::Chunk(chunk)) if chunk.stream == self.stream => self.gather(&chunk)?,
                Message::Other(Body::Compare(compare)) => {
                    let above = self.log.tips().map(|(replica, tip)| (replica, tip.seq)).collect();
                    let groups = compare.groups.chunks(MARK_BYTES).map(|mark| mark[0]).collect();
                    self.socket.send(&wire::Compare { groups, above, ..compare }.into()).await?;
                }
                Message::Other(Body::Synced(synced)) if synced.question == question => {
                    return Ok(synced.digest);
                }
                Message::Other(_) => {}
            }
        }
    }

    fn take(&mut self, entry: &Entry) -> Outcome<()> {
        if entry.header().stream != self.stream {
            return Ok(());
        }
        match self.log.judge(entry) {
            Verdict::Fresh(accepted) => self.log.extend(entry, accepted),
            Verdict::Known => {}
            verdict @ (Verdict::Waits(_) | Verdict::Refused(_)) => {
                return Err(format!("{:?} was sent out of place: {verdict:?}", entry.name()).into());
            }
        }
        Ok(())
    }

    fn gather(&mut self, chunk: &Chunk) -> Outcome<()> {
        if chunk.at == 0 {
            self.snapshot.clear();
        }
        self.snapshot.extend_from_slice(&chunk.bytes);
        if self.snapshot.len() as u64 == chunk.total {
            let (root, _) = wire::snapshot::split(&self.snapshot).ok_or("a snapshot without a root")?;
            self.log = SignedRoot::decode(root)?.root.log();
            self.snapshot = Vec::new();
        }
        Ok(())
    }
}
