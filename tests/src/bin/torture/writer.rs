//! A device reduced to one replica that writes: it keeps every entry it wrote and what it was told of each.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use causeway_core::directory::DirectoryOp;
use causeway_core::ids::{RoomId, StreamId};
use causeway_core::log::{Entry, EntryKind, Head, Header, StreamLog, Verdict};
use causeway_core::replica::Identity;
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Message};
use tokio::time::{Instant, sleep_until};

use crate::Outcome;
use crate::rng::Rng;
use crate::socket::Socket;

/// Entries on their way at any time, so that some are always between the socket and the disk.
const ON_THEIR_WAY: usize = 2;
/// When what the relay did not take is offered again.
const OFFER_AGAIN: Duration = Duration::from_millis(300);
/// When a writer comes back whose link has ended.
const COME_BACK: Duration = Duration::from_millis(100);

/// One replica and its books.
#[derive(Debug)]
pub(crate) struct Writer {
    room: RoomId,
    identity: Identity,
    log: StreamLog,
    /// Head of the chain at each number; the first is that before any entry.
    heads: Vec<Head>,
    /// All of it.
    written: Vec<Entry>,
    /// What was never called saved, oldest first.
    unsaved: Vec<Entry>,
    /// Up to where the relay has ever said `saved`.
    saved: u64,
    /// When to offer again what the relay did not take.
    again: Option<Instant>,
    rng: Rng,
}

impl Writer {
    pub(crate) fn new(room: &str, mut rng: Rng) -> Outcome<Self> {
        let identity = Identity::from_secret(&rng.seed());
        let log = StreamLog::new(StreamId::DIRECTORY);
        let heads = vec![Head::START];
        Ok(Self {
            room: room.parse()?,
            identity,
            log,
            heads,
            written: Vec::new(),
            unsaved: Vec::new(),
            saved: 0,
            again: None,
            rng,
        })
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn room(&self) -> &RoomId {
        &self.room
    }

    pub(crate) fn heads(&self) -> &[Head] {
        &self.heads
    }

    pub(crate) fn saved(&self) -> u64 {
        self.saved
    }

    /// Writes and listens until the relay is gone, pausing up to `pause` between entries. What was not saved is sent
    /// again first.
    ///
    /// # Errors
    /// Only what no death of a relay excuses: a refusal, a question after something it called saved, a wrong head.
    pub(crate) async fn write_until_it_dies(&mut self, to: SocketAddr, pause: Duration) -> Outcome<()> {
        let Ok(mut socket) = self.connect(to).await else { return Ok(()) };
        let mut next = Instant::now();
        loop {
            tokio::select! {
                message = socket.next() => match message {
                    Ok(message) => self.hear(&message)?,
                    Err(_) => return Ok(()),
                },
                // pace: what the relay did not take is offered again after a while
                () = sleep_until(self.again.unwrap_or_else(Instant::now)), if self.again.is_some() => {
                    if self.offer(&mut socket).await.is_err() {
                        return Ok(());
                    }
                }
                // pace: people do not all write at once
                () = sleep_until(next), if self.unsaved.len() < ON_THEIR_WAY => {
                    let entry = self.write();
                    if socket.send_bytes(&wire::frame::encode_entries([&entry])).await.is_err() {
                        return Ok(());
                    }
                    next = Instant::now() + pause.mul_f64(self.rng.below(1000) as f64 / 1000.0);
                }
            }
        }
    }

    /// The same, coming back after every end of the link, until `stop` is set.
    pub(crate) async fn write_until_told(
        &mut self,
        to: SocketAddr,
        pause: Duration,
        stop: &AtomicBool,
    ) -> Outcome<()> {
        while !stop.load(Ordering::Relaxed) {
            self.write_until_it_dies(to, pause).await?;
            // pace: a device does not come back at once
            sleep_until(Instant::now() + COME_BACK).await;
        }
        Ok(())
    }

    /// The relay is in a new epoch: nothing counts as saved any more.
    pub(crate) fn doubt(&mut self) {
        self.saved = 0;
        self.unsaved = self.written.clone();
    }

    /// Writes one entry more, connects, and waits until everything it ever wrote is called saved.
    pub(crate) async fn finish(&mut self, to: SocketAddr) -> Outcome<()> {
        self.write();
        let mut socket = self.connect(to).await?;
        while !self.unsaved.is_empty() {
            tokio::select! {
                message = socket.next() => self.hear(&message?)?,
                // pace: what the relay did not take is offered again after a while
                () = sleep_until(self.again.unwrap_or_else(Instant::now)), if self.again.is_some() => {
                    self.offer(&mut socket).await?;
                }
            }
        }
        Ok(())
    }

    async fn connect(&mut self, to: SocketAddr) -> Outcome<Socket> {
        let mut socket = Socket::open(to, None, self.room.as_str()).await?;
        let welcome = socket.greet(&self.room).await?;
        socket.send(&self.identity.prove(&welcome.nonce, &self.room).into()).await?;
        self.offer(&mut socket).await?;
        Ok(socket)
    }

    /// Sends all that was never called saved.
    async fn offer(&mut self, socket: &mut Socket) -> Outcome<()> {
        self.again = None;
        socket.send_bytes(&wire::frame::encode_entries(&self.unsaved)).await
    }

    fn hear(&mut self, message: &Message) -> Outcome<()> {
        let ours = self.identity.id();
        match message {
            Message::Other(Body::Saved(told)) if told.replica == ours => self.note(told.seq, told.head),
            Message::Other(Body::Refused(told)) if told.replica == ours => {
                Err(format!("an honest entry was refused: {} {}", told.code, told.sentence).into())
            }
            Message::Other(Body::Need(told)) if told.replica == ours && told.from <= self.saved => {
                Err(format!("the relay asks for entry {}, and called {} saved", told.from, self.saved).into())
            }
            Message::Other(Body::Need(_) | Body::Later(_)) => {
                self.again = Some(Instant::now() + OFFER_AGAIN);
                Ok(())
            }
            Message::Other(_) | Message::Entries(_) => Ok(()),
        }
    }

    /// It was said that all entries up to this one are saved.
    fn note(&mut self, seq: u64, head: [u8; 8]) -> Outcome<()> {
        let at = usize::try_from(seq)?;
        if self.heads.get(at).map(Head::short) != Some(head) {
            return Err(format!("entry {seq} was called saved with a head that is not ours").into());
        }
        self.saved = self.saved.max(seq);
        self.unsaved.retain(|entry| entry.header().seq > seq);
        Ok(())
    }

    /// The next entry: a name in the directory.
    fn write(&mut self) -> Entry {
        let replica = self.identity.id();
        let (deps, logical) = self.log.next_place(&replica);
        let seq = self.heads.len() as u64;
        let op = DirectoryOp::Put {
            document: StreamId::ydoc(
                self.rng.next().to_le_bytes().repeat(2).try_into().expect("two times eight"),
            ),
            path: format!("notes/{}-{seq}.md", self.rng.below(1_000)),
        };
        let header = Header {
            stream: StreamId::DIRECTORY,
            replica,
            seq,
            deps,
            logical,
            time: Millis(1),
            kind: EntryKind::Edit,
            target: None,
            key_epoch: 0,
            payload_hash: [0; 32],
        };
        let entry = wire::entry::build(header, &wire::payload::encode_directory(&op));
        let Verdict::Fresh(accepted) = self.log.judge(&entry) else { panic!("an own entry joins the log") };
        self.log.extend(&entry, accepted);
        self.heads.push(self.log.tip(&replica).head);
        self.written.push(entry.clone());
        self.unsaved.push(entry.clone());
        entry
    }
}
