//! What may happen, and what has chance of its own.

use bytes::Bytes;
use causeway_core::snapshot::Job;
use causeway_core::storage::Scan;
use causeway_core::write_queue::OpId;

use crate::sim::copied::Step;
use crate::sim::device::End;
use crate::sim::hub::Bell;
use crate::sim::relay::At;

/// What stands in the agenda.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    ToHome(u64, Bytes),
    ToDevice(u64, Bytes),
    /// A device's call comes through, or not.
    Call(usize, u32),
    ClosedAtDevice(u64, Option<u16>),
    ClosedAtHome(u64),
    /// The socket takes what the home has queued.
    Write(u64),
    DeviceStored(usize, u32),
    DeviceScanned(usize, u32, OpId, Scan),
    HomeStored(At, u32),
    HomeScanned(At, u32, OpId, Scan),
    HomeMaterialised(At, u32, OpId, Box<Job>),
    Person(usize),
    Fate,
    StartDevice(usize),
    StartHome(At),
    /// The end of a home: of an orderly stop, or in the middle of a commit.
    EndHome(At, u32),
    EndDevice(usize, u32, End),
    CutLink(u64),
    /// A page looks for the one that leads.
    Join(usize, u32),
    BetweenPages {
        channel: u64,
        to_leader: bool,
        bytes: Bytes,
    },
    ChannelClosed {
        id: u64,
        follower: (usize, u32),
        leader: (usize, u32),
    },
    /// The pages of a device see to it that one leads.
    Elect(usize),
    Wake(usize, u32),
    Usurp(usize, u32),
    /// A page that thinks that it leads makes sure.
    LookAgain(usize, u32),
    /// The relay's wall clock is so far ahead from now on.
    RelayClock(u64),
    /// Somebody lies about what others wrote.
    Lie(u64),
    /// The relay's disk is copied.
    Copy,
    /// Somebody comes to the hub or leaves it, or it is gone.
    Bell(Bell),
    /// A device's disk is copied, or the copy comes to life.
    Copied(Step),
}

/// What has chance of its own, by its number.
pub(crate) enum Apart {
    Machine(u64),
    Stroke(u64),
    Act(u64),
    History,
    Lies,
    Lie(u64),
    Departure,
    Lessons,
    Lesson(u64),
    LastLesson,
    /// A store that begins.
    Store(u64),
    Copies,
    Image(u64),
    ImageTaken(u64),
    ImageWakes(u64),
}

impl Apart {
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Machine(number) => (1 << 40) + number,
            Self::Stroke(number) => (2 << 40) + number,
            Self::Act(number) => (3 << 40) + number,
            Self::History => 4 << 40,
            Self::Lies => (4 << 40) + 1,
            Self::Departure => (4 << 40) + 2,
            Self::Lessons => (4 << 40) + 3,
            Self::LastLesson => (4 << 40) + 4,
            Self::Copies => (4 << 40) + 5,
            Self::Image(number) => (8 << 40) + number,
            Self::ImageTaken(number) => (9 << 40) + number,
            Self::ImageWakes(number) => (10 << 40) + number,
            Self::Lie(number) => (5 << 40) + number,
            Self::Lesson(number) => (6 << 40) + number,
            Self::Store(number) => (7 << 40) + number,
        }
    }
}
