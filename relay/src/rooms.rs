//! The rooms that are open, each with one task, and the way in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use causeway_core::home::Home;
use causeway_core::ids::{ConnId, RoomId, StreamId};
use causeway_core::time::Millis;
use causeway_core::wire::ErrorCode;
use causeway_store::{Space, StoreGate};
use futures_util::FutureExt;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tracing::{Instrument, error, info_span};

use crate::bounds::Bounds;
use crate::clock::{Clock, millis};
use crate::figures::{Figures, Happened};
use crate::limits::{ROOM_FAULTS, ROOM_QUEUE};
use crate::link::Outbox;
use crate::materialiser::Materialiser;
use crate::room::{Drains, Event, RoomTask};

/// What all rooms share.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) bounds: Bounds,
    pub(crate) clock: Clock,
    pub(crate) store: StoreGate,
    /// Of the store, as its last restore has left it.
    pub(crate) epoch: u64,
    pub(crate) materialiser: Materialiser,
    pub(crate) figures: Arc<Figures>,
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
    /// How often the task of a room has panicked.
    faults: BTreeMap<RoomId, u32>,
    /// Rooms that could not be read when they were last opened.
    unreadable: BTreeSet<RoomId>,
    stopping: bool,
}

/// The way into one room's task.
#[derive(Debug)]
struct Door {
    /// Tells this opening of the room from others.
    number: u64,
    events: mpsc::Sender<Event>,
    drains: Arc<Drains>,
    /// Links that hold a seat. The task ends only while this is zero.
    seats: usize,
}

/// Why a device is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotLetIn {
    /// It comes back to the next one.
    #[error("the relay is stopping; it will be back in a moment")]
    Stopping,
    /// It comes back later.
    #[error("the relay has as many links as it can hold; try again later")]
    Links,
    /// The same.
    #[error("the relay has as many rooms open as it can hold; try again later")]
    Rooms,
    /// A fault of ours; its data is as it was.
    #[error("this room has failed too often and stays shut until the relay is started again")]
    Shut,
}

impl NotLetIn {
    pub(crate) fn code(self) -> ErrorCode {
        match self {
            Self::Stopping => ErrorCode::GoingAway,
            Self::Links | Self::Rooms => ErrorCode::Full,
            Self::Shut => ErrorCode::Store,
        }
    }
}

impl Rooms {
    /// No rooms yet. The receiver ends when all rooms and links have, after [`Rooms::stop`].
    pub(crate) fn new(
        store: StoreGate,
        epoch: u64,
        figures: Arc<Figures>,
        bounds: Bounds,
    ) -> (Self, mpsc::Receiver<()>) {
        let (stop, _) = watch::channel(Millis(0));
        let materialiser = Materialiser::start();
        let around =
            Surroundings { bounds, clock: Clock::start(), store, epoch, materialiser, figures, stop };
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
    pub(crate) fn join(&self, room: &RoomId) -> Result<Seat, NotLetIn> {
        let shared = &self.shared;
        let mut open = shared.open();
        if open.stopping {
            return Err(NotLetIn::Stopping);
        }
        if open.faults.get(room).is_some_and(|faults| *faults >= ROOM_FAULTS) {
            return Err(NotLetIn::Shut);
        }
        let full = if shared.connections.load(Ordering::Relaxed) >= self.bounds().links {
            Some(NotLetIn::Links)
        } else {
            let more = open.rooms.len() >= self.bounds().rooms && !open.rooms.contains_key(room);
            more.then_some(NotLetIn::Rooms)
        };
        if let Some(full) = full {
            shared.around.figures.count(Happened::LinkRefused);
            return Err(full);
        }
        let alive = shared.alive().clone().ok_or(NotLetIn::Stopping)?;
        let Open { rooms, unreadable, .. } = &mut *open;
        let door = rooms.entry(room.clone()).or_insert_with(|| {
            // It is read anew, and says so again if it cannot be.
            unreadable.remove(room);
            self.open_room(room, alive.clone())
        });
        door.seats += 1;
        let conn = ConnId(shared.next_conn.fetch_add(1, Ordering::Relaxed));
        shared.connections.fetch_add(1, Ordering::Relaxed);
        Ok(Seat {
            rooms: self.clone(),
            opening: door.number,
            room: room.clone(),
            conn,
            events: door.events.clone(),
            drains: Arc::clone(&door.drains),
            alive,
        })
    }

    /// Whether a room is neither open nor one too many: who opens rooms for their own sake takes nobody's place.
    pub(crate) fn may_open(&self, room: &RoomId) -> bool {
        let open = self.shared.open();
        let has_room = open.rooms.len() < self.bounds().rooms && self.connections() < self.bounds().links;
        !open.stopping && has_room && !open.rooms.contains_key(room)
    }

    /// Lets nobody in any more and asks every room to come to an end.
    pub(crate) fn stop(&self, spread: Millis) {
        self.shared.open().stopping = true;
        self.shared.alive().take();
        self.shared.around.stop.send_replace(spread);
    }

    /// Tries snapshots of a stream again; the room is opened for that if it is not open.
    pub(crate) async fn release(&self, room: &RoomId, stream: StreamId) -> Result<(), NotLetIn> {
        let seat = self.join(room)?;
        // A room that ends meanwhile has failed, and says so itself.
        let _ = seat.events.send(Event::Release(stream)).await;
        Ok(())
    }

    /// A room cannot be read from the disk.
    pub(crate) fn note_unreadable(&self, room: &RoomId) {
        self.shared.open().unreadable.insert(room.clone());
    }

    /// Rooms that are not served, and why.
    pub(crate) fn ailing(&self) -> Vec<(RoomId, &'static str)> {
        let open = self.shared.open();
        let faulty = open.faults.iter().filter(|(_, faults)| **faults >= ROOM_FAULTS);
        let faulty = faulty.map(|(room, _)| (room.clone(), "shut until a restart: it has failed too often"));
        let unreadable = open.unreadable.iter();
        let unreadable = unreadable.map(|room| (room.clone(), "its rows cannot be read; ask the doctor"));
        faulty.chain(unreadable).collect()
    }

    /// Whether nobody is let in any more.
    pub(crate) fn are_stopping(&self) -> bool {
        self.shared.open().stopping
    }

    pub(crate) fn bounds(&self) -> &Bounds {
        &self.shared.around.bounds
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
        // Nothing is ever sent: this ends with the last commit that is under way, and the task.
        let (under_way, mut landed) = mpsc::channel(1);
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the system has randomness");
        let mut home = Home::new(room.clone(), &seed);
        home.raise_epoch(self.shared.around.epoch);
        home.keep_history(self.bounds().keep_history.map(millis));
        let task = RoomTask::new(
            home,
            Space::new(room.as_str()).expect("a room's name is shorter than a space's"),
            events,
            Arc::clone(&drains),
            Arc::clone(&self.shared.around),
            Registration { rooms: self.clone(), room: room.clone() },
            under_way,
        );
        self.shared.around.figures.count(Happened::RoomOpened);
        // A room's name is the key to it, so logs number rooms instead.
        let number = self.shared.next_room.fetch_add(1, Ordering::Relaxed);
        let (rooms, name) = (self.clone(), room.clone());
        let run = async move {
            if AssertUnwindSafe(task.run()).catch_unwind().await.is_err() {
                // Whoever opens the room anew must read what it asked to be written, or would write over it.
                landed.recv().await;
                rooms.handle_panic(&name);
            }
            drop(alive);
        };
        tokio::spawn(run.instrument(info_span!("room", number)));
        Door { number, events: sender, drains, seats: 0 }
    }
}

impl Rooms {
    /// The task of a room has panicked. Its links were told; who comes back opens the room anew, from the disk.
    fn handle_panic(&self, room: &RoomId) {
        let mut open = self.shared.open();
        open.rooms.remove(room);
        let faults = open.faults.entry(room.clone()).or_default();
        *faults += 1;
        error!(faults, shut = *faults >= ROOM_FAULTS, "the task of a room panicked");
        drop(open);
        self.shared.around.figures.count(Happened::RoomPanicked);
        self.shared.around.figures.count(Happened::RoomClosed);
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
    opening: u64,
    room: RoomId,
    conn: ConnId,
    events: mpsc::Sender<Event>,
    drains: Arc<Drains>,
    alive: Alive,
}

/// Held by everything that the end of the relay waits for.
pub(crate) type Alive = mpsc::Sender<()>;

impl Seat {
    pub(crate) fn conn(&self) -> ConnId {
        self.conn
    }

    /// What stands in front of the link's socket.
    pub(crate) fn outbox(&self, socket: TcpStream) -> Arc<Outbox> {
        Arc::new(Outbox::new(self.conn, socket, Arc::clone(&self.drains)))
    }

    /// Ends with the room's task.
    pub(crate) fn room_ends(&self) -> impl Future<Output = ()> + use<> {
        let events = self.events.clone();
        async move { events.closed().await }
    }

    /// Tells the room of the link. False: the room has ended.
    pub(crate) async fn enter(&self, outbox: Arc<Outbox>) -> bool {
        self.events.send(Event::Opened(self.conn, outbox)).await.is_ok()
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
        let mut open = self.rooms.shared.open();
        if let Some(door) = open.rooms.get_mut(&self.room).filter(|door| door.number == self.opening) {
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
    /// Its rows cannot be read.
    pub(crate) fn note_unreadable(&self) {
        self.rooms.note_unreadable(&self.room);
    }

    /// Takes the room off the list unless somebody holds a seat. Whoever comes later opens it anew, after this task has
    /// let go of it: a room never has two tasks.
    pub(crate) fn retire(&self) -> bool {
        let mut open = self.rooms.shared.open();
        let vacant = open.rooms.get(&self.room).is_none_or(|door| door.seats == 0);
        if vacant {
            open.rooms.remove(&self.room);
            self.rooms.shared.around.figures.count(Happened::RoomClosed);
        }
        vacant
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registration")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use causeway_core::directory::DirectoryOp;
    use causeway_core::ids::{ReplicaId, StreamId};
    use causeway_core::log::{Entry, EntryKind, Header, StreamLog};
    use causeway_core::replica::Identity;
    use causeway_core::storage::{Commit, CommitError, Page, Scan, StoreFailure};
    use causeway_core::wire::{self, Body, Hello, Message, Welcome};
    use causeway_store::{MemoryStore, Storage, Store};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::spawn_blocking;
    use tokio::time::timeout;

    use super::*;
    use crate::link;

    async fn visit(rooms: &Rooms, room: &RoomId) -> (TcpStream, mpsc::Sender<Event>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let device = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let seat = rooms.join(room).unwrap();
        let events = seat.events.clone();
        let bounds = *rooms.bounds();
        tokio::spawn(async move { link::carry(socket, &[], seat, &bounds).await });
        (device, events)
    }

    /// A disk whose syncs wait for the story.
    struct HeldDisk {
        store: MemoryStore,
        began: Sender<()>,
        end: Mutex<Receiver<()>>,
    }

    impl Store for HeldDisk {
        fn apply(&self, space: &Space, commit: &Commit) -> Result<(), CommitError> {
            self.store.apply(space, commit)
        }
        fn settle(&self) -> Result<(), StoreFailure> {
            Ok(())
        }
        fn sync(&self) -> Result<(), StoreFailure> {
            let _ = self.began.send(());
            let _ = self.end.lock().unwrap().recv();
            Ok(())
        }
        fn scan(&self, space: &Space, scan: &Scan) -> Result<Page, StoreFailure> {
            self.store.scan(space, scan)
        }
        fn spaces(&self, after: Option<&Space>, max: usize) -> Result<Vec<Space>, StoreFailure> {
            self.store.spaces(after, max)
        }
    }

    async fn send(device: &mut TcpStream, messages: &[Message]) {
        let frames: Vec<u8> = messages.iter().flat_map(|message| wire::encode(message).to_vec()).collect();
        let length = u16::try_from(frames.len()).unwrap().to_be_bytes();
        let head = [0x82, 0x80 | 126, length[0], length[1], 0, 0, 0, 0];
        device.write_all(&[&head[..], &frames].concat()).await.unwrap();
    }

    /// The first message of the relay.
    async fn welcome(device: &mut TcpStream) -> Welcome {
        let mut head = [0; 2];
        device.read_exact(&mut head).await.unwrap();
        let length =
            if head[1] == 126 { device.read_u16().await.unwrap().into() } else { usize::from(head[1]) };
        let mut frames = vec![0; length];
        device.read_exact(&mut frames).await.unwrap();
        let messages = wire::decode(&frames.into()).unwrap();
        let welcome = messages.into_iter().find_map(|message| match message {
            Message::Other(Body::Welcome(welcome)) => Some(welcome),
            _ => None,
        });
        welcome.unwrap()
    }

    fn first_entry(replica: ReplicaId) -> Entry {
        let (stream, kind) = (StreamId::DIRECTORY, EntryKind::Edit);
        let (deps, logical) = StreamLog::new(stream).next_place(&replica);
        let op = DirectoryOp::Put { document: StreamId::ydoc([1; 16]), path: "a.md".into() };
        let (time, payload_hash) = (Millis(1), [0; 32]);
        let header = Header {
            stream,
            replica,
            seq: 1,
            deps,
            logical,
            time,
            kind,
            target: None,
            key_epoch: 0,
            payload_hash,
        };
        wire::entry::build(header, &wire::payload::encode_directory(&op))
    }

    #[tokio::test]
    async fn rl12_a_room_that_panicked_is_opened_anew_after_what_it_wrote_has_landed() {
        let ((began, begins), (end, ends)) = (channel(), channel());
        let disk = HeldDisk { store: MemoryStore::new(), began, end: Mutex::new(ends) };
        let gate = StoreGate::open(Storage::of(Arc::new(disk)));
        let (rooms, _ended) = Rooms::new(gate, 1, Arc::default(), Bounds::default());
        let room: RoomId = "faulty".parse().unwrap();
        let (mut device, events) = visit(&rooms, &room).await;
        let hello = Hello {
            oldest: wire::VERSION,
            newest: wire::VERSION,
            room: room.clone(),
            digest: StreamLog::new(StreamId::DIRECTORY).digest(),
            agent: "story".into(),
        };
        send(&mut device, &[hello.into()]).await;
        let nonce = welcome(&mut device).await.nonce;
        let identity = Identity::from_secret(&[1; 32]);
        let entries = Message::Entries(vec![first_entry(identity.id())]);
        send(&mut device, &[identity.prove(&nonce, &room).into(), entries]).await;
        spawn_blocking(move || begins.recv().unwrap()).await.unwrap();
        events.send(Event::Fault).await.unwrap();
        let open_anew = async {
            while rooms.count() > 0 {
                tokio::task::yield_now().await;
            }
        };
        events.closed().await;
        assert!(timeout(Duration::from_millis(20), open_anew).await.is_err(), "its commit is under way");
        end.send(()).unwrap();
        let open_anew = async {
            while rooms.count() > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(30), open_anew).await.expect("the disk has answered");
        drop(end);
    }

    #[tokio::test]
    async fn rl12_a_room_that_panics_tells_its_links_opens_anew_and_is_shut_when_it_goes_on() {
        let figures = Arc::new(Figures::default());
        let gate = StoreGate::open(Storage::memory());
        let (rooms, _ended) = Rooms::new(gate, 1, Arc::clone(&figures), Bounds::default());
        let (faulty, sound): (RoomId, RoomId) = ("faulty".parse().unwrap(), "sound".parse().unwrap());
        let (mut bystander, _events) = visit(&rooms, &sound).await;
        for _ in 0..ROOM_FAULTS {
            let (mut device, events) = visit(&rooms, &faulty).await;
            events.send(Event::Fault).await.unwrap();
            let mut told = Vec::new();
            let told_all = timeout(Duration::from_secs(30), async {
                // An error frame and a close frame with its code.
                while !told.windows(2).any(|pair| pair == (ErrorCode::Store as u16).to_be_bytes()) {
                    assert!(device.read_buf(&mut told).await.unwrap() > 0, "{told:?}");
                }
            });
            told_all.await.expect("its link is told");
        }
        let wait = timeout(Duration::from_secs(30), async {
            while rooms.join(&faulty).is_ok() {
                tokio::task::yield_now().await;
            }
        });
        wait.await.expect("it is shut");
        assert_eq!(rooms.join(&faulty).unwrap_err(), NotLetIn::Shut);
        let text = figures.expose(crate::figures::Present {
            rooms: rooms.count(),
            connections: rooms.connections(),
            store_works: true,
            materialised_documents: 0,
        });
        assert!(text.contains(&format!("causeway_room_panics_total {ROOM_FAULTS}\n")), "{text}");
        let nothing = timeout(Duration::from_millis(20), bystander.read_u8()).await;
        assert!(nothing.is_err(), "another room does not notice");
        assert!(rooms.join(&sound).is_ok());
    }
}
