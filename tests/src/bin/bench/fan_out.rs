//! What one delivery costs: an entry from its writer to one reader, durable on the way, beside a bare copy.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use causeway_core::ids::StreamId;
use causeway_core::wire::{self, Body, Message};
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{Instant as Moment, interval_at, timeout};

use crate::load::{Author, Kind, Link, Server, y_sweet};
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
    /// What the relay may cost, where DESIGN §9 has a bar for it.
    bar: Bar,
}

#[derive(Clone, Copy)]
enum Bar {
    /// As a multiple of the floor.
    Floor(f64),
    /// As a multiple of y-sweet.
    YSweet(f64),
}

const SHAPES: [Shape; 2] = [
    Shape {
        name: "1 → 1000",
        rooms: 1,
        readers: 1000,
        writers: 1,
        rate: 20,
        seconds: 10,
        bar: Bar::Floor(1.15),
    },
    Shape {
        name: "50 rooms × 4 writers × 50/s",
        rooms: 50,
        readers: 0,
        writers: 4,
        rate: 50,
        seconds: 6,
        bar: Bar::YSweet(0.6),
    },
];

/// They take turns; what is told of each is the round that lies in the middle.
const ROUNDS: usize = 3;

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    if y_sweet::program().is_none() {
        println!("y-sweet is not beside us: `cargo xtask bench` installs it");
    }
    let peer = y_sweet::program().map(|_| Kind::YSweet);
    let (mut rows, mut verdicts) = (Vec::new(), Vec::new());
    for shape in SHAPES {
        let (mut floors, mut relays, mut peers) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            floors.push(measure(shape, Kind::Floor)?);
            relays.push(measure(shape, Kind::Relay)?);
            if let Some(peer) = peer {
                peers.push(measure(shape, peer)?);
            }
        }
        let (Some(floor), Some(relay), peer) = (middle(floors), middle(relays), middle(peers)) else {
            continue;
        };
        let ways =
            [("bare fan-out", Some(&floor)), ("relay on redb", Some(&relay)), ("y-sweet", peer.as_ref())];
        for (way, measured) in ways {
            rows.extend(measured.map(|measured| measured.row(&format!("{}, {way}", shape.name), &floor)));
        }
        verdicts.push(format!("{}: {}", shape.name, shape.bar.judged(&relay, &floor, peer.as_ref())));
    }
    Ok(Table {
        title: "Processor time of a delivery",
        how: "A keystroke, to every other link of the room; an update of yrs of about 25 bytes, in an entry of about \
              200. Each server is a process of its own; its time is the kernel's count for that process, the load's is \
              not in it. Of each three rounds, the one in the middle. The floor copies frames and does nothing else; \
              the relay decodes, judges, stores with fsync and answers the writer; y-sweet 0.9.1 merges into a document \
              in memory, echoes to the writer and stores every ten seconds without fsync."
            .into(),
        heads: &["way", "deliveries", "CPU each", "× floor", "p50", "p99"],
        rows,
        verdict: format!("{}.", verdicts.join("; ")),
    })
}

fn middle(mut rounds: Vec<Measured>) -> Option<Measured> {
    rounds.sort_by_key(Measured::each);
    let middle = rounds.len() / 2;
    rounds.into_iter().nth(middle)
}

impl Bar {
    fn judged(self, relay: &Measured, floor: &Measured, peer: Option<&Measured>) -> String {
        let (bar, beside, name) = match self {
            Self::Floor(bar) => (bar, Some(floor), "the floor"),
            Self::YSweet(bar) => (bar, peer, "y-sweet"),
        };
        let Some(beside) = beside else { return format!("{name} was not run") };
        let ratio = relay.times(beside);
        let held = if ratio <= bar { "held" } else { "NOT held" };
        format!("{ratio:.2} × {name} (bar ≤ {bar}: {held})")
    }
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

    fn times(&self, other: &Self) -> f64 {
        self.each().as_secs_f64() / other.each().as_secs_f64()
    }

    fn row(&self, name: &str, floor: &Self) -> Vec<String> {
        let millis = |share| format!("{:.2} ms", self.waits.quantile(share).as_secs_f64() * 1000.0);
        let each = format!("{:.2} µs", self.each().as_secs_f64() * 1e6);
        vec![
            name.into(),
            self.deliveries.to_string(),
            each,
            format!("{:.2}", self.times(floor)),
            millis(0.5),
            millis(0.99),
        ]
    }
}

/// A keystroke: the yrs client that made it, and its place among what that has written.
type Keystroke = (u64, u64);

/// When each was sent.
type Sent = Rc<RefCell<HashMap<Keystroke, Instant>>>;

/// One who writes, reads, or both.
struct Person {
    link: Link,
    kind: Kind,
    /// What this one writes.
    frames: Vec<Bytes>,
    /// What the others write.
    deliveries: usize,
    /// Looks at the clock; most only count.
    watches: bool,
}

fn measure(shape: Shape, kind: Kind) -> Result<Measured, Box<dyn Error>> {
    let server = Server::start(kind)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, load(shape, &server))
}

async fn load(shape: Shape, server: &Server) -> Result<Measured, Box<dyn Error>> {
    let mut people = Vec::new();
    for room in 0..shape.rooms {
        people.extend(gather(shape, server, room).await?);
    }
    let deliveries = people.iter().map(|person| person.deliveries as u32).sum();
    let (sent, waits) = (Sent::default(), Rc::new(RefCell::new(Samples::default())));
    let before = server.worked();
    let live = |(number, person): (usize, Person)| {
        // Writers do not write in step.
        let late = Duration::from_millis(number as u64 * 7 % 20);
        tokio::task::spawn_local(person.live(shape.rate, late, Rc::clone(&sent), Rc::clone(&waits)))
    };
    let ends: Vec<_> = people.into_iter().enumerate().map(live).collect();
    for end in ends {
        let outcome = timeout(Duration::from_secs(120), end).await??;
        outcome.map_err(|why| format!("{}: {why}", shape.name))?;
    }
    let worked = server.worked() - before;
    let waits = std::mem::take(&mut *waits.borrow_mut());
    Ok(Measured { deliveries, worked, waits })
}

/// The people of one room, each in it.
async fn gather(shape: Shape, server: &Server, room: usize) -> Result<Vec<Person>, Box<dyn Error>> {
    let name = format!("fan-out-{room}");
    let (stream, kind) = (StreamId::first_document(&name.parse()?), server.kind);
    let keystrokes = (shape.rate * shape.seconds) as usize;
    let (mut people, mut created) = (Vec::new(), Vec::new());
    for number in 0..shape.readers + shape.writers {
        let person = (room * 10_000 + number) as u32;
        let mut author = Author::new(person, stream);
        let mut link = Link::join(server, &name, &author.identity, stream).await?;
        if number == 0 {
            created = author.text(0, "");
            if kind == Kind::Relay {
                make(&mut link, &created).await?;
            }
        } else {
            created.iter().for_each(|frame| author.read(frame));
        }
        let writes = number < shape.writers;
        let frames = match kind {
            _ if !writes => Vec::new(),
            Kind::Relay | Kind::Floor => author.more_text(keystrokes, "x"),
            Kind::YSweet => {
                author = author.with_client(1 + person);
                author.updates(keystrokes, "x").iter().map(|update| y_sweet::message(update)).collect()
            }
        };
        let deliveries = (shape.writers - usize::from(writes)) * keystrokes;
        let watches = number % 100 == shape.writers.min(number);
        people.push(Person { link, kind, frames, deliveries, watches });
    }
    Ok(people)
}

/// The document is there before the others come.
async fn make(link: &mut Link, created: &[Bytes]) -> Result<(), Box<dyn Error>> {
    for frame in created {
        link.send(frame).await?;
    }
    while !link.next().await?.iter().any(|message| matches!(message, Message::Other(Body::Saved(_)))) {}
    Ok(())
}

impl Person {
    /// Writes at a pace and reads until everything has come.
    async fn live(
        mut self,
        rate: u32,
        late: Duration,
        sent: Sent,
        waits: Rc<RefCell<Samples>>,
    ) -> Result<(), String> {
        // y-sweet sends a writer its own as well; that is no delivery.
        let echoes = if self.kind == Kind::YSweet { self.frames.len() } else { 0 };
        let (mut missing, mut frames) =
            (self.deliveries + echoes, std::mem::take(&mut self.frames).into_iter());
        let mut pace = interval_at(Moment::now() + late, Duration::from_secs(1) / rate);
        let mut writing = true;
        while writing || missing > 0 {
            tokio::select! {
                message = self.link.next_bytes() => {
                    let (arrived, now) = (self.keystrokes(&message.map_err(|why| why.to_string())?), Instant::now());
                    missing = missing.saturating_sub(arrived.len());
                    let (sent, mut waits) = (sent.borrow(), waits.borrow_mut());
                    let watched = arrived.iter().filter(|_| self.watches).filter_map(|key| sent.get(key));
                    watched.for_each(|sent| waits.push(now.duration_since(*sent)));
                }
                _ = pace.tick(), if writing => match frames.next() {
                    Some(frame) => {
                        let now = Instant::now();
                        sent.borrow_mut().extend(self.keystrokes(&frame).into_iter().map(|key| (key, now)));
                        self.link.send(&frame).await.map_err(|why| why.to_string())?;
                    }
                    None => writing = false,
                },
            }
        }
        Ok(())
    }

    /// Those in a message.
    fn keystrokes(&self, message: &Bytes) -> Vec<Keystroke> {
        if self.kind == Kind::YSweet {
            return y_sweet::update(message).into_iter().collect();
        }
        let mut all = Vec::new();
        for message in wire::decode(message).unwrap_or_default() {
            if let Message::Entries(entries) = message {
                all.extend(entries.iter().map(|entry| {
                    let header = entry.header();
                    (header.replica.client(), header.seq)
                }));
            }
        }
        all
    }
}
