//! *frames*: handshakes and frames that nobody would send: each section of RFC 6455 that a client can break, and a hundred
//! thousand that were changed at random. Every link comes to an end, nobody else notices, nothing panics.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use causeway_core::ids::{RoomId, StreamId};
use causeway_core::log::Digest;
use causeway_core::time::Millis;
use causeway_core::wire::{self, Hello, Ping, Subscribe, VERSION};
use causeway_store::StoreKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Outcome;
use crate::crowd::writers;
use crate::ledger::audit;
use crate::options::Options;
use crate::relay::Setup;
use crate::rng::Rng;
use crate::row::{Row, grouped};
use crate::samples::Samples;
use crate::socket::{binary, request, take};

/// Links of a run unless said.
const CASES: u64 = 100_000;
/// Links at once.
const AT_ONCE: u64 = 50;
/// Links of each of them between two honest entries.
const IN_A_ROW: u64 = 20;
/// Longer than the relay needs to end a link of whoever has ended it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of memory that the relay may keep of all of them.
const KEPT_BYTES: u64 = 64 << 20;
const ROOM: &str = "frames";

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    let cases = options.rounds_or(CASES);
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), StoreKind::default());
    let relay = setup.start()?;
    let mut rng = Rng::new(options.seed);
    let runtime = Runtime::new()?;
    let mut honest = writers(1, ROOM, &mut rng)?;
    let told = runtime.block_on(async {
        for section in SECTIONS {
            section.hold(setup.listen).await.map_err(|why| format!("RFC 6455 {}: {why}", section.number))?;
            honest[0].finish(setup.listen).await?;
        }
        let before = relay.resident();
        let (mut done, mut let_in, mut spans) = (0, 0, Samples::default());
        while done < cases {
            let mut links = JoinSet::new();
            for _ in 0..AT_ONCE {
                links.spawn(in_a_row(setup.listen, Rng::new(rng.next())));
            }
            while let Some(links) = links.join_next().await {
                let_in += links??;
            }
            done += AT_ONCE * IN_A_ROW;
            let began = Instant::now();
            honest[0].finish(setup.listen).await?;
            spans.push(began.elapsed());
        }
        let kept = relay.resident().saturating_sub(before);
        if kept > KEPT_BYTES {
            return Err(format!("the relay has grown by {kept} bytes").into());
        }
        audit(setup.listen, &honest).await?;
        Outcome::Ok((done, let_in, spans, kept))
    });
    let (done, let_in, spans, kept) = told?;
    if !relay.terminate()?.success() {
        return Err("the relay does not end in order".into());
    }
    setup.no_panic()?;
    Ok(vec![Row {
        name: "frames".into(),
        counts: vec![
            ("handshakes and frames changed at random".into(), done),
            ("sections of RFC 6455 broken".into(), SECTIONS.len() as u64),
            ("panics".into(), 0),
            ("links that did not end".into(), 0),
        ],
        figures: format!(
            "{} were let in as WebSockets; somebody who connects between them and has an entry saved: {spans}; the relay \
             has grown by {} KiB",
            grouped(let_in),
            kept >> 10
        ),
        command: format!("cargo xtask torture frames --rounds {cases}"),
    }])
}

/// One link after the other, and how many became WebSockets.
async fn in_a_row(to: SocketAddr, mut rng: Rng) -> Outcome<u64> {
    let mut let_in = 0;
    for _ in 0..IN_A_ROW {
        let mut bytes = request(ROOM).into_bytes();
        if rng.chance(40) {
            change(&mut bytes, &mut rng);
        } else {
            let mut frames = messages(&mut rng)?;
            change(&mut frames, &mut rng);
            bytes.extend(frames);
        }
        let answer = answered(to, &bytes, &mut rng).await?;
        let_in += u64::from(answer.starts_with(b"HTTP/1.1 101"));
        let fault = answer.starts_with(b"HTTP/1.1 5") && !answer.starts_with(b"HTTP/1.1 503");
        if fault {
            return Err(format!("a fault of the relay's: {}", String::from_utf8_lossy(&answer)).into());
        }
    }
    Ok(let_in)
}

/// What a device says at first, as one message or as several.
fn messages(rng: &mut Rng) -> Outcome<Vec<u8>> {
    let room: RoomId = ROOM.parse()?;
    let hello = Hello {
        oldest: VERSION,
        newest: VERSION,
        room,
        digest: Digest::NOTHING,
        forwards: false,
        agent: "torture".into(),
    };
    let stream = StreamId::DIRECTORY;
    let subscribe = Subscribe { stream, question: 1, digest: Digest::NOTHING, newest_but: None };
    let said = [hello.into(), subscribe.into(), Ping { time: Millis(1) }.into()];
    let mut frames: Vec<Vec<u8>> = said.iter().map(|message| wire::encode(message).to_vec()).collect();
    if rng.chance(50) {
        // Changed within a message that is whole as far as the WebSocket is concerned.
        let at = rng.index(frames.len());
        change(&mut frames[at], rng);
    }
    if rng.chance(50) {
        return Ok(frames.iter().flat_map(|frame| binary(frame)).collect());
    }
    Ok(binary(&frames.concat()))
}

/// Flips, cuts, doubles and adds, once to four times.
fn change(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..rng.between(1, 5) {
        if bytes.is_empty() {
            return;
        }
        let at = rng.index(bytes.len());
        let end = at + rng.index((bytes.len() - at).min(40)) + 1;
        match rng.below(5) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes[at] = rng.next() as u8,
            2 => drop(bytes.drain(at..end)),
            3 => bytes.extend_from_within(at..end),
            _ => bytes.truncate(at),
        }
    }
}

/// Sends all of it, says that there is no more, and reads to the end.
async fn answered(to: SocketAddr, bytes: &[u8], rng: &mut Rng) -> Outcome<Vec<u8>> {
    let mut stream = connect(to, rng).await?;
    let mut answer = Vec::new();
    // The relay may end the link before it has all of it.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    match timeout(PATIENCE, stream.read_to_end(&mut answer)).await {
        Ok(_) => Ok(answer),
        Err(_) => Err(format!("a link does not end: {}", bytes.escape_ascii()).into()),
    }
}

/// From one of many loopback addresses: each has only so many ports.
async fn connect(to: SocketAddr, rng: &mut Rng) -> Outcome<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let from = Ipv4Addr::new(127, 90, rng.below(250) as u8, 1 + rng.below(250) as u8);
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0))?;
    Ok(socket.connect(to).await?)
}

/// What a section forbids or asks for, and what becomes of it.
struct Section {
    number: &'static str,
    sent: &'static [u8],
    then: Then,
}

enum Then {
    /// A close frame with a reason, and the end.
    Ends,
    /// The link goes on: it answers a ping with what was in it.
    GoesOn,
}

const SECTIONS: [Section; 18] = [
    Section { number: "5.1, a frame without a mask", sent: &[0x82, 0x01, 0], then: Then::Ends },
    Section { number: "5.2, a reserved bit", sent: &[0xc2, 0x80, 0, 0, 0, 0], then: Then::Ends },
    Section { number: "5.2, all reserved bits", sent: &[0xf2, 0x80, 0, 0, 0, 0], then: Then::Ends },
    Section { number: "5.2, an opcode for later data", sent: &[0x83, 0x80, 0, 0, 0, 0], then: Then::Ends },
    Section { number: "5.2, an opcode for later control", sent: &[0x8b, 0x80, 0, 0, 0, 0], then: Then::Ends },
    Section {
        number: "5.2, a length beyond any",
        sent: &[0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        then: Then::Ends,
    },
    Section {
        number: "5.2, a length of a gigabyte",
        sent: &[0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0],
        then: Then::Ends,
    },
    Section { number: "5.4, a piece of no message", sent: &[0x80, 0x80, 0, 0, 0, 0], then: Then::Ends },
    Section {
        number: "5.4, a message inside another",
        sent: &[0x02, 0x80, 0, 0, 0, 0, 0x82, 0x80, 0, 0, 0, 0],
        then: Then::Ends,
    },
    Section {
        number: "5.4, a ping between pieces",
        sent: &[0x02, 0x80, 0, 0, 0, 0, 0x89, 0x80, 0, 0, 0, 0, 0x80, 0x80, 0, 0, 0, 0],
        then: Then::GoesOn,
    },
    Section { number: "5.5, a ping in pieces", sent: &[0x09, 0x80, 0, 0, 0, 0], then: Then::Ends },
    Section { number: "5.5, a ping too long", sent: &[0x89, 0xfe, 0, 126, 0, 0, 0, 0], then: Then::Ends },
    Section { number: "5.5.1, a close", sent: &[0x88, 0x80, 0, 0, 0, 0], then: Then::Ends },
    Section { number: "5.5.1, a close of one byte", sent: &[0x88, 0x81, 0, 0, 0, 0, 1], then: Then::Ends },
    Section { number: "5.5.2, a ping", sent: &[0x89, 0x81, 0, 0, 0, 0, 7], then: Then::GoesOn },
    Section { number: "5.5.3, a pong nobody asked for", sent: &[0x8a, 0x80, 0, 0, 0, 0], then: Then::GoesOn },
    Section { number: "5.6, text", sent: &[0x81, 0x82, 0, 0, 0, 0, b'h', b'i'], then: Then::Ends },
    Section { number: "8.1, text that is none", sent: &[0x81, 0x81, 0, 0, 0, 0, 0xff], then: Then::Ends },
];

/// A ping that is told from those of the sections.
const PROBE: [u8; 10] = [0x89, 0x84, 0, 0, 0, 0, b'h', b'e', b'r', b'e'];

impl Section {
    async fn hold(&self, to: SocketAddr) -> Outcome<()> {
        let mut stream = TcpStream::connect(to).await?;
        let bytes = [request(ROOM).as_bytes(), self.sent, &PROBE].concat();
        stream.write_all(&bytes).await?;
        let mut answer = BytesMut::new();
        let goes_on = loop {
            if let Some(at) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
                let mut frames = BytesMut::from(&answer[at + 4..]);
                let mut heard = std::iter::from_fn(|| take(&mut frames));
                if let Some((opcode, _)) =
                    heard.find(|(opcode, payload)| *opcode == 8 || payload[..] == PROBE[6..])
                {
                    break opcode != 8;
                }
            }
            if timeout(PATIENCE, stream.read_buf(&mut answer)).await?? == 0 {
                return Err("the link ended without a word".into());
            }
        };
        match (&self.then, goes_on) {
            (Then::Ends, false) | (Then::GoesOn, true) => Ok(()),
            (Then::Ends, true) => Err("the link goes on".into()),
            (Then::GoesOn, false) => Err("the link is closed".into()),
        }
    }
}
