//! A device's end of a link, as cheap as one can make it: load shares the machine with what is measured.

use std::error::Error;
use std::io::ErrorKind;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use causeway_core::ids::{RoomId, StreamId};
use causeway_core::log::Digest;
use causeway_core::replica::Identity;
use causeway_core::snapshot::SnapshotId;
use causeway_core::wire::{self, Body, Hello, Message, Subscribe, VERSION, Welcome};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use super::server::{Kind, Server};
use super::y_sweet;

/// A link.
#[derive(Debug)]
pub(crate) struct Link {
    stream: TcpStream,
    kind: Kind,
    buffer: BytesMut,
}

impl Link {
    /// Opens a link to a room; at the relay it is greeted and proven, and follows `stream`; at y-sweet it has been greeted.
    pub(crate) async fn join(
        server: &Server,
        room: &str,
        identity: &Identity,
        stream: StreamId,
    ) -> Result<Self, Box<dyn Error>> {
        if server.kind == Kind::YSweet {
            y_sweet::make(&server.address, room).await?;
        }
        let mut link = Self::open(server, room).await?;
        match server.kind {
            Kind::Relay => {
                let room: RoomId = room.parse()?;
                let welcome = link.greet(&room).await?;
                link.send(&wire::encode(&identity.prove(&welcome.nonce, &room).into())).await?;
                link.subscribe(stream).await?;
                while !matches!(&link.next().await?[..], [.., Message::Other(Body::Synced(_))]) {}
            }
            Kind::YSweet => {
                // It begins with what it has, and who is there.
                for _ in 0..2 {
                    link.next_bytes().await?;
                }
            }
            Kind::Floor => drop(link.next_bytes().await?),
        }
        Ok(link)
    }

    /// Opens a link and says nothing on it yet.
    pub(crate) async fn open(server: &Server, room: &str) -> Result<Self, Box<dyn Error>> {
        Self::open_on(TcpSocket::new_v4()?, server, room).await
    }

    /// The same on a socket of which nothing more than its end is read: the system keeps as little for it as it can.
    pub(crate) async fn open_stalling(server: &Server, room: &str) -> Result<Self, Box<dyn Error>> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(16 * 1024)?;
        Self::open_on(socket, server, room).await
    }

    async fn open_on(socket: TcpSocket, server: &Server, room: &str) -> Result<Self, Box<dyn Error>> {
        let stream = socket.connect(server.address.parse()?).await?;
        stream.set_nodelay(true)?;
        let mut link = Self { stream, kind: server.kind, buffer: BytesMut::new() };
        match server.kind {
            Kind::Floor => link.stream.write_all(format!("{room}\n").as_bytes()).await?,
            Kind::Relay | Kind::YSweet => {
                let path = match server.kind {
                    Kind::YSweet => format!("/d/{room}/ws/{room}"),
                    Kind::Relay | Kind::Floor => format!("/sync/{room}"),
                };
                let request = format!(
                    "GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                );
                link.stream.write_all(request.as_bytes()).await?;
                let end = loop {
                    if let Some(end) = link.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                        break end + 4;
                    }
                    link.read().await?;
                };
                link.buffer.advance(end);
            }
        }
        Ok(link)
    }

    pub(crate) async fn say_hello(&mut self, room: &RoomId) -> Result<(), Box<dyn Error>> {
        let digest = Digest::NOTHING;
        let hello = Hello {
            oldest: VERSION,
            newest: VERSION,
            room: room.clone(),
            digest,
            forwards: false,
            agent: "bench".into(),
        };
        self.send(&wire::encode(&hello.into())).await
    }

    pub(crate) async fn greet(&mut self, room: &RoomId) -> Result<Welcome, Box<dyn Error>> {
        self.say_hello(room).await?;
        match self.next().await?.into_iter().next() {
            Some(Message::Other(Body::Welcome(welcome))) => Ok(welcome),
            other => Err(format!("no welcome: {other:?}").into()),
        }
    }

    pub(crate) async fn subscribe(&mut self, stream: StreamId) -> Result<(), Box<dyn Error>> {
        let (digest, newest_but) = (Digest::NOTHING, Some(SnapshotId::NOTHING));
        self.send(&wire::encode(&Subscribe { stream, question: 1, digest, newest_but }.into())).await
    }

    /// Sends one frame.
    pub(crate) async fn send(&mut self, frame: &[u8]) -> Result<(), Box<dyn Error>> {
        let mut bytes = BytesMut::with_capacity(frame.len() + 14);
        match (self.kind, frame.len()) {
            (Kind::Floor, length) => bytes.put_u32(length as u32),
            (_, length @ 0..=125) => bytes.put_slice(&[0x82, 0x80 | length as u8]),
            (_, length @ 126..=0xffff) => {
                bytes.put_slice(&[0x82, 0x80 | 126]);
                bytes.put_u16(length as u16);
            }
            (_, length) => {
                bytes.put_slice(&[0x82, 0x80 | 127]);
                bytes.put_u64(length as u64);
            }
        }
        if self.kind != Kind::Floor {
            // A mask of zeros changes nothing and costs the sender nothing; the receiver takes it off all the same.
            bytes.put_u32(0);
        }
        bytes.put_slice(frame);
        Ok(self.stream.write_all(&bytes).await?)
    }

    /// The next message, decoded.
    pub(crate) async fn next(&mut self) -> Result<Vec<Message>, Box<dyn Error>> {
        Ok(wire::decode(&self.next_bytes().await?)?)
    }

    /// The next message of frames.
    pub(crate) async fn next_bytes(&mut self) -> Result<Bytes, Box<dyn Error>> {
        loop {
            if let Some(message) = self.take() {
                return Ok(message);
            }
            self.read().await?;
        }
    }

    /// A message that has been read; pings are passed over.
    fn take(&mut self) -> Option<Bytes> {
        loop {
            let (head, length) = self.message()?;
            if self.buffer.len() < head + length {
                return None;
            }
            let first = self.buffer[0];
            self.buffer.advance(head);
            let payload = self.buffer.split_to(length).freeze();
            if first & 0x0f == 2 {
                return Some(payload);
            }
        }
    }

    /// Bytes of the head and of the payload of the message at hand.
    fn message(&self) -> Option<(usize, usize)> {
        Some(match *self.buffer.get(1)? {
            126 => (4, usize::from(u16::from_be_bytes(self.buffer.get(2..4)?.try_into().ok()?))),
            127 => (10, u64::from_be_bytes(self.buffer.get(2..10)?.try_into().ok()?) as usize),
            short => (2, usize::from(short)),
        })
    }

    async fn read(&mut self) -> Result<(), Box<dyn Error>> {
        loop {
            self.stream.readable().await?;
            let rest = match self.buffer[..] {
                [_, 127, ..] => self.message().map_or(0, |(head, length)| head + length),
                _ => 0,
            };
            // Room for the rest of a long message, so that it costs few calls.
            self.buffer.reserve(rest.saturating_sub(self.buffer.len()).max(8 * 1024));
            match self.stream.try_read_buf(&mut self.buffer) {
                Ok(0) => return Err("the server has ended the link".into()),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
