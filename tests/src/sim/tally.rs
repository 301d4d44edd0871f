//! How often each kind of fault has occurred.

use std::collections::BTreeMap;
use std::fmt;

/// What can go wrong, and what people do that is rare enough to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Both ends notice that a link has ended.
    Cut,
    /// What was on its way when a link ended.
    LostInFlight,
    /// A frame in the middle of a link's life that never arrives.
    FrameLost,
    /// A frame that arrives twice.
    FrameTwice,
    /// A link that has ended and only the device notices.
    HalfOpenHome,
    /// A link that has ended and only the home notices.
    HalfOpenDevice,
    /// A device that cannot reach the home for a while.
    Offline,
    /// A link that takes nothing from the home for a while.
    SlowReader,
    /// A device's process ends in the middle of its work and a new one takes the disk over.
    DeviceKilled,
    /// The same, and the power goes.
    DevicePowerCut,
    /// A device's disk is lost for good.
    DeviceWiped,
    /// A commit of a device that was under way when it ended, and is not there.
    DeviceCommitTorn,
    /// A disk of a device answers that a commit failed.
    DeviceDiskFailed,
    /// A disk of a device answers that a read failed.
    DeviceReadFailed,
    /// The relay ends in the middle of its work.
    RelayKilled,
    /// A commit of the relay that was under way when it ended, and is not there.
    RelayCommitTorn,
    /// The relay is stopped and says so.
    RelayStopped,
    /// The relay's disk answers that a commit failed.
    RelayDiskFailed,
    /// The relay's disk answers that a read failed.
    RelayReadFailed,
    /// The relay's disk is put back to what it was some time ago.
    RelayRestored,
    /// A disk that takes long.
    SlowDisk,
    /// A reader that was so slow that the home let it catch up from the log.
    FellBehind,
    /// A snapshot was made and what it covers moved to the archive.
    Compacted,
    /// A reader below a snapshot was sent it whole.
    SnapshotSent,
    /// A page of posts that somebody looked at came from the relay.
    PageSent,
    /// A segment of the archive was older than it is kept, and went.
    HistoryExpired,
    /// The relay ended while a snapshot was being made.
    CompactionTorn,
    /// The relay's materialiser had too much to do.
    MaterialiserBusy,
    /// A bit of an entry's row at the relay flipped.
    RowRotted,
    /// The page of a draft was written otherwise than told.
    PageMiswritten,
    /// Somebody took a step back.
    Undone,
    /// A wall clock that is wrong by hours.
    ClockWrong,
    /// The relay's wall clock is ahead by days for a while.
    RelayClockAhead,
    /// Another page of a device leads from now on.
    LeaderChanged,
    /// Two pages of a device think that they lead.
    TwoLeaders,
    /// A page that the browser lets sleep.
    PageSlept,
    /// Work that a page could not write before another took the disk over, kept as a fork.
    Forked,
    /// Somebody was asked for what others wrote, and lied.
    Lied,
    /// A device left for good, and the relay was put back to before that.
    Departed,
    /// An entry that somebody other than its author brought back.
    BroughtBack,
    /// A device lost the relay and reaches a hub.
    CameToHub,
    /// The way back.
    LeftHub,
    /// A hub ended in the middle of its work.
    HubKilled,
    /// A disk of a hub answers that a commit or a read failed.
    HubDiskFailed,
    /// A hub was gone for good, and another device plays relay.
    HubTakenOver,
    /// All went to a hub once more, and one of them was never seen again.
    LastLesson,
    /// An entry of theirs that the relay did not have and got back from others.
    BroughtFromHub,
    /// A device's disk was copied.
    DiskCopied,
    /// Another device began with a copied disk.
    CopyWoke,
    /// A device was given its own disk of some time ago.
    DiskPutBack,
    /// Work of a copied device that was refused, as its copy was first.
    CopyForked,
    /// Two homes took other words under one name of a copied device, and the story ended there.
    HomesParted,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 52] = [
        Self::Cut,
        Self::LostInFlight,
        Self::FrameLost,
        Self::FrameTwice,
        Self::HalfOpenHome,
        Self::HalfOpenDevice,
        Self::Offline,
        Self::SlowReader,
        Self::DeviceKilled,
        Self::DevicePowerCut,
        Self::DeviceWiped,
        Self::DeviceCommitTorn,
        Self::DeviceDiskFailed,
        Self::DeviceReadFailed,
        Self::RelayKilled,
        Self::RelayCommitTorn,
        Self::RelayStopped,
        Self::RelayDiskFailed,
        Self::RelayReadFailed,
        Self::RelayRestored,
        Self::SlowDisk,
        Self::FellBehind,
        Self::Compacted,
        Self::SnapshotSent,
        Self::PageSent,
        Self::HistoryExpired,
        Self::CompactionTorn,
        Self::MaterialiserBusy,
        Self::RowRotted,
        Self::PageMiswritten,
        Self::Undone,
        Self::ClockWrong,
        Self::RelayClockAhead,
        Self::LeaderChanged,
        Self::TwoLeaders,
        Self::PageSlept,
        Self::Forked,
        Self::Lied,
        Self::Departed,
        Self::BroughtBack,
        Self::CameToHub,
        Self::LeftHub,
        Self::HubKilled,
        Self::HubDiskFailed,
        Self::HubTakenOver,
        Self::LastLesson,
        Self::BroughtFromHub,
        Self::DiskCopied,
        Self::CopyWoke,
        Self::DiskPutBack,
        Self::CopyForked,
        Self::HomesParted,
    ];
}

/// Counts of faults, of one run or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Fault, u64>);

impl Tally {
    pub(crate) fn note(&mut self, fault: Fault) {
        self.add(fault, 1);
    }

    pub(crate) fn add(&mut self, fault: Fault, times: u64) {
        *self.0.entry(fault).or_default() += times;
    }

    /// Takes the counts of another run in.
    pub fn join(&mut self, other: &Tally) {
        for (fault, times) in &other.0 {
            self.add(*fault, *times);
        }
    }

    /// How often a kind has occurred.
    pub fn of(&self, fault: Fault) -> u64 {
        self.0.get(&fault).copied().unwrap_or(0)
    }

    /// Kinds that never occurred.
    pub fn never(&self) -> Vec<Fault> {
        // How a world ends is no trouble, and what ends so is rare.
        let troubles = Fault::ALL.into_iter().filter(|fault| *fault != Fault::HomesParted);
        troubles.filter(|fault| self.of(*fault) == 0).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in Fault::ALL {
            writeln!(f, "  {:<18}{:>8}", format!("{fault:?}"), self.of(fault))?;
        }
        Ok(())
    }
}
