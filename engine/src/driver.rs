//! The loop that drives one room: sockets, disk, clock and wake-ups in, effects out. It decides nothing.

use std::sync::Arc;

use causeway_core::device::{Input, Output, PageInput, PageOutput};
use causeway_core::time::Millis;
use causeway_store::{Space, StoreGate};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::Connector;
use tracing::{debug, warn};

use crate::address::RelayAddress;
use crate::clock::Clock;
use crate::limits::{ARRIVALS, BATCH, FLUSH_PATIENCE};
use crate::link::{Arrival, Link, What};
use crate::shared::Shared;

/// What a driver works with.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) clock: Clock,
    pub(crate) store: StoreGate,
    pub(crate) relay: Option<RelayAddress>,
    pub(crate) connector: Option<Connector>,
}

/// Drives one room.
pub(crate) struct Driver {
    room: Arc<Shared>,
    space: Space,
    around: Surroundings,
    link: Option<Link>,
    links: u64,
    arrivals: (mpsc::Sender<Arrival>, mpsc::Receiver<Arrival>),
    /// Answers of the disk. Unbounded, and no longer than what the room has asked: one commit and a few scans.
    answers: (mpsc::UnboundedSender<Input>, mpsc::UnboundedReceiver<Input>),
    stop: watch::Receiver<bool>,
}

impl Driver {
    pub(crate) fn new(room: Arc<Shared>, around: Surroundings, stop: watch::Receiver<bool>) -> Self {
        let space = Space::new(room.name.as_str()).expect("a room's name is shorter than a space's");
        let (arrivals, answers) = (mpsc::channel(ARRIVALS), mpsc::unbounded_channel());
        Self { room, space, around, link: None, links: 0, arrivals, answers, stop }
    }

    /// Runs until the engine stops and everything written is on the disk; whether that came about.
    pub(crate) async fn run(mut self) -> bool {
        let mut give_up: Option<Instant> = None;
        loop {
            let timer = self.carry_out().map(|due| self.around.clock.instant(due));
            if *self.stop.borrow() {
                let over = *give_up.get_or_insert_with(|| Instant::now() + FLUSH_PATIENCE);
                let kept = self.room.lock().is_on_disk();
                if kept || Instant::now() >= over {
                    self.room.end();
                    return kept;
                }
            }
            let timer = timer.into_iter().chain(give_up).min();
            tokio::select! {
                Some(answer) = self.answers.1.recv() => self.handle(answer),
                Some(arrival) = self.arrivals.1.recv() => self.take(arrival),
                () = self.room.asked.notified() => {}
                () = sleep_until(timer.unwrap_or_else(Instant::now)), if timer.is_some() => self.handle(Input::Tick),
                _ = self.stop.changed(), if give_up.is_none() => self.room.close(),
            }
            self.take_waiting();
        }
    }

    /// All that waits, before any of its effects: what came together shares a commit.
    fn take_waiting(&mut self) {
        for _ in 0..BATCH {
            if let Ok(answer) = self.answers.1.try_recv() {
                self.handle(answer);
            } else if let Ok(arrival) = self.arrivals.1.try_recv() {
                self.take(arrival);
            } else {
                break;
            }
        }
    }

    fn handle(&self, input: Input) {
        let now = self.around.clock.now();
        self.room.lock().core.handle(input, now);
    }

    fn take(&mut self, arrival: Arrival) {
        if self.link.as_ref().is_none_or(|link| link.number() != arrival.link) {
            return;
        }
        match arrival.what {
            What::Opened => self.handle(Input::Opened),
            What::Received(bytes) => self.handle(Input::Received(bytes)),
            What::Closed(code) => {
                self.link = None;
                self.handle(Input::Closed(code));
            }
        }
    }

    /// Carries out what the room asks for, and answers when it wants to be woken.
    fn carry_out(&mut self) -> Option<Millis> {
        loop {
            let (outputs, timer) = self.room.take_outputs();
            if outputs.is_empty() {
                return timer;
            }
            for output in outputs {
                match output {
                    Output::Connect => self.connect(),
                    Output::Send(frame) => {
                        if self.link.as_ref().is_some_and(|link| !link.send(frame)) {
                            warn!("the relay takes too little; the link is opened anew");
                            self.close();
                        }
                    }
                    Output::Close => self.close(),
                    // An engine has its store to itself: whoever was there before is gone.
                    Output::Page(PageOutput::Yield) => self.handle(Input::Page(PageInput::Lead)),
                    Output::Page(PageOutput::Join | PageOutput::Send(..) | PageOutput::Dismiss(_)) => {}
                    Output::Commit(op, commit) => {
                        let answers = self.answers.0.clone();
                        // A room that has gone no longer waits for its answers.
                        self.around.store.commit(self.space.clone(), commit, move |result| {
                            let _ = answers.send(Input::Stored(op, result));
                        });
                    }
                    Output::Scan(op, scan) => {
                        let answers = self.answers.0.clone();
                        self.around.store.scan(self.space.clone(), scan, move |result| {
                            let _ = answers.send(Input::Scanned(op, result));
                        });
                    }
                }
            }
        }
    }

    /// An engine without a relay leaves the question open: there is nothing to try again.
    fn connect(&mut self) {
        let Some(relay) = &self.around.relay else { return };
        self.links += 1;
        debug!(link = self.links, "opening a link");
        let url = relay.socket(&self.room.name);
        self.link = Some(Link::open(self.links, url, self.around.connector.clone(), self.arrivals.0.clone()));
    }

    fn close(&mut self) {
        if self.link.take().is_some() {
            self.handle(Input::Closed(None));
        }
    }
}
