//! A device reduced to what the wire shows: it writes entries, and remembers what it was told.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use causeway_core::directory::DirectoryOp;
use causeway_core::ids::{ReplicaId, RoomId, StreamId};
use causeway_core::log::{Entry, EntryKind, Header, MARK_BYTES, StreamLog, Verdict};
use causeway_core::replica::Identity;
use causeway_core::time::Millis;
use causeway_core::wire::{self, Body, Compare, ErrorCode, Hello, Message, Ping, Saved, Subscribe, Synced};
use causeway_core::ydoc::ROOT;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, client::IntoClientRequest, protocol::CloseFrame};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Longer than anything here takes, shorter than a person waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A device in one room, with one replica.
pub(crate) struct Device {
    pub(crate) link: Link,
    pub(crate) identity: Identity,
    room: RoomId,
    /// The stream that stories write into unless they say otherwise.
    pub(crate) stream: StreamId,
    pub(crate) log: StreamLog,
    /// Entries of others, in the order they came.
    pub(crate) received: Vec<Entry>,
    /// Of the relay's store.
    pub(crate) epoch: u64,
}

impl Device {
    /// Connects and proves its replica.
    pub(crate) async fn join(address: &str, room: &str, secret: u8) -> Self {
        Self::join_as(address, room, Identity::from_secret(&[secret; 32])).await
    }

    pub(crate) async fn join_as(address: &str, room: &str, identity: Identity) -> Self {
        let stream = StreamId::DIRECTORY;
        Self::join_stream(address, room, identity, stream, StreamLog::new(stream)).await
    }

    /// Comes back, or begins, with this log of a stream.
    pub(crate) async fn join_stream(
        address: &str,
        room: &str,
        identity: Identity,
        stream: StreamId,
        log: StreamLog,
    ) -> Self {
        let mut link = Link::open(address, room).await;
        let room: RoomId = room.parse().unwrap();
        link.send(&hello(&room, wire::VERSION)).await;
        let welcome = link
            .until(|message| match message {
                Message::Other(Body::Welcome(welcome)) => Some(welcome.clone()),
                _ => None,
            })
            .await;
        link.send(&identity.prove(&welcome.nonce, &room).into()).await;
        Self { link, identity, room, stream, log, received: Vec::new(), epoch: welcome.epoch }
    }

    pub(crate) fn replica(&self) -> ReplicaId {
        self.identity.id()
    }

    pub(crate) fn first_document(&self) -> StreamId {
        StreamId::first_document(&self.room)
    }

    /// The next entry of this device, not sent yet.
    pub(crate) fn write(&mut self, kind: EntryKind, payload: &[u8]) -> Entry {
        let replica = self.replica();
        let entry = self.forge(kind, payload);
        let accepted = match self.log.judge(&entry) {
            Verdict::Fresh(accepted) => accepted,
            verdict => panic!("an own entry joins the log: {verdict:?}"),
        };
        self.log.extend(&entry, accepted);
        assert_eq!(self.log.tip(&replica).seq, entry.header().seq);
        entry
    }

    /// The same without asking the own log whether it is allowed.
    pub(crate) fn forge(&self, kind: EntryKind, payload: &[u8]) -> Entry {
        let replica = self.replica();
        let (deps, logical) = self.log.next_place(&replica);
        let header = Header {
            stream: self.stream,
            replica,
            seq: self.log.tip(&replica).seq + 1,
            deps,
            logical,
            time: Millis(1),
            kind,
            target: None,
            key_epoch: 0,
            payload_hash: [0; 32],
        };
        wire::entry::build(header, payload)
    }

    /// The next entry of this device in the directory.
    pub(crate) fn write_name(&mut self, number: u64) -> Entry {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        let op = DirectoryOp::Put { document: StreamId::ydoc(id), path: format!("notes/{number}.md") };
        self.write(EntryKind::Edit, &wire::payload::encode_directory(&op))
    }

    /// Adds text to the end of the own text in the document.
    pub(crate) fn write_text(&mut self, text: &str) -> Entry {
        let replica = self.replica();
        let update = insert(replica.client(), self.log.tip(&replica).clock, text);
        self.write(EntryKind::Edit, &update)
    }

    pub(crate) async fn send(&mut self, entries: Vec<Entry>) {
        self.link.send(&Message::Entries(entries)).await;
    }

    /// Writes a name and waits until it is saved.
    pub(crate) async fn save_name(&mut self, number: u64) -> Entry {
        let entry = self.write_name(number);
        self.send(vec![entry.clone()]).await;
        self.saved(entry.header().seq).await;
        entry
    }

    /// Waits until the own entries up to `seq` are called saved.
    pub(crate) async fn saved(&mut self, seq: u64) {
        let replica = self.replica();
        self.link
            .until(|message| match message {
                Message::Other(Body::Saved(Saved { replica: whose, seq: up_to, .. })) => {
                    (*whose == replica && *up_to >= seq).then_some(())
                }
                _ => None,
            })
            .await;
    }

    /// Asks for a stream with what the log has of it.
    pub(crate) async fn subscribe(&mut self) {
        let (stream, digest) = (self.stream, self.log.digest());
        self.link.send(&Subscribe { stream, question: 1, digest, newest_but: None }.into()).await;
    }

    /// Takes everything until the relay says that this is all.
    pub(crate) async fn synced(&mut self) -> Synced {
        loop {
            match self.link.next().await {
                Message::Entries(entries) => self.take(entries),
                Message::Other(Body::Synced(synced)) => return synced,
                Message::Other(Body::Compare(compare)) => self.tell_all(&compare).await,
                Message::Other(_) => {}
            }
        }
    }

    /// A relay that does not know the digest is told all there is.
    async fn tell_all(&mut self, compare: &Compare) {
        let above: Vec<_> = self.log.tips().map(|(replica, tip)| (replica, tip.seq)).collect();
        let groups = compare.groups.chunks(MARK_BYTES).map(|mark| mark[0]).collect();
        self.link.send(&Compare { groups, above, ..compare.clone() }.into()).await;
    }

    /// What the relay sends until it says that this is all, also what builds on something that is not there.
    pub(crate) async fn until_synced_unjudged(&mut self) -> Vec<Entry> {
        let mut sent = Vec::new();
        loop {
            match self.link.next().await {
                Message::Entries(entries) => sent.extend(entries),
                Message::Other(Body::Synced(_)) => return sent,
                Message::Other(Body::Compare(compare)) => self.tell_all(&compare).await,
                Message::Other(_) => {}
            }
        }
    }

    /// Takes entries until so many have come.
    pub(crate) async fn receive(&mut self, count: usize) {
        while self.received.len() < count {
            if let Message::Entries(entries) = self.link.next().await {
                self.take(entries);
            }
        }
    }

    fn take(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            match self.log.judge(&entry) {
                Verdict::Fresh(accepted) => self.log.extend(&entry, accepted),
                Verdict::Known => continue,
                verdict => panic!("the relay forwards only what can be applied: {entry:?} {verdict:?}"),
            }
            self.received.push(entry);
        }
    }

    /// A question and its answer: what was on its way before has then been seen.
    pub(crate) async fn ping(&mut self) -> Vec<Message> {
        self.link.send(&Ping { time: Millis(1) }.into()).await;
        let mut before = Vec::new();
        loop {
            match self.link.next().await {
                Message::Other(Body::Pong(_)) => return before,
                other => before.push(other),
            }
        }
    }
}

/// A socket that speaks frames.
pub(crate) struct Link {
    socket: WebSocketStream<TcpStream>,
    waiting: VecDeque<Message>,
}

/// How a link ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The error frame before the end.
    pub(crate) error: Option<(u16, String)>,
    /// The close code of the socket.
    pub(crate) close: Option<u16>,
}

impl Link {
    pub(crate) async fn open(address: &str, room: &str) -> Self {
        Self::open_with(TcpSocket::new_v4().unwrap(), address, room).await
    }

    pub(crate) async fn open_with(socket: TcpSocket, address: &str, room: &str) -> Self {
        let stream = socket.connect(address.parse().unwrap()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!("ws://{address}/sync/{room}").into_client_request().unwrap();
        let (socket, _) = client_async(request, stream).await.unwrap();
        Self { socket, waiting: VecDeque::new() }
    }

    pub(crate) async fn send(&mut self, message: &Message) {
        self.send_bytes(wire::encode(message)).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: Bytes) {
        self.send_raw(tungstenite::Message::Binary(bytes)).await;
    }

    pub(crate) async fn send_raw(&mut self, message: tungstenite::Message) {
        // A relay that has ended the link says why when it is read.
        let _ = timeout(PATIENCE, self.socket.send(message)).await.expect("the relay reads");
    }

    /// The next message; a story that expects one fails when the link ends instead.
    pub(crate) async fn next(&mut self) -> Message {
        match self.poll().await {
            Ok(message) => message,
            Err(close) => panic!("the link ended with {close:?}"),
        }
    }

    async fn poll(&mut self) -> Result<Message, Option<u16>> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Ok(message);
            }
            match timeout(PATIENCE, self.socket.next()).await.expect("the relay answers") {
                Some(Ok(tungstenite::Message::Binary(bytes))) => {
                    self.waiting.extend(wire::decode(&bytes).expect("the relay sends whole frames"));
                }
                Some(Ok(tungstenite::Message::Close(frame))) => {
                    return Err(frame.map(|CloseFrame { code, .. }| code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The next message, or nothing once the link has ended.
    pub(crate) async fn try_next(&mut self) -> Option<Message> {
        self.poll().await.ok()
    }

    /// The first message that `wanted` makes something of.
    pub(crate) async fn until<T>(&mut self, mut wanted: impl FnMut(&Message) -> Option<T>) -> T {
        loop {
            let message = self.next().await;
            if let Some(found) = wanted(&message) {
                return found;
            }
        }
    }

    /// Reads to the end.
    pub(crate) async fn end(&mut self) -> End {
        let mut error = None;
        loop {
            match self.poll().await {
                Ok(Message::Other(Body::Error(frame))) => error = Some((frame.code, frame.sentence)),
                Ok(_) => {}
                Err(close) => return End { error, close },
            }
        }
    }

    /// Reads to the end and expects it to be for this reason, told twice: in an error frame and in the close code.
    pub(crate) async fn ends_with(&mut self, code: ErrorCode) -> String {
        let end = self.end().await;
        let (number, sentence) = end.error.expect("an error frame comes before the end");
        assert_eq!((number, end.close), (code as u16, Some(code as u16)), "{sentence}");
        assert!(!sentence.is_empty());
        sentence
    }
}

pub(crate) fn hello(room: &RoomId, version: u16) -> Message {
    let digest = StreamLog::new(StreamId::DIRECTORY).digest();
    Hello {
        oldest: version,
        newest: version,
        room: room.clone(),
        digest,
        forwards: false,
        agent: "story".into(),
    }
    .into()
}

/// A Yjs update, written by hand: `text` behind what this client has written so far.
fn insert(client: u64, clock: u32, text: &str) -> Vec<u8> {
    let mut update = Vec::new();
    // One section of one block.
    for number in [1, 1, client, u64::from(clock)] {
        put(&mut update, number);
    }
    match clock.checked_sub(1) {
        // A string at the start of the text, which is a root of the document.
        None => {
            update.extend([4, 1, ROOT.len() as u8]);
            update.extend(ROOT.as_bytes());
        }
        // A string behind the last of our characters.
        Some(last) => {
            update.push(4 | 0x80);
            put(&mut update, client);
            put(&mut update, u64::from(last));
        }
    }
    put(&mut update, text.len() as u64);
    update.extend(text.as_bytes());
    // Nothing is deleted.
    update.push(0);
    update
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
