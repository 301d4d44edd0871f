//! Thousands of clients in a process of their own, because a process has only so many files.

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use causeway_core::ids::{RoomId, StreamId};
use causeway_core::wire::{Body, Message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::Outcome;
use crate::rng::Rng;
use crate::socket::Socket;
use crate::stalled::{Amiss, Stalled};

/// The word that makes this program such a process.
pub(crate) const SWARM: &str = "a-swarm";

/// What its clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// They follow a room, and come back when their link ends.
    Device,
    /// They send half of a request, and wait.
    HalfRequest,
    /// They ask for a text and read nothing until they are told to go on; then they read all of it.
    Stalled,
}

impl Habit {
    const ALL: [Self; 3] = [Self::Device, Self::HalfRequest, Self::Stalled];

    fn word(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::HalfRequest => "half-request",
            Self::Stalled => "stalled",
        }
    }
}

/// A process of clients; it ends with this.
#[derive(Debug)]
pub(crate) struct Swarm {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Swarm {
    /// So many clients, all from the loopback address of this number.
    pub(crate) fn start(habit: Habit, relay: SocketAddr, count: usize, number: u8) -> Outcome<Self> {
        let from = IpAddr::from([127, 81, 0, number]).to_string();
        let mut child = Command::new(std::env::current_exe()?)
            .args([SWARM, habit.word(), &relay.to_string(), &count.to_string(), &from])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("a pipe")?).lines();
        Ok(Self { child, lines })
    }

    /// What all of its clients have done next: how often one of them had to try again.
    pub(crate) fn next(&mut self) -> Outcome<u64> {
        let line = self.lines.next().ok_or("the clients have ended")??;
        Ok(line.parse().map_err(|_| line)?)
    }

    /// Whoever waits for a word goes on.
    pub(crate) fn go_on(&mut self) -> Outcome<()> {
        Ok(self.child.stdin.as_mut().ok_or("a pipe")?.write_all(b"go on\n")?)
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process: it says a number whenever all of its clients have got as far as each other.
pub(crate) fn swarm(arguments: &[String]) -> Outcome<()> {
    let [habit, relay, count, from] = arguments else { return Err("a swarm wants four words".into()) };
    let (relay, count, from): (SocketAddr, u64, IpAddr) = (relay.parse()?, count.parse()?, from.parse()?);
    let tally = Arc::new(Tally { count, stages: Default::default(), again: AtomicU64::new(0) });
    let habit = Habit::ALL.into_iter().find(|known| known.word() == habit).ok_or("a habit")?;
    let told = told_to_go_on();
    Runtime::new()?.block_on(async {
        let mut clients = tokio::task::JoinSet::new();
        for number in 0..count {
            let (tally, told) = (Arc::clone(&tally), told.clone());
            clients.spawn(async move {
                match habit {
                    Habit::Device => device(relay, from, number, &tally, &mut Rng::new(number)).await,
                    Habit::HalfRequest => half_request(relay, from, &tally).await,
                    Habit::Stalled => stall(relay, from, &tally, told).await,
                }
            });
        }
        clients.join_all().await;
        Ok(())
    })
}

/// Becomes true when whoever started this process says so.
fn told_to_go_on() -> watch::Receiver<bool> {
    let (tell, told) = watch::channel(false);
    std::thread::spawn(move || {
        let mut line = String::new();
        if std::io::stdin().read_line(&mut line).is_ok_and(|count| count > 0) {
            tell.send_replace(true);
        }
        // It stays so; nobody listens for more.
        std::thread::park();
    });
    told
}

/// Stages of a client's life that are told.
const STAGES: usize = 2;

#[derive(Debug)]
struct Tally {
    count: u64,
    stages: [AtomicU64; STAGES],
    again: AtomicU64,
}

impl Tally {
    /// A client has got to this stage; whoever is the last to get there says so.
    fn reach(&self, stage: usize) {
        if self.stages[stage].fetch_add(1, Ordering::SeqCst) + 1 == self.count {
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{}", self.again.load(Ordering::SeqCst));
            let _ = out.flush();
        }
    }
}

/// Follows a room twice: until its link ends, and until it is in step once more.
async fn device(relay: SocketAddr, from: IpAddr, number: u64, tally: &Tally, rng: &mut Rng) {
    let room: RoomId = format!("storm-{}", number % ROOMS).parse().expect("a name of a room");
    for stage in 0..STAGES {
        let mut wait = FIRST_WAIT;
        let mut socket = loop {
            // pace: devices come back at random moments, later and later
            sleep(wait.mul_f64(rng.below(1000) as f64 / 1000.0)).await;
            match in_step(relay, from, &room).await {
                Ok(socket) => break socket,
                Err(_) => tally.again.fetch_add(1, Ordering::SeqCst),
            };
            wait = (2 * wait).min(LONGEST_WAIT);
        };
        tally.reach(stage);
        while socket.next().await.is_ok() {}
    }
}

async fn in_step(relay: SocketAddr, from: IpAddr, room: &RoomId) -> Outcome<Socket> {
    let mut socket = Socket::open(relay, Some(from), room.as_str()).await?;
    socket.greet(room).await?;
    socket.subscribe(StreamId::DIRECTORY).await?;
    while !matches!(socket.next().await?, Message::Other(Body::Synced(_))) {}
    Ok(socket)
}

/// Sends half of a request and waits to be let go.
async fn half_request(relay: SocketAddr, from: IpAddr, tally: &Tally) {
    let mut stream = loop {
        let opened = async {
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::new(from, 0))?;
            let mut stream = socket.connect(relay).await?;
            stream.write_all(b"GET /sync/slow HTTP/1.1\r\nHost: relay\r\nConnection: upgr").await?;
            Ok::<_, std::io::Error>(stream)
        };
        match opened.await {
            Ok(stream) => break stream,
            Err(_) => tally.again.fetch_add(1, Ordering::SeqCst),
        };
        // pace: the relay's queue of sockets may be full for a moment
        sleep(Duration::from_millis(50)).await;
    };
    tally.reach(0);
    let _ = stream.read_to_end(&mut Vec::new()).await;
    tally.reach(1);
}

/// Stops reading when it is in step. One that then does not get everything is never counted, and says why.
async fn stall(relay: SocketAddr, from: IpAddr, tally: &Tally, mut told: watch::Receiver<bool>) {
    let room: RoomId = ROOM_OF_THE_STALLED.parse().expect("a name of a room");
    let mut stalled = loop {
        match Stalled::begin(relay, from, &room).await {
            Ok(stalled) => break stalled,
            Err(_) => tally.again.fetch_add(1, Ordering::SeqCst),
        };
        // pace: the relay's queue of sockets may be full for a moment
        sleep(Duration::from_millis(50)).await;
    };
    tally.reach(0);
    let _ = told.wait_for(|told| *told).await;
    let whole = async {
        loop {
            match stalled.catch_up().await {
                Ok(()) => return tally.reach(1),
                Err(amiss @ Amiss::Wrong(_)) => return fail(&amiss.to_string()),
                Err(Amiss::Ended(_)) => tally.again.fetch_add(1, Ordering::SeqCst),
            };
            while stalled.come_back(relay, from, &room).await.is_err() {
                // pace: the relay's queue of sockets may be full for a moment
                sleep(Duration::from_millis(50)).await;
            }
        }
    };
    if timeout(CATCH_UP, whole).await.is_err() {
        fail("a reader does not catch up");
    }
}

/// Whoever waits for the next number gets this.
fn fail(why: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{why}");
}

/// Where the stalled are, and those who are not.
pub(crate) const ROOM_OF_THE_STALLED: &str = "stalled";
/// How long all of them together may take to read what they missed.
const CATCH_UP: Duration = Duration::from_secs(300);

const ROOMS: u64 = 100;
/// As in `causeway_core::limits`.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
