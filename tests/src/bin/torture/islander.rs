//! People on an island, in a process of their own: native engines that write one text, and say what they see.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use causeway::{Connection, Engine, EngineConfig, Reach, Room, Text};
use tokio::runtime::Runtime;
use tokio::time::sleep;

use crate::Outcome;
use crate::islands::Island;
use crate::metric::metric;

/// The word that makes this program such people.
pub(crate) const ISLANDERS: &str = "islanders";

/// What they say, each a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fact {
    /// How many of them say that they are online.
    Online,
    /// How many others the first of them sees.
    Others,
    /// Links of the relay, if they ask it.
    Links,
    /// How many of them have been told to rest, and do.
    Resting,
    /// Words they wrote.
    Written,
    /// Those of them whose receipts said that they are on the relay's disk.
    Saved,
    /// Different words that each of them sees.
    Shown,
    /// Words that one of them sees more than once.
    Doubled,
}

impl Fact {
    const ALL: [Self; 8] = [
        Self::Online,
        Self::Others,
        Self::Links,
        Self::Resting,
        Self::Written,
        Self::Saved,
        Self::Shown,
        Self::Doubled,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Others => "others",
            Self::Links => "links",
            Self::Resting => "resting",
            Self::Written => "written",
            Self::Saved => "saved",
            Self::Shown => "shown",
            Self::Doubled => "doubled",
        }
    }
}

/// The process, as whoever started it sees it; it ends with this.
#[derive(Debug)]
pub(crate) struct Islanders {
    child: Child,
    told: Receiver<(Instant, Facts)>,
    facts: Facts,
}

type Facts = BTreeMap<Fact, u64>;

impl Islanders {
    /// So many people of a room. Those who write go on until they are told to rest.
    pub(crate) fn start(island: &Island, relay: SocketAddr, count: usize, write: bool) -> Outcome<Self> {
        let mut child = island
            .command()?
            .args([ISLANDERS, &relay.to_string(), &count.to_string(), if write { "write" } else { "look" }])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = BufReader::new(child.stdout.take().ok_or("a pipe")?);
        let (tell, told) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if tell.send((Instant::now(), parse(&line))).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, told, facts: BTreeMap::new() })
    }

    /// What they last said.
    pub(crate) fn fact(&self, fact: Fact) -> u64 {
        self.facts.get(&fact).copied().unwrap_or(0)
    }

    /// Waits until what they say is so, and answers since when.
    pub(crate) fn until(
        &mut self,
        what: &str,
        patience: Duration,
        is_so: impl Fn(&Self) -> bool,
    ) -> Outcome<Instant> {
        let deadline = Instant::now() + patience;
        let mut since = Instant::now();
        while !is_so(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.told.recv_timeout(left) {
                // What was said meanwhile counts from when it was said.
                Ok((at, facts)) => (since, self.facts) = (at, facts),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("not within {patience:?}: {what}; they say {:?}", self.facts).into());
                }
                Err(RecvTimeoutError::Disconnected) => return Err("the people have ended".into()),
            }
        }
        Ok(since)
    }

    /// They stop writing, or go on.
    pub(crate) fn tell(&mut self, word: Told) -> Outcome<()> {
        let word: &[u8] = match word {
            Told::Rest => b"rest\n",
            Told::Write => b"write\n",
        };
        Ok(self.child.stdin.as_mut().ok_or("a pipe")?.write_all(word)?)
    }
}

/// All they see at one moment.
fn parse(line: &str) -> Facts {
    let words: Vec<&str> = line.split(' ').collect();
    let facts = words.chunks_exact(2).filter_map(|pair| {
        let fact = Fact::ALL.into_iter().find(|fact| fact.word() == pair[0])?;
        Some((fact, pair[1].parse().ok()?))
    });
    facts.collect()
}

/// What they can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Rest,
    Write,
}

impl Drop for Islanders {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process.
pub(crate) fn islanders(arguments: &[String]) -> Outcome<()> {
    let [relay, count, habit] = arguments else { return Err("islanders want three words".into()) };
    let (relay, count): (SocketAddr, usize) = (relay.parse()?, count.parse()?);
    let writing = Arc::new(AtomicBool::new(habit == "write"));
    let heard = Arc::clone(&writing);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            heard.store(line == "write", Ordering::SeqCst);
        }
        // Whoever started them is gone.
        std::process::exit(0);
    });
    Runtime::new()?.block_on(live(relay, count, habit == "look", &writing))
}

async fn live(relay: SocketAddr, count: usize, asks: bool, writing: &Arc<AtomicBool>) -> Outcome<()> {
    let tally = Arc::new(Tally::default());
    let mut people = Vec::new();
    for number in 0..count {
        let config = EngineConfig {
            relay: Some(format!("ws://{relay}").parse()?),
            name: format!("islander {number}"),
            ..EngineConfig::default()
        };
        let engine = Engine::open(config)?;
        let room = engine.room(ROOM)?;
        let text = room.first_text();
        text.ready().await?;
        tokio::spawn(type_on(number, text.clone(), Arc::clone(&tally), Arc::clone(writing)));
        people.push((engine, room, text));
    }
    let mut last = String::new();
    loop {
        let mut seen = look(&people, &tally)?;
        if asks {
            seen.insert(Fact::Links, metric(relay, "causeway_connections").await?);
        }
        let line: Vec<String> =
            seen.iter().map(|(fact, number)| format!("{} {number}", fact.word())).collect();
        let line = line.join(" ");
        if line != last {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{line}")?;
            out.flush()?;
            last = line;
        }
        // pace: between two looks
        sleep(LOOK).await;
    }
}

fn look(people: &[(Engine, Room, Text)], tally: &Tally) -> Outcome<Facts> {
    let (_, room, _) = people.first().ok_or("nobody is here")?;
    let online = people.iter().filter(|(_, room, _)| room.connection() == Connection::Online).count();
    // In this order: whoever rests has written all of what is counted next.
    let resting = tally.resting.load(Ordering::SeqCst);
    let (written, saved) = (tally.written.load(Ordering::SeqCst), tally.saved.load(Ordering::SeqCst));
    let (mut shown, mut doubled) = (u64::MAX, 0);
    for (_, _, text) in people {
        let (words, twice) = words(&text.read()?);
        (shown, doubled) = (shown.min(words), doubled.max(twice));
    }
    Ok(BTreeMap::from([
        (Fact::Online, online as u64),
        (Fact::Others, room.presence().others().len() as u64),
        (Fact::Resting, resting),
        (Fact::Written, written),
        (Fact::Saved, saved),
        (Fact::Shown, shown),
        (Fact::Doubled, doubled),
    ]))
}

#[derive(Debug, Default)]
struct Tally {
    resting: AtomicU64,
    written: AtomicU64,
    saved: AtomicU64,
}

/// Somebody writes, unless all are told to rest.
async fn type_on(number: usize, text: Text, tally: Arc<Tally>, writing: Arc<AtomicBool>) {
    for word in 0u64.. {
        // pace: as somebody types words
        sleep(WORD).await;
        if !writing.load(Ordering::SeqCst) {
            tally.resting.fetch_add(1, Ordering::SeqCst);
            while !writing.load(Ordering::SeqCst) {
                // pace: told to rest
                sleep(LOOK).await;
            }
            tally.resting.fetch_sub(1, Ordering::SeqCst);
        }
        let word = format!("<{number}.{word}>");
        let receipt = text.edit(|edit| edit.insert(edit.len(), &word)).expect("a text takes words");
        tally.written.fetch_add(1, Ordering::SeqCst);
        let tally = Arc::clone(&tally);
        tokio::spawn(async move {
            if receipt.reached(Reach::Relay).await.is_ok() {
                tally.saved.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
}

/// Different words of a text, and how many stand there more than once.
fn words(text: &str) -> (u64, u64) {
    let (mut seen, mut doubled) = (BTreeSet::new(), 0);
    for word in text.split('<').filter_map(|rest| rest.strip_suffix('>')) {
        doubled += u64::from(!seen.insert(word));
    }
    (seen.len() as u64, doubled)
}

const ROOM: &str = "islands";
const LOOK: Duration = Duration::from_millis(100);
const WORD: Duration = Duration::from_millis(500);
