//! Five hundred people in one room who move once a second: does everybody see everybody, and what does it cost.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::rc::Rc;
use std::time::{Duration, Instant};

use causeway_core::ids::StreamId;
use causeway_core::presence::{Lease, State, Status};
use causeway_core::wire::{self, Body, Message};
use tokio::time::{Instant as Moment, interval_at, sleep, sleep_until, timeout};

use crate::load::{Author, Kind, Link, Server, alone};
use crate::samples::Samples;
use crate::table::Table;

const PEOPLE: usize = 500;
const SECONDS: u32 = 10;
/// DESIGN §9, in percent of a core.
const BAR: f64 = 25.0;

pub(crate) fn run() -> Result<Table, Box<dyn Error>> {
    let relay = alone(Kind::Relay, |server| Box::pin(relay(server)))?;
    let messages = relay.messages / PEOPLE;
    let bytes = relay.bytes / relay.messages.max(1);
    let floor = alone(Kind::Floor, |server| Box::pin(floor(server, messages, bytes)))?;
    let expected = PEOPLE * (PEOPLE - 1) * SECONDS as usize;
    let held = relay.share <= BAR && relay.arrived == expected && relay.missing == 0;
    let millis = |share| format!("{:.0} ms", relay.ages.quantile(share).as_secs_f64() * 1000.0);
    let row = |what: &str, figure: String, bar: &str| vec![what.into(), figure, bar.into()];
    Ok(Table {
        title: "500 people's presence at 1 Hz, one room",
        how: format!(
            "{PEOPLE} links each show a new state every second for {SECONDS} s, spread over the second, and read everything. \
             Every state has a number of its own and is looked for at each of the others. Processor time over those \
             {SECONDS} s. The floor copies the same number of messages of the same size to the same number of links, and \
             joins nothing together: one writer has it ready."
        ),
        heads: &["what", "figure", "bar"],
        rows: vec![
            row("the relay", format!("{:.1} % of a core", relay.share), "≤ 25 %"),
            row("bare fan-out of the same messages", format!("{floor:.1} % of a core"), "–"),
            row("states shown", (PEOPLE * SECONDS as usize).to_string(), "–"),
            row("of them seen by others", format!("{} of {expected}", relay.arrived), "all"),
            row("last states that somebody never saw", relay.missing.to_string(), "0"),
            row(
                "messages to each person a second",
                format!("{:.1} of {bytes} bytes", messages as f64 / f64::from(SECONDS)),
                "≤ 20",
            ),
            row("from one to the other, p50 and p99", format!("{}, {}", millis(0.5), millis(0.99)), "–"),
        ],
        verdict: format!("Bars: {}.", if held { "held" } else { "NOT held" }),
    })
}

#[derive(Default)]
struct Seen {
    share: f64,
    /// States of others that somebody was told of.
    arrived: usize,
    /// Last states that did not arrive.
    missing: usize,
    messages: usize,
    bytes: usize,
    ages: Samples,
}

/// When each state was shown, by its name.
type Shown = Rc<RefCell<HashMap<String, Instant>>>;

async fn relay(server: &Server) -> Result<Seen, Box<dyn Error>> {
    let mut links = Vec::new();
    for number in 0..PEOPLE {
        let author = Author::new(number as u32, StreamId::DIRECTORY);
        links.push(Link::join(server, "crowd", &author.identity, StreamId::DIRECTORY).await?);
    }
    // pace: what joining costs is not counted
    sleep(Duration::from_secs(1)).await;
    let shown = Shown::default();
    let begin = Moment::now();
    let (before, end) = (server.worked(), begin + Duration::from_secs(u64::from(SECONDS) + 1));
    let people: Vec<_> = (0..)
        .zip(links)
        .map(|(number, link)| tokio::task::spawn_local(person(number, link, begin, end, Rc::clone(&shown))))
        .collect();
    // pace: the time that is measured
    sleep_until(end).await;
    let share = (server.worked() - before).as_secs_f64() / f64::from(SECONDS) * 100.0;
    let mut all = Seen { share, ..Seen::default() };
    for person in people {
        let seen = timeout(Duration::from_secs(60), person).await???;
        all.arrived += seen.arrived;
        all.missing += seen.missing;
        all.messages += seen.messages;
        all.bytes += seen.bytes;
        all.ages.extend(seen.ages);
    }
    Ok(all)
}

/// Shows a new state every second, looks at the others', and then waits a moment for the last ones.
async fn person(
    number: usize,
    mut link: Link,
    begin: Moment,
    end: Moment,
    shown: Shown,
) -> Result<Seen, String> {
    // People do not move in step.
    let offset = Duration::from_secs(1) * number as u32 / PEOPLE as u32;
    let mut seconds = interval_at(begin + offset, Duration::from_secs(1));
    let own = format!("person {number}/");
    let mut latest: BTreeMap<Lease, String> = BTreeMap::new();
    let (mut seen, mut round) = (Seen::default(), 0);
    let over = end + Duration::from_secs(3);
    loop {
        tokio::select! {
            // pace: what is still on its way
            () = sleep_until(over) => break,
            message = link.next_bytes() => {
                let message = message.map_err(|why| why.to_string())?;
                let now = Instant::now();
                let decoded = wire::decode(&message).map_err(|why| why.to_string())?;
                for board in decoded {
                    let Message::Other(Body::Board(changes)) = board else { continue };
                    seen.messages += 1;
                    seen.bytes += message.len();
                    for change in changes {
                        let Some(state) = change.state.filter(|state| !state.name.starts_with(&own)) else { continue };
                        seen.arrived += 1;
                        // A few look at the clock.
                        if number.is_multiple_of(25) && let Some(shown) = shown.borrow().get(&state.name) {
                            seen.ages.push(now.duration_since(*shown));
                        }
                        latest.insert(change.lease, state.name);
                    }
                }
            }
            _ = seconds.tick() => if round < SECONDS {
                round += 1;
                let name = format!("{own}{round}");
                shown.borrow_mut().insert(name.clone(), Instant::now());
                let state = State { name, colour: 0x33_66_99, status: Status::Editing, cursor: None, typing: None };
                link.send(&wire::encode(&state.into())).await.map_err(|why| why.to_string())?;
            },
        }
    }
    let last = latest.values().filter(|name| name.ends_with(&format!("/{SECONDS}"))).count();
    seen.missing = (PEOPLE - 1).saturating_sub(last);
    Ok(seen)
}

/// One writer, as many messages.
async fn floor(server: &Server, messages: usize, bytes: usize) -> Result<f64, Box<dyn Error>> {
    let mut writer = Link::open(server, "crowd").await?;
    let mut readers = Vec::new();
    for _ in 0..PEOPLE {
        readers.push(Link::open(server, "crowd").await?);
    }
    // pace: what joining costs is not counted
    sleep(Duration::from_secs(1)).await;
    let before = server.worked();
    let readers: Vec<_> = readers
        .into_iter()
        .map(|mut link| {
            tokio::task::spawn_local(async move {
                for _ in 0..messages {
                    link.next_bytes().await.map_err(|why| why.to_string())?;
                }
                Ok::<_, String>(())
            })
        })
        .collect();
    let every = Duration::from_secs(u64::from(SECONDS)) / messages.max(1) as u32;
    let mut pace = interval_at(Moment::now(), every);
    for _ in 0..messages {
        pace.tick().await;
        writer.send(&vec![7; bytes]).await?;
    }
    for reader in readers {
        timeout(Duration::from_secs(60), reader).await???;
    }
    Ok((server.worked() - before).as_secs_f64() / f64::from(SECONDS) * 100.0)
}
