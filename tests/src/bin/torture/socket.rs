//! One end of a link, by hand: a WebSocket that speaks frames, over any loopback address.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use bytes::{Buf, BufMut, BytesMut};
use causeway_core::ids::{RoomId, StreamId};
use causeway_core::log::Digest;
use causeway_core::wire::{self, Body, Hello, Message, Subscribe, VERSION, Welcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::Outcome;

/// A link to a room.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    buffer: BytesMut,
    waiting: VecDeque<Message>,
}

impl Socket {
    /// Connects, from this address if one is named, and becomes a WebSocket.
    pub(crate) async fn open(to: SocketAddr, from: Option<IpAddr>, room: &str) -> Outcome<Self> {
        Self::open_narrow(to, from, room, None).await
    }

    /// The same, with so much room for what was not read yet.
    pub(crate) async fn open_narrow(
        to: SocketAddr,
        from: Option<IpAddr>,
        room: &str,
        receive: Option<u32>,
    ) -> Outcome<Self> {
        let socket = TcpSocket::new_v4()?;
        if let Some(receive) = receive {
            socket.set_recv_buffer_size(receive)?;
        }
        if let Some(from) = from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        let mut stream = socket.connect(to).await?;
        stream.set_nodelay(true)?;
        stream.write_all(request(room).as_bytes()).await?;
        let mut buffer = BytesMut::with_capacity(1024);
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err("the relay ended the link before it answered".into());
            }
        };
        if !buffer.starts_with(b"HTTP/1.1 101") {
            return Err(String::from_utf8_lossy(&buffer[..end.min(40)]).into_owned().into());
        }
        buffer.advance(end);
        Ok(Self { stream, buffer, waiting: VecDeque::new() })
    }

    /// Says hello and waits to be welcomed.
    pub(crate) async fn greet(&mut self, room: &RoomId) -> Outcome<Welcome> {
        let digest = Digest::NOTHING;
        let hello = Hello {
            oldest: VERSION,
            newest: VERSION,
            room: room.clone(),
            digest,
            forwards: false,
            agent: "torture".into(),
        };
        self.send(&hello.into()).await?;
        loop {
            if let Message::Other(Body::Welcome(welcome)) = self.next().await? {
                return Ok(welcome);
            }
        }
    }

    /// Asks for all there is of a stream.
    pub(crate) async fn subscribe(&mut self, stream: StreamId) -> Outcome<()> {
        let all = Subscribe { stream, question: 1, digest: Digest::NOTHING, newest_but: None };
        self.send(&all.into()).await
    }

    pub(crate) async fn send(&mut self, message: &Message) -> Outcome<()> {
        self.send_bytes(&wire::encode(message)).await
    }

    /// Sends frames as one binary message.
    pub(crate) async fn send_bytes(&mut self, frames: &[u8]) -> Outcome<()> {
        Ok(self.stream.write_all(&binary(frames)).await?)
    }

    /// The next message; an error once the link has ended, or was ended with a reason.
    pub(crate) async fn next(&mut self) -> Outcome<Message> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                if let Message::Other(Body::Error(error)) = &message {
                    return Err(format!("the relay ended the link: {} {}", error.code, error.sentence).into());
                }
                return Ok(message);
            }
            if let Some((opcode, payload)) = take(&mut self.buffer) {
                match opcode {
                    2 => self.waiting.extend(wire::decode(&payload.freeze())?),
                    8 => return Err("the relay closed the link".into()),
                    9 => self.stream.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await?,
                    _ => {}
                }
            } else if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the link has ended".into());
            }
        }
    }
}

/// The head of a request that asks for a room.
pub(crate) fn request(room: &str) -> String {
    format!(
        "GET /sync/{room} HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// A binary message of a client. A mask of zeros changes nothing, and the receiver takes it off all the same.
pub(crate) fn binary(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 14);
    match payload.len() {
        length @ 0..=125 => bytes.put_slice(&[0x82, 0x80 | length as u8]),
        length @ 126..=0xffff => {
            bytes.put_slice(&[0x82, 0x80 | 126]);
            bytes.put_u16(length as u16);
        }
        length => {
            bytes.put_slice(&[0x82, 0x80 | 127]);
            bytes.put_u64(length as u64);
        }
    }
    bytes.put_u32(0);
    bytes.put_slice(payload);
    bytes
}

/// A whole message of a server's that has been read: its opcode and payload.
pub(crate) fn take(buffer: &mut BytesMut) -> Option<(u8, BytesMut)> {
    let [first, short, ..] = buffer[..] else { return None };
    let (head, length) = match short {
        126 => (4, usize::from(u16::from_be_bytes(buffer.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(buffer.get(2..10)?.try_into().ok()?) as usize),
        short => (2, usize::from(short)),
    };
    if buffer.len() < head + length {
        return None;
    }
    buffer.advance(head);
    Some((first & 0x0f, buffer.split_to(length)))
}
