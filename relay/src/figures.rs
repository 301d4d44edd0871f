//! Figures of the whole process, for `/healthz` and `/metrics`.

mod exposition;
mod histogram;
mod process;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use causeway_core::home::{self, Lane};

use exposition::Exposition;
pub(crate) use histogram::Histogram;

/// Counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    entries_saved: AtomicU64,
    entries_refused: AtomicU64,
    entries_forwarded: AtomicU64,
    links_behind: AtomicU64,
    links_cut: AtomicU64,
    links_refused: AtomicU64,
    store_failures: AtomicU64,
    entries_damaged: AtomicU64,
    snapshots_made: AtomicU64,
    snapshots_failed: AtomicU64,
    snapshots_sent: AtomicU64,
    streams_quarantined: AtomicU64,
    rooms_unreadable: AtomicU64,
    pages_sent: AtomicU64,
    segments_expired: AtomicU64,
    entries_brought: AtomicU64,
    rooms_opened: AtomicU64,
    rooms_closed: AtomicU64,
    room_panics: AtomicU64,
    lane_bytes: [AtomicU64; Lane::ALL.len()],
    /// From the moment a room asks for a commit to the disk's answer.
    pub(crate) commits: Histogram,
    /// The store's own syncs; many commits share one.
    pub(crate) fsyncs: Histogram,
}

/// [`Figures`] at one moment.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Reading {
    entries_saved: u64,
    entries_refused: u64,
    entries_forwarded: u64,
    links_behind: u64,
    links_cut: u64,
    links_refused: u64,
    store_failures: u64,
    entries_damaged: u64,
    snapshots_made: u64,
    snapshots_failed: u64,
    snapshots_sent: u64,
    streams_quarantined: u64,
    rooms_unreadable: u64,
    pages_sent: u64,
    segments_expired: u64,
    entries_brought: u64,
    rooms_opened: u64,
    rooms_closed: u64,
    room_panics: u64,
}

/// What is so now, beside what was counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Present {
    pub(crate) rooms: usize,
    pub(crate) connections: usize,
    pub(crate) store_works: bool,
    pub(crate) store_stands_still: Duration,
    pub(crate) store_log_bytes: u64,
    pub(crate) store_is_held_up: bool,
    pub(crate) materialised_documents: u64,
}

/// Something that happened once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happened {
    /// A room was taken into memory.
    RoomOpened,
    /// A room left memory.
    RoomClosed,
    /// The task of a room panicked.
    RoomPanicked,
    /// A link was cut because it did not take what was sent.
    LinkCut,
    /// A link was not let in because the relay is full.
    LinkRefused,
}

impl Figures {
    /// Adds what a room counted between two looks at it.
    pub(crate) fn add(&self, before: home::Figures, after: home::Figures) {
        let pairs = [
            (&self.entries_saved, before.entries_saved, after.entries_saved),
            (&self.entries_refused, before.entries_refused, after.entries_refused),
            (&self.entries_forwarded, before.entries_forwarded, after.entries_forwarded),
            (&self.links_behind, before.links_behind, after.links_behind),
            (&self.store_failures, before.store_failures, after.store_failures),
            (&self.entries_damaged, before.entries_damaged, after.entries_damaged),
            (&self.snapshots_made, before.snapshots_made, after.snapshots_made),
            (&self.snapshots_failed, before.snapshots_failed, after.snapshots_failed),
            (&self.snapshots_sent, before.snapshots_sent, after.snapshots_sent),
            (&self.streams_quarantined, before.streams_quarantined, after.streams_quarantined),
            (&self.rooms_unreadable, before.rooms_unreadable, after.rooms_unreadable),
            (&self.pages_sent, before.pages_sent, after.pages_sent),
            (&self.segments_expired, before.segments_expired, after.segments_expired),
            (&self.entries_brought, before.entries_brought, after.entries_brought),
        ];
        for (total, before, after) in pairs {
            if after > before {
                total.fetch_add(after - before, Ordering::Relaxed);
            }
        }
    }

    /// Adds bytes that a room put into the lanes of its links.
    pub(crate) fn add_bytes(&self, bytes: [u64; Lane::ALL.len()]) {
        for (total, bytes) in self.lane_bytes.iter().zip(bytes) {
            if bytes > 0 {
                total.fetch_add(bytes, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn count(&self, happened: Happened) {
        let total = match happened {
            Happened::RoomOpened => &self.rooms_opened,
            Happened::RoomClosed => &self.rooms_closed,
            Happened::RoomPanicked => &self.room_panics,
            Happened::LinkCut => &self.links_cut,
            Happened::LinkRefused => &self.links_refused,
        };
        total.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Reading {
        let of = |total: &AtomicU64| total.load(Ordering::Relaxed);
        Reading {
            entries_saved: of(&self.entries_saved),
            entries_refused: of(&self.entries_refused),
            entries_forwarded: of(&self.entries_forwarded),
            links_behind: of(&self.links_behind),
            links_cut: of(&self.links_cut),
            links_refused: of(&self.links_refused),
            store_failures: of(&self.store_failures),
            rooms_opened: of(&self.rooms_opened),
            rooms_closed: of(&self.rooms_closed),
            room_panics: of(&self.room_panics),
            entries_damaged: of(&self.entries_damaged),
            snapshots_made: of(&self.snapshots_made),
            snapshots_failed: of(&self.snapshots_failed),
            snapshots_sent: of(&self.snapshots_sent),
            streams_quarantined: of(&self.streams_quarantined),
            rooms_unreadable: of(&self.rooms_unreadable),
            pages_sent: of(&self.pages_sent),
            segments_expired: of(&self.segments_expired),
            entries_brought: of(&self.entries_brought),
        }
    }

    /// All of it for Prometheus.
    pub(crate) fn expose(&self, present: Present) -> String {
        let counted = self.read();
        let mut page = Exposition::default();
        page.gauge("causeway_connections", "Links that are open.", present.connections);
        page.gauge("causeway_rooms", "Rooms in memory.", present.rooms);
        page.gauge("causeway_store_works", "Whether the store takes commits.", u8::from(present.store_works));
        page.gauge(
            "causeway_store_standstill_seconds",
            "For how long a call to the store has got no further.",
            present.store_stands_still.as_secs(),
        );
        page.gauge(
            "causeway_store_log_bytes",
            "Commits in the log before the database.",
            present.store_log_bytes,
        );
        page.gauge(
            "causeway_store_log_held_up",
            "Whether the database cannot take what is in the log.",
            u8::from(present.store_is_held_up),
        );
        let counters = [
            ("causeway_entries_saved_total", "Entries on disk.", counted.entries_saved),
            ("causeway_entries_refused_total", "Entries refused.", counted.entries_refused),
            ("causeway_entries_forwarded_total", "Copies of entries sent.", counted.entries_forwarded),
            ("causeway_links_behind_total", "Times a slow link was left to catch up.", counted.links_behind),
            ("causeway_links_cut_total", "Links cut because they took nothing.", counted.links_cut),
            ("causeway_links_refused_total", "Links refused by a full relay.", counted.links_refused),
            ("causeway_store_failures_total", "Commits and reads that failed.", counted.store_failures),
            (
                "causeway_entries_damaged_total",
                "Entries whose rows were found damaged.",
                counted.entries_damaged,
            ),
            ("causeway_snapshots_made_total", "Snapshots made and verified.", counted.snapshots_made),
            ("causeway_snapshots_sent_total", "Snapshots sent whole to a reader.", counted.snapshots_sent),
            ("causeway_pages_sent_total", "Pages sent to who looked at them.", counted.pages_sent),
            (
                "causeway_entries_brought_total",
                "Entries that others than their authors brought again.",
                counted.entries_brought,
            ),
            (
                "causeway_history_expired_total",
                "Segments of the archive that were older than they are kept.",
                counted.segments_expired,
            ),
            ("causeway_snapshots_failed_total", "Snapshots that came to nothing.", counted.snapshots_failed),
            (
                "causeway_streams_quarantined_total",
                "Streams put into quarantine, or found there when their room was opened.",
                counted.streams_quarantined,
            ),
            (
                "causeway_rooms_unreadable_total",
                "Times a room was opened whose rows cannot be read.",
                counted.rooms_unreadable,
            ),
            ("causeway_rooms_opened_total", "Rooms taken into memory.", counted.rooms_opened),
            ("causeway_rooms_closed_total", "Rooms that left memory.", counted.rooms_closed),
            ("causeway_room_panics_total", "Rooms shut by a fault of ours.", counted.room_panics),
            (
                "causeway_materialised_documents_total",
                "Documents built; passing entries on builds none.",
                present.materialised_documents,
            ),
        ];
        for (name, help, value) in counters {
            page.counter(name, help, value);
        }
        let lanes = Lane::ALL.into_iter().zip(&self.lane_bytes);
        let lanes = lanes.map(|(lane, bytes)| (name_of(lane), bytes.load(Ordering::Relaxed)));
        page.counters("causeway_lane_bytes_total", "Bytes sent, by lane.", "lane", lanes);
        let commits = self.commits.read();
        page.histogram("causeway_commit_seconds", "From a room's commit to the disk's answer.", &commits);
        page.histogram("causeway_fsync_seconds", "Syncs of the store.", &self.fsyncs.read());
        if let Some(bytes) = process::resident_bytes() {
            page.gauge("process_resident_memory_bytes", "Memory in use.", bytes);
        }
        if let Some(seconds) = process::cpu_seconds() {
            page.counter("process_cpu_seconds_total", "Time on processors.", seconds);
        }
        page.into_text()
    }
}

fn name_of(lane: Lane) -> &'static str {
    match lane {
        Lane::Control => "control",
        Lane::Entries => "entries",
        Lane::Presence => "presence",
        Lane::Bulk => "bulk",
    }
}
