//! The task of one room: feeds [`Home`] what arrives and carries out what it asks for. It decides nothing
//! but how soon it takes what comes.

mod links;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use causeway_core::home::{Figures, Home, Input, Output};
use causeway_core::ids::{ConnId, StreamId};
use causeway_core::time::Millis;
use causeway_core::wire::ErrorCode;
use causeway_store::Space;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, error, info, warn};

use crate::figures::Happened;
use crate::limits::{ROOM_BATCH, ROOM_VACANCY_CHECK};
use crate::link::{Outbox, ROOM_FAILED};
use crate::pace::Pace;
use crate::rooms::{Registration, Surroundings};
use links::Links;

/// What links tell their room.
#[derive(Debug)]
pub(crate) enum Event {
    /// A link was opened; frames for it go here.
    Opened(ConnId, Arc<Outbox>),
    /// One or more frames.
    Received(ConnId, Bytes),
    /// It has ended.
    Closed(ConnId),
    /// Snapshots of a stream are to be tried again.
    Release(StreamId),
    /// A fault of ours, for the story of one.
    #[cfg(test)]
    Fault,
}

/// Links with a lane that was written out, gathered so that a thousand of them wake the room once.
#[derive(Debug, Default)]
pub(crate) struct Drains {
    links: Mutex<Vec<ConnId>>,
    noted: Notify,
}

impl Drains {
    pub(crate) fn note(&self, conn: ConnId) {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        self.noted.notify_one();
    }

    pub(crate) fn take(&self) -> Vec<ConnId> {
        std::mem::take(&mut *self.links.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Held by a room's task and by every commit that it asked for.
pub(crate) type UnderWay = mpsc::Sender<()>;

/// A room that is open.
pub(crate) struct RoomTask {
    home: Home,
    space: Space,
    links: Links,
    events: mpsc::Receiver<Event>,
    drains: Arc<Drains>,
    /// Answers of the disk. Unbounded, and no longer than what the room has asked: one commit, and one scan or a few for
    /// each reader that catches up.
    answers: (mpsc::UnboundedSender<Input>, mpsc::UnboundedReceiver<Input>),
    commits_out: usize,
    /// A clone goes with each commit, so that it is known when the last one has been answered, also after a fault.
    under_way: UnderWay,
    published: Figures,
    /// Messages taken since the last batch ended.
    taken: usize,
    /// Until then it takes nothing from its links.
    rests_until: Option<Instant>,
    pace: Pace,
    around: Arc<Surroundings>,
    registration: Registration,
    stop: watch::Receiver<Millis>,
    stopping: bool,
}

impl RoomTask {
    pub(crate) fn new(
        home: Home,
        space: Space,
        events: mpsc::Receiver<Event>,
        drains: Arc<Drains>,
        around: Arc<Surroundings>,
        registration: Registration,
        under_way: UnderWay,
    ) -> Self {
        // Here and not in the task: a stop between the two would go unheard.
        let stop = around.stop.subscribe();
        Self {
            home,
            space,
            links: Links::default(),
            events,
            drains,
            answers: mpsc::unbounded_channel(),
            commits_out: 0,
            under_way,
            published: Figures::default(),
            taken: 0,
            rests_until: None,
            pace: Pace::new(around.clock.instant(Millis(0)), Instant::now()),
            around,
            registration,
            stop,
            stopping: false,
        }
    }

    /// Runs until nobody has been here for a while, or the relay stops.
    pub(crate) async fn run(mut self) {
        let mut idle_since: Option<Instant> = None;
        debug!("room opened");
        loop {
            self.carry_out();
            self.take_drained();
            if self.stopping && self.commits_out == 0 {
                self.links.close_all();
            }
            let mut look_again = None;
            if self.home.is_idle() {
                let over = *idle_since.get_or_insert_with(Instant::now) + self.around.bounds.room_linger;
                if (self.stopping || Instant::now() >= over) && self.registration.retire() {
                    debug!("room closed");
                    return;
                }
                let soon = Instant::now() + ROOM_VACANCY_CHECK;
                look_again = Some(if self.stopping { soon } else { over.max(soon) });
            } else {
                idle_since = None;
            }
            let timer = self.home.poll_timeout().map(|due| self.around.clock.instant(due));
            let timer = timer.into_iter().chain(look_again).min();
            tokio::select! {
                Some(event) = self.events.recv(), if self.rests_until.is_none() => self.take(event),
                () = sleep_until(self.rests_until.unwrap_or_else(Instant::now)), if self.rests_until.is_some() => {
                    self.rests_until = None;
                }
                Some(answer) = self.answers.1.recv() => self.handle(answer),
                () = self.drains.noted.notified() => {}
                () = sleep_until(timer.unwrap_or_else(Instant::now)), if timer.is_some() => self.handle(Input::Tick),
                Ok(()) = self.stop.changed(), if !self.stopping => {
                    self.rests_until = None;
                    self.take_waiting();
                    self.stopping = true;
                    let spread = *self.stop.borrow_and_update();
                    self.handle(Input::Stop { spread });
                }
            }
            self.take_waiting();
            if self.taken > 0 {
                self.rest();
            }
        }
    }

    /// All that waits, before any of its effects: entries that came together share one commit. A room that rests takes only
    /// what the disk answers.
    fn take_waiting(&mut self) {
        for _ in 0..ROOM_BATCH {
            if let Ok(answer) = self.answers.1.try_recv() {
                self.handle(answer);
            } else if self.rests_until.is_some() {
                break;
            } else if let Ok(event) = self.events.try_recv() {
                self.take(event);
            } else {
                break;
            }
        }
    }

    /// After a batch. Where there is but one link nobody gains by it.
    fn rest(&mut self) {
        let rest = self.pace.took(std::mem::take(&mut self.taken), Instant::now());
        self.rests_until = rest.filter(|_| self.links.count() > 1 && !self.stopping);
    }

    /// Lanes that were written out, while nothing waits to be put into them.
    fn take_drained(&mut self) {
        for conn in self.drains.take() {
            let Some(outbox) = self.links.get(conn).map(Arc::clone) else { continue };
            for lane in outbox.take_drained() {
                self.handle(Input::Drained(conn, lane));
            }
            self.carry_out();
        }
    }

    fn take(&mut self, event: Event) {
        let input = match event {
            Event::Opened(conn, outbox) => {
                self.links.insert(conn, outbox);
                info!(conn = conn.0, links = self.links.count(), "a device entered the room");
                Input::Opened(conn)
            }
            Event::Received(conn, frames) => {
                self.taken += 1;
                Input::Received(conn, frames)
            }
            Event::Closed(conn) => {
                self.links.remove(conn);
                info!(conn = conn.0, links = self.links.count(), "a device left the room");
                Input::Closed(conn)
            }
            Event::Release(stream) => {
                info!(%stream, "a stream is released from quarantine");
                Input::Release(stream)
            }
            #[cfg(test)]
            Event::Fault => panic!("a story asks for it"),
        };
        self.handle(input);
    }

    fn handle(&mut self, input: Input) {
        if let Input::Stored(..) = &input {
            self.commits_out -= 1;
        }
        self.home.handle(input, self.around.clock.now());
    }

    fn carry_out(&mut self) {
        loop {
            self.carry_out_now();
            // Whoever hears of something finds it counted.
            self.publish();
            if !self.links.have_news() {
                break;
            }
            let drained = self.links.write();
            let now = self.around.clock.now();
            for (conn, lane) in drained {
                self.home.handle(Input::Drained(conn, lane), now);
            }
        }
    }

    fn carry_out_now(&mut self) {
        while let Some(output) = self.home.poll_output() {
            match output {
                Output::Send(to, lane, frame) => self.links.send(to, lane, frame),
                Output::Close(conn, code) => self.links.close(conn, code),
                Output::Commit(op, commit) => {
                    self.commits_out += 1;
                    let (answers, figures) = (self.answers.0.clone(), Arc::clone(&self.around.figures));
                    let (asked, under_way) = (Instant::now(), self.under_way.clone());
                    self.around.store.commit(self.space.clone(), commit, move |result| {
                        let _under_way = under_way;
                        figures.commits.record(asked.elapsed());
                        // A room that has gone no longer waits.
                        let _ = answers.send(Input::Stored(op, result));
                    });
                }
                Output::Materialise(op, job) => {
                    let answers = self.answers.0.clone();
                    self.around.materialiser.run(job, move |done| {
                        let _ = answers.send(Input::Materialised(op, done));
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

    fn publish(&mut self) {
        self.around.figures.add_bytes(self.links.take_bytes());
        for _ in 0..self.links.take_cut() {
            self.around.figures.count(Happened::LinkCut);
        }
        let figures = self.home.figures();
        if figures.streams_quarantined > self.published.streams_quarantined {
            warn!("of a stream no snapshot can be made; `causeway-relay quarantine list` says why");
        }
        if figures.rooms_unreadable > self.published.rooms_unreadable {
            error!("the rows of a room cannot be read; stop the relay and ask `causeway-relay doctor`");
            self.registration.note_unreadable();
        }
        if figures != self.published {
            self.around.figures.add(self.published, figures);
            self.published = figures;
        }
    }
}

impl Drop for RoomTask {
    /// A fault of ours ends the room; whoever is in it hears so and comes back.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.links.fail_all(ErrorCode::Store, ROOM_FAILED);
        }
    }
}
