//! The floor of all fan-out: a server that only copies frames from one socket to others of its room.
//!
//! No weaker than one can make it: a frame gets its WebSocket head once, a room's task owns its sockets without a lock,
//! writes to each what has gathered in one call straight from the shared bytes, and keeps, checks and answers nothing.

use std::collections::HashMap;
use std::io::{self, IoSlice};

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

enum Event {
    Opened(u64, OwnedWriteHalf),
    Frame(u64, Bytes),
    Closed(u64),
}

/// Serves until the process ends. A client says the name of its room in a line, then sends frames, each behind its length
/// in four bytes. A room that is [`given`] bytes has nothing to do with the others.
pub(super) async fn serve(listener: TcpListener) -> io::Result<()> {
    let mut rooms: HashMap<String, mpsc::UnboundedSender<Event>> = HashMap::new();
    for conn in 0.. {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (name, reader, writer) = greet(stream).await?;
        if let Some(length) = name.trim().strip_prefix(GIVES).and_then(|length| length.parse().ok()) {
            tokio::spawn(give(reader, writer, length));
            continue;
        }
        let room = rooms.entry(name).or_insert_with(|| {
            let (events, arriving) = mpsc::unbounded_channel();
            tokio::spawn(room(arriving));
            events
        });
        let events = room.clone();
        let _ = events.send(Event::Opened(conn, writer));
        tokio::spawn(async move {
            let _ = read(conn, reader, &events).await;
            let _ = events.send(Event::Closed(conn));
        });
    }
    Ok(())
}

async fn greet(stream: TcpStream) -> io::Result<(String, BufReader<OwnedReadHalf>, OwnedWriteHalf)> {
    let (reader, writer) = stream.into_split();
    let (mut reader, mut name) = (BufReader::new(reader), String::new());
    reader.read_line(&mut name).await?;
    Ok((name, reader, writer))
}

async fn read(
    conn: u64,
    mut reader: BufReader<OwnedReadHalf>,
    events: &mpsc::UnboundedSender<Event>,
) -> io::Result<()> {
    loop {
        let length = reader.read_u32().await? as usize;
        let mut message = BytesMut::with_capacity(length + 4);
        message.put_u8(0x82);
        match length {
            0..=125 => message.put_u8(length as u8),
            _ => {
                message.put_u8(126);
                message.put_u16(length as u16);
            }
        }
        let head = message.len();
        message.resize(head + length, 0);
        reader.read_exact(&mut message[head..]).await?;
        if events.send(Event::Frame(conn, message.freeze())).is_err() {
            return Ok(());
        }
    }
}

/// The name of a room in which everybody who says something is sent so many bytes.
pub(crate) fn given(bytes: usize) -> String {
    format!("{GIVES}{bytes}")
}

const GIVES: &str = "give-";

/// Whoever says something is sent so many bytes, in messages of the size that a relay catches readers up with.
async fn give(mut reader: BufReader<OwnedReadHalf>, mut writer: OwnedWriteHalf, length: usize) {
    static MESSAGE: [u8; 10 + PAGE] = message();
    if reader.read_u8().await.is_ok() {
        for _ in 0..length.div_ceil(PAGE) {
            if writer.write_all(&MESSAGE).await.is_err() {
                return;
            }
        }
    }
    // Whoever is read no more would be reset, and lose what is on its way.
    let _ = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await;
}

/// One for all, so that it stays in the processor's cache.
const fn message() -> [u8; 10 + PAGE] {
    let mut message = [0; 10 + PAGE];
    (message[0], message[1]) = (0x82, 127);
    let length = (PAGE as u64).to_be_bytes();
    let mut at = 0;
    while at < length.len() {
        message[2 + at] = length[at];
        at += 1;
    }
    message
}

const PAGE: usize = 128 * 1024;

/// An empty message: from now on the link is told of every frame.
const WELCOME: [u8; 2] = [0x82, 0];

async fn room(mut arriving: mpsc::UnboundedReceiver<Event>) {
    let mut links: Vec<(u64, OwnedWriteHalf)> = Vec::new();
    let (mut events, mut frames) = (Vec::new(), Vec::new());
    while arriving.recv_many(&mut events, 64).await > 0 {
        for event in events.drain(..) {
            match event {
                Event::Opened(conn, writer) => {
                    let _ = writer.writable().await;
                    let _ = writer.try_write(&WELCOME);
                    links.push((conn, writer));
                }
                Event::Closed(conn) => links.retain(|(of, _)| *of != conn),
                Event::Frame(conn, frame) => frames.push((conn, frame)),
            }
        }
        for (conn, writer) in &links {
            let mut slices = [IoSlice::new(&[]); 64];
            let others = frames.iter().filter(|(from, _)| from != conn);
            let count =
                others.zip(&mut slices).map(|((_, frame), slice)| *slice = IoSlice::new(frame)).count();
            // What a socket does not take is lost; readers that keep up lose nothing. A lone frame costs less as itself.
            let _ = match &slices[..count] {
                [] => continue,
                [lone] => writer.try_write(lone),
                several => writer.try_write_vectored(several),
            };
        }
        frames.clear();
    }
}
