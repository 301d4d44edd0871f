//! The rooms that are open, each with one task, and the way in.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use causeway_core::home::Home;
use causeway_core::ids::{ConnId, RoomId};
use causeway_core::time::Millis;
use causeway_store::{Space, StoreGate};
use tokio::sync::{mpsc, watch};
use tracing::{Instrument, info_span};

use crate::clock::Clock;
use crate::figures::Figures;
use crate::limits::ROOM_QUEUE;
use crate::link::Outbox;
use crate::room::{Drains, Event, RoomTask};

/// What all rooms share.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) clock: Clock,
    pub(crate) store: StoreGate,
    pub(crate) figures: Figures,
    /// Told once, when the relay stops: the span in which devices should come back.
    pub(crate) stop: watch::Sender<Millis>,
}

/// The rooms that are open. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Rooms {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    around: Arc<Surroundings>,
    open: Mutex<Open>,
    connections: AtomicUsize,
    next_conn: AtomicU64,
    next_room: AtomicU64,
    /// Dropped by the last room and the last link, which the end of the relay waits for.
    alive: Mutex<Option<Alive>>,
}

#[derive(Debug, Default)]
struct Open {
    rooms: BTreeMap<RoomId, Door>,
    stopping: bool,
}

/// The way into one room's task.
#[derive(Debug)]
struct Door {
    events: mpsc::Sender<Event>,
    drains: Arc<Drains>,
    /// Links that hold a seat. The task ends only while this is zero.
    seats: usize,
}

/// Why nobody is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the relay is stopping; it will be back in a moment")]
pub(crate) struct Stopping;

impl Rooms {
    /// No rooms yet. The receiver ends when all rooms and links have, after [`Rooms::stop`].
    pub(crate) fn new(store: StoreGate) -> (Self, mpsc::Receiver<()>) {
        let (stop, _) = watch::channel(Millis(0));
        let around = Surroundings { clock: Clock::start(), store, figures: Figures::default(), stop };
        let (alive, ended) = mpsc::channel(1);
        let shared = Shared {
            around: Arc::new(around),
            open: Mutex::default(),
            connections: AtomicUsize::new(0),
            next_conn: AtomicU64::new(1),
            next_room: AtomicU64::new(1),
            alive: Mutex::new(Some(alive)),
        };
        (Self { shared: Arc::new(shared) }, ended)
    }

    /// A seat in a room, which is opened if it is not open yet.
    pub(crate) fn join(&self, room: &RoomId) -> Result<Seat, Stopping> {
        let shared = &self.shared;
        let mut open = shared.open();
        if open.stopping {
            return Err(Stopping);
        }
        let alive = shared.alive().clone().ok_or(Stopping)?;
        let door = open.rooms.entry(room.clone()).or_insert_with(|| self.open_room(room, alive.clone()));
        door.seats += 1;
        let conn = ConnId(shared.next_conn.fetch_add(1, Ordering::Relaxed));
        shared.connections.fetch_add(1, Ordering::Relaxed);
        Ok(Seat {
            rooms: self.clone(),
            room: room.clone(),
            conn,
            events: door.events.clone(),
            outbox: Arc::new(Outbox::new(conn, Arc::clone(&door.drains))),
            alive,
        })
    }

    /// Lets nobody in any more and asks every room to come to an end.
    pub(crate) fn stop(&self, spread: Millis) {
        self.shared.open().stopping = true;
        self.shared.alive().take();
        self.shared.around.stop.send_replace(spread);
    }

    pub(crate) fn around(&self) -> &Surroundings {
        &self.shared.around
    }

    /// How many rooms are in memory.
    pub(crate) fn count(&self) -> usize {
        self.shared.open().rooms.len()
    }

    /// How many links there are.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    fn open_room(&self, room: &RoomId, alive: Alive) -> Door {
        let (sender, events) = mpsc::channel(ROOM_QUEUE);
        let drains = Arc::new(Drains::default());
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the system has randomness");
        let task = RoomTask::new(
            Home::new(room.clone(), &seed),
            Space::new(room.as_str()).expect("a room's name is shorter than a space's"),
            events,
            Arc::clone(&drains),
            Arc::clone(&self.shared.around),
            Registration { rooms: self.clone(), room: room.clone() },
        );
        // A room's name is the key to it, so logs number rooms instead.
        let number = self.shared.next_room.fetch_add(1, Ordering::Relaxed);
        let run = async move {
            task.run().await;
            drop(alive);
        };
        tokio::spawn(run.instrument(info_span!("room", number)));
        Door { events: sender, drains, seats: 0 }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it is held.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self) -> MutexGuard<'_, Option<Alive>> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A link's place in a room. While it is held the room's task goes on.
pub(crate) struct Seat {
    rooms: Rooms,
    room: RoomId,
    conn: ConnId,
    events: mpsc::Sender<Event>,
    outbox: Arc<Outbox>,
    alive: Alive,
}

/// Held by everything that the end of the relay waits for.
pub(crate) type Alive = mpsc::Sender<()>;

impl Seat {
    pub(crate) fn conn(&self) -> ConnId {
        self.conn
    }

    pub(crate) fn outbox(&self) -> Arc<Outbox> {
        Arc::clone(&self.outbox)
    }

    /// Tells the room of the link.
    pub(crate) async fn enter(&self) -> bool {
        self.events.send(Event::Opened(self.conn, self.outbox())).await.is_ok()
    }

    /// Hands frames to the room, waiting while it has too much to do. False: the room has ended.
    pub(crate) async fn received(&self, frames: Bytes) -> bool {
        self.events.send(Event::Received(self.conn, frames)).await.is_ok()
    }

    /// Tells the room that the link has ended. What is left is to write the last words, while the answer is held.
    pub(crate) async fn leave(self) -> Alive {
        // A room that has ended has no links.
        let _ = self.events.send(Event::Closed(self.conn)).await;
        self.alive.clone()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.rooms.shared.connections.fetch_sub(1, Ordering::Relaxed);
        if let Some(door) = self.rooms.shared.open().rooms.get_mut(&self.room) {
            door.seats -= 1;
        }
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seat({})", self.conn.0)
    }
}

/// A room's task in the list of rooms.
pub(crate) struct Registration {
    rooms: Rooms,
    room: RoomId,
}

impl Registration {
    /// Takes the room off the list unless somebody holds a seat. Whoever comes later opens it anew, after this task has
    /// let go of it: a room never has two tasks.
    pub(crate) fn retire(&self) -> bool {
        let mut open = self.rooms.shared.open();
        let vacant = open.rooms.get(&self.room).is_none_or(|door| door.seats == 0);
        if vacant {
            open.rooms.remove(&self.room);
        }
        vacant
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registration")
    }
}
