//! What one delivery costs: an entry from its writer to one reader, durable on the way, beside a bare copy.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use causeway_core::ids::{ReplicaId, StreamId};
use causeway_core::wire::{self, Message};
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{interval, sleep, timeout};

use crate::load::{Author, Kind, Link, Server};
use crate::samples::Samples;
use crate::table::Table;

/// Rooms of people.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    rooms: usize,
    /// Those who only read, in each room.
    readers: usize,
    /// Those who also write.
    writers: usize,
    /// Entries of each writer in a second.
    rate: u32,
    seconds: u32,
    /// What the relay may cost beside the floor, where DESIGN §9 has a bar for it.
    bar: Option<f64>,
}

const SHAPES: [Shape; 2] = [
    Shape { name: "1 → 1000", rooms: 1, readers: 1000, writers: 1, rate: 20, seconds: 10, bar: Some(1.15) },
    Shape {
        name: "50 rooms × 4 writers × 50/s",
        rooms: 50,
        readers: 0,
        writers: 4,
        rate: 50,
        seconds: 6,
        bar: None,
    },
];

/// Floor and relay take turns; what is told is the round whose ratio lies in the middle.
const ROUNDS: usize = 3;

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let (mut rows, mut verdicts) = (Vec::new(), Vec::new());
    for shape in SHAPES {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let (floor, relay) = (measure(shape, Kind::Floor)?, measure(shape, Kind::Relay)?);
            rounds.push((relay.each().as_secs_f64() / floor.each().as_secs_f64(), floor, relay));
        }
        rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (ratio, floor, relay) = rounds.swap_remove(ROUNDS / 2);
        rows.push(floor.row(&format!("{}, bare fan-out", shape.name), 1.0));
        rows.push(relay.row(&format!("{}, relay on sled", shape.name), ratio));
        let bar = shape.bar.map_or_else(
            || "the bar names y-sweet, which was not run".to_owned(),
            |bar| format!("bar ≤ {bar}: {}", if ratio <= bar { "held" } else { "NOT held" }),
        );
        verdicts.push(format!("{}: {ratio:.2} × the floor ({bar})", shape.name));
    }
    Ok(Table {
        title: "Processor time of a delivery",
        how: "Entries of about 200 bytes to every other link of the room. Each server is a process of its own; its time \
              is the kernel's count for that process, the load's is not in it. Of three rounds the one whose ratio lies in \
              the middle. The floor copies frames and does nothing \
              else; the relay decodes, judges, stores with fsync, answers the writer and reads its `prove` and `subscribe`."
            .into(),
        heads: &["way", "deliveries", "CPU each", "× floor", "p50", "p99"],
        rows,
        verdict: format!("{}.", verdicts.join("; ")),
    })
}

struct Measured {
    deliveries: u32,
    worked: Duration,
    waits: Samples,
}

impl Measured {
    fn each(&self) -> Duration {
        self.worked / self.deliveries
    }

    fn row(&self, name: &str, ratio: f64) -> Vec<String> {
        let millis = |share| format!("{:.2} ms", self.waits.quantile(share).as_secs_f64() * 1000.0);
        let each = format!("{:.2} µs", self.each().as_secs_f64() * 1e6);
        vec![name.into(), self.deliveries.to_string(), each, format!("{ratio:.2}"), millis(0.5), millis(0.99)]
    }
}

/// When an entry was sent.
type Sent = Rc<RefCell<HashMap<(ReplicaId, u64), Instant>>>;

fn measure(shape: Shape, kind: Kind) -> Result<Measured, Box<dyn Error>> {
    let server = Server::start(kind)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, load(shape, &server))
}

async fn load(shape: Shape, server: &Server) -> Result<Measured, Box<dyn Error>> {
    let entries = (shape.rate * shape.seconds) as usize;
    let (sent, waits) = (Sent::default(), Rc::new(RefCell::new(Samples::default())));
    let (mut writing, mut reading) = (Vec::new(), Vec::new());
    for room in 0..shape.rooms {
        for number in 0..shape.readers + shape.writers {
            let mut author = Author::new((room * 10_000 + number) as u32, StreamId::DIRECTORY);
            let name = format!("fan-out-{room}");
            let link = Link::join(server, &name, &author.identity, StreamId::DIRECTORY).await?;
            let frames = if number < shape.writers { author.names(entries) } else { Vec::new() };
            let others = shape.writers - usize::from(number < shape.writers);
            // A few look at the clock; the others only count.
            let watched = number % 100 == shape.writers.min(number);
            reading.push((link, others * entries, watched));
            writing.push((frames, author.identity.id()));
        }
    }
    let deliveries = reading.iter().map(|(_, expected, _)| *expected as u32).sum();
    let before = server.worked();
    let mut ends = Vec::new();
    for ((link, expected, watched), (frames, replica)) in reading.into_iter().zip(writing) {
        let sent = Rc::clone(&sent);
        let waits = watched.then(|| Rc::clone(&waits));
        ends.push(tokio::task::spawn_local(person(link, frames, replica, shape.rate, expected, sent, waits)));
    }
    for end in ends {
        let outcome = timeout(Duration::from_secs(120), end).await??;
        outcome.map_err(|why| format!("{}: {why}", shape.name))?;
    }
    let worked = server.worked() - before;
    let waits = std::mem::take(&mut *waits.borrow_mut());
    Ok(Measured { deliveries, worked, waits })
}

/// Writes at its pace and reads until everything has come.
async fn person(
    mut link: Link,
    frames: Vec<Bytes>,
    replica: ReplicaId,
    rate: u32,
    expected: usize,
    sent: Sent,
    waits: Option<Rc<RefCell<Samples>>>,
) -> Result<(), String> {
    let mut frames = frames.into_iter().zip(1..);
    let mut pace = interval(Duration::from_secs(1) / rate);
    // pace: writers do not write in step
    sleep(Duration::from_millis(u64::from(replica.as_bytes()[0]) % 20)).await;
    let (mut received, mut writing) = (0, true);
    while writing || received < expected {
        tokio::select! {
            message = link.next_bytes() => {
                received += count(&message.map_err(|why| why.to_string())?, &sent, waits.as_deref());
            }
            _ = pace.tick(), if writing => match frames.next() {
                Some((frame, seq)) => {
                    sent.borrow_mut().insert((replica, seq), Instant::now());
                    link.send(&frame).await.map_err(|why| why.to_string())?;
                }
                None => writing = false,
            },
        }
    }
    Ok(())
}

/// Entries in a message; those who watch decode it and look at the clock.
fn count(message: &Bytes, sent: &Sent, waits: Option<&RefCell<Samples>>) -> usize {
    let now = Instant::now();
    let messages = wire::decode(message).unwrap_or_default();
    let entries = messages.iter().filter_map(|message| match message {
        Message::Entries(entries) => Some(entries),
        Message::Other(_) => None,
    });
    let mut count = 0;
    for entry in entries.flatten() {
        count += 1;
        let (header, sent) = (entry.header(), sent.borrow());
        if let (Some(waits), Some(sent)) = (waits, sent.get(&(header.replica, header.seq))) {
            waits.borrow_mut().push(now.duration_since(*sent));
        }
    }
    count
}
