//! Native engines that write one text together and live through whatever happens to their relay.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use causeway::{Engine, EngineConfig, Reach, Room, Text};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::Outcome;
use crate::rng::Rng;

/// Longer than any way through a relay that comes back.
const PATIENCE: Duration = Duration::from_secs(90);

/// Engines in memory, each in the same room.
#[derive(Debug)]
pub(crate) struct People {
    everybody: Vec<(Engine, Room, Text)>,
    typing: Vec<JoinHandle<Outcome<()>>>,
    /// Every word whose receipt ever said that it is on the relay's disk.
    saved: Arc<Mutex<Vec<String>>>,
    words: Arc<Mutex<u64>>,
}

impl People {
    pub(crate) async fn arrive(count: usize, relay: SocketAddr, room: &str) -> Outcome<Self> {
        let mut everybody = Vec::new();
        for number in 0..count {
            let config = EngineConfig {
                relay: Some(format!("ws://{relay}").parse()?),
                name: format!("person {number}"),
                ..EngineConfig::default()
            };
            let engine = Engine::open(config)?;
            let room = engine.room(room)?;
            let text = room.first_text();
            text.ready().await?;
            everybody.push((engine, room, text));
        }
        let mut people = Self { everybody, typing: Vec::new(), saved: Arc::default(), words: Arc::default() };
        people.type_on();
        Ok(people)
    }

    fn type_on(&mut self) {
        for (number, (_, _, text)) in self.everybody.iter().enumerate() {
            let (text, saved, words) = (text.clone(), Arc::clone(&self.saved), Arc::clone(&self.words));
            self.typing.push(tokio::spawn(async move {
                let mut rng = Rng::new(number as u64);
                for word in 0u64.. {
                    let word = format!("<{number}.{word}>");
                    let receipt = text.edit(|edit| edit.insert(edit.len(), &word))?;
                    *words.lock().expect("nobody panics with it") += 1;
                    receipt.reached(Reach::Relay).await?;
                    saved.lock().expect("nobody panics with it").push(word);
                    // pace: as fast as somebody types words
                    sleep(Duration::from_millis(rng.between(50, 400))).await;
                }
                Ok(())
            }));
        }
    }

    /// The network is back.
    pub(crate) fn reconnect(&self) {
        for (_, room, _) in &self.everybody {
            room.reconnect();
        }
    }

    /// Nobody types any more; once all are in step, what each of them shows is held against the receipts. Tells how many
    /// words were typed.
    ///
    /// # Errors
    /// Two people see different texts, or a word is missing, or stands there twice.
    pub(crate) async fn agree(mut self) -> Outcome<u64> {
        for typing in self.typing.drain(..) {
            if typing.is_finished() {
                typing.await??;
            } else {
                typing.abort();
            }
        }
        let typed = *self.words.lock().map_err(|_| "the count was lost")?;
        let deadline = Instant::now() + PATIENCE;
        let shown = loop {
            let texts: Vec<String> =
                self.everybody.iter().map(|(_, _, text)| text.read()).collect::<Result<_, _>>()?;
            let whole = texts.iter().all(|text| text.matches('<').count() as u64 == typed);
            if whole && texts.iter().all(|text| *text == texts[0]) {
                break texts[0].clone();
            }
            if Instant::now() > deadline {
                let counts: Vec<usize> = texts.iter().map(|text| text.matches('<').count()).collect();
                return Err(format!("{typed} words were typed, and people see {counts:?} of them").into());
            }
            // pace: between two looks
            sleep(Duration::from_millis(50)).await;
        };
        for word in self.saved.lock().map_err(|_| "the receipts were lost")?.iter() {
            if shown.matches(word.as_str()).count() != 1 {
                return Err(format!("{word} was called saved and is not there once").into());
            }
        }
        for (engine, _, _) in self.everybody {
            timeout(PATIENCE, engine.close()).await??;
        }
        Ok(typed)
    }
}
