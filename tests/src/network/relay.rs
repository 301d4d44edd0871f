//! The home of a story.

use std::collections::BTreeMap;

use bytes::Bytes;
use causeway_core::home::{CompactionPlan, Home, Lane};
use causeway_core::ids::{ConnId, ReplicaId, RoomId, StreamId};
use causeway_core::snapshot::{Done, Job, JobError};
use causeway_core::storage::{Commit, CommitError, FailureKind, Page, Scan, StoreFailure};
use causeway_core::stored::{self, META, MetaRecord, Prefix, TipRecord};
use causeway_core::time::Millis;
use causeway_core::wire::{self, Message};
use causeway_core::write_queue::OpId;

use crate::disk::Disk;

/// A home and its disk.
#[derive(Debug)]
pub struct Relay {
    /// The home itself.
    pub home: Home,
    /// What it holds.
    pub disk: Disk,
    /// How wrong its wall clock is, in milliseconds.
    pub wall_offset: i64,
    /// Whether its disk answers; until then commits wait.
    pub disk_answers: bool,
    /// Whether its disk writes what it is asked and answers that it failed.
    pub fails_but_writes: bool,
    /// Whether its disk carries out what takes entries out of their rows and does not answer.
    pub keeps_quiet_of_drops: bool,
    /// Whether its disk shows what it was asked to write before it answers for it, as the real stores may.
    pub shows_before_it_answers: bool,
    /// Whether nobody takes anything from it.
    pub slow: bool,
    /// Whether a link that was slow brings its pages of the log before its entries. The control lane always goes first.
    pub bulk_first: bool,
    /// Links it has closed, and why.
    pub closed: Vec<(ConnId, u16)>,
    /// Messages it has sent, in order.
    pub sent: Vec<(ConnId, Message)>,
    /// Jobs it has had done: steps of snapshots, and segments of the archive that were read.
    pub jobs_run: usize,
    /// So many jobs to come are more than its threads can take.
    pub busy_jobs: usize,
    /// So many reads to come are more than its disk can take.
    pub busy_reads: usize,
    /// So many commits to come fail, and are not carried out.
    pub failing_commits: usize,
    /// Reads it has asked its disk for.
    pub reads: usize,
    /// How all jobs end that its materialiser is given.
    pub jobs_fail: Option<JobError>,
    /// Whether it writes pages of snapshots otherwise than it was told.
    pub damages_pages: bool,
    pub(super) held: Vec<(OpId, Commit)>,
    /// Carried out and not answered.
    pub(super) unanswered: Vec<(OpId, Result<(), CommitError>)>,
    plan: CompactionPlan,
    keep: Option<Millis>,
    room: RoomId,
    queued: BTreeMap<ConnId, Vec<(Lane, Bytes)>>,
    lives: u8,
}

impl Relay {
    pub(super) fn new(room: RoomId) -> Self {
        Self {
            home: Home::new(room.clone(), &[0; 32]),
            disk: Disk::default(),
            wall_offset: 0,
            disk_answers: true,
            fails_but_writes: false,
            keeps_quiet_of_drops: false,
            shows_before_it_answers: false,
            slow: false,
            bulk_first: false,
            closed: Vec::new(),
            sent: Vec::new(),
            jobs_run: 0,
            busy_jobs: 0,
            busy_reads: 0,
            failing_commits: 0,
            reads: 0,
            jobs_fail: None,
            damages_pages: false,
            held: Vec::new(),
            unanswered: Vec::new(),
            plan: CompactionPlan::default(),
            keep: None,
            room,
            queued: BTreeMap::new(),
            lives: 0,
        }
    }

    /// Dies with what its disk has not answered for, and starts again.
    pub(super) fn restart(&mut self) {
        self.lives += 1;
        self.held.clear();
        self.unanswered.clear();
        self.queued.clear();
        self.home = Home::new(self.room.clone(), &[self.lives; 32]);
        self.home.plan_compaction(self.plan);
        self.home.keep_history(self.keep);
    }

    /// When this home and those after it make snapshots.
    pub fn plan_compaction(&mut self, plan: CompactionPlan) {
        self.plan = plan;
        self.home.plan_compaction(plan);
    }

    /// This home and those after it make a snapshot after so many entries of a stream, however large, once nobody has
    /// written for so many milliseconds.
    pub fn snapshot_after(&mut self, entries: u64, quiet: u64) {
        let (bytes, quiet) = (u64::MAX / 4, Millis(quiet));
        self.plan_compaction(CompactionPlan { entries, bytes, quiet, ..CompactionPlan::default() });
    }

    /// How long the homes after this one keep history.
    pub fn keep_history(&mut self, keep: Millis) {
        self.keep = Some(keep);
    }

    /// What was on its way to the disk gets there, and the home is not told.
    pub fn write_held(&mut self) {
        for (_, commit) in std::mem::take(&mut self.held) {
            self.disk.commit(&commit).expect("nobody else writes here");
        }
    }

    /// Puts an old disk back, as a restore does: in a new epoch.
    pub fn put_back(&mut self, mut backup: Disk, epoch: u64) {
        backup.put(META.to_vec(), MetaRecord { epoch }.encode());
        self.disk = backup;
    }

    /// Up to where a replica's entries are on the disk.
    pub fn seq(&self, stream: &StreamId, replica: &ReplicaId) -> u64 {
        let row = self.disk.row(&stored::tip_key(stream, replica));
        row.and_then(|value| TipRecord::decode(value).ok()).map_or(0, |tip| tip.seq)
    }

    /// How many entries of a stream are on the disk.
    pub fn entries(&self, stream: &StreamId) -> usize {
        let prefix = stored::stream_prefix(Prefix::Entry, stream);
        self.disk.rows_of(Prefix::Entry as u8).filter(|(key, _)| key.starts_with(&prefix)).count()
    }

    /// Bytes that wait for one link.
    pub fn queued_bytes(&self, conn: ConnId) -> usize {
        self.queued.get(&conn).into_iter().flatten().map(|(_, bytes)| bytes.len()).sum()
    }

    pub(super) fn due(&self) -> Option<u64> {
        self.home.poll_timeout().map(|at| at.0)
    }

    pub(super) fn note_sent(&mut self, conn: ConnId, lane: Lane, bytes: &Bytes) {
        let messages = wire::decode(bytes).expect("our own frames can be read");
        self.sent.extend(messages.into_iter().map(|message| (conn, message)));
        if self.slow {
            self.queued.entry(conn).or_default().push((lane, bytes.clone()));
        }
    }

    /// What waits for a link, lane by lane.
    pub(super) fn take_queued(&mut self, conn: ConnId) -> Vec<(Lane, Bytes)> {
        let mut queued = self.queued.remove(&conn).unwrap_or_default();
        queued.sort_by_key(|(lane, _)| match lane {
            Lane::Control => 0,
            Lane::Bulk if self.bulk_first => 1,
            Lane::Presence | Lane::Entries => 2,
            Lane::Bulk => 3,
        });
        queued
    }

    pub(super) fn run(&mut self, job: Job) -> Result<Done, JobError> {
        if let Some(error) = &self.jobs_fail {
            return Err(error.clone());
        }
        if let Some(left) = self.busy_jobs.checked_sub(1) {
            self.busy_jobs = left;
            return Err(JobError::Busy);
        }
        self.jobs_run += 1;
        job.run(&mut || true)
    }

    pub(super) fn read(&mut self, scan: &Scan) -> Result<Page, StoreFailure> {
        self.reads += 1;
        if let Some(left) = self.busy_reads.checked_sub(1) {
            self.busy_reads = left;
            return Err(StoreFailure::new(FailureKind::Busy, "too many ask at once"));
        }
        if self.shows_before_it_answers {
            let mut disk = self.disk.clone();
            self.held.iter().for_each(|(_, commit)| disk.commit(commit).expect("nobody else writes here"));
            return disk.scan(scan);
        }
        self.disk.scan(scan)
    }

    pub(super) fn commit(&mut self, op: OpId, mut commit: Commit) -> Option<Result<(), CommitError>> {
        if self.damages_pages {
            let pages = commit.put.iter_mut().filter(|(key, _)| key[0] == Prefix::Page as u8);
            pages.for_each(|(_, value)| *value = stored::encode_piece(b"something else"));
        }
        if let Some(left) = self.failing_commits.checked_sub(1) {
            self.failing_commits = left;
            return Some(Err(StoreFailure::new(FailureKind::Io, "not beside this place").into()));
        }
        if self.fails_but_writes {
            let _ = self.disk.commit(&commit);
            return Some(Err(StoreFailure::new(FailureKind::Io, "who knows").into()));
        }
        if self.keeps_quiet_of_drops && commit.delete.iter().any(|key| key[0] == Prefix::Entry as u8) {
            self.unanswered.push((op, self.disk.commit(&commit)));
            return None;
        }
        if self.disk_answers {
            return Some(self.disk.commit(&commit));
        }
        self.held.push((op, commit));
        None
    }
}
