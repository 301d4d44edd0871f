//! The home at work: its beginning, what it is told and wants done, and its end in the middle of it.

use causeway_core::home::{self, Home};
use causeway_core::ids::ConnId;

use crate::sim::agenda::Happening;
use crate::sim::tally::Fault;
use crate::sim::world::World;

impl World {
    pub(crate) fn start_relay(&mut self) {
        if self.relay.home.is_some() {
            return;
        }
        let seed = self.rng.seed();
        let mut home = Home::new(self.room.clone(), &seed);
        home.plan_compaction(self.plan.compaction);
        home.keep_history(self.plan.history);
        if let Some(bug) = self.options.bug {
            home.plant(bug);
        }
        self.relay.life += 1;
        self.relay.home = Some(home);
        self.chronicle.line(self.now, || "the relay starts".into());
        self.settle_home();
    }

    /// Hands an input to the home and carries out what it wants.
    pub(crate) fn tell_home(&mut self, input: home::Input) {
        let now = self.relay.clock(self.now);
        if let Some(home) = &mut self.relay.home {
            home.handle(input, now);
            self.settle_home();
        }
    }

    pub(crate) fn settle_home(&mut self) {
        while let Some(output) = self.relay.home.as_mut().and_then(Home::poll_output) {
            self.carry_out_for_home(output);
        }
    }

    fn carry_out_for_home(&mut self, output: home::Output) {
        match output {
            home::Output::Send(to, lane, bytes) => {
                for ConnId(link) in to {
                    if self.liar.hears(link, &bytes) {
                        continue;
                    }
                    self.send_to_device(link, lane, bytes.clone());
                }
            }
            home::Output::Close(ConnId(link), code) => self.home_closes(link, code as u16),
            home::Output::Commit(op, commit) => self.relay_commits(op, commit),
            home::Output::Materialise(op, job) => {
                let at = self.now + self.rng.between(0, 40);
                let life = self.relay.life;
                self.plan(at, Happening::RelayMaterialised(life, op, job));
            }
            home::Output::Scan(op, scan) => {
                let at = self.now + self.relay_disk_delay();
                let life = self.relay.life;
                self.plan(at, Happening::RelayScanned(life, op, scan));
            }
        }
    }

    pub(crate) fn kill_relay(&mut self) {
        self.relay.doomed = false;
        let Some(home) = self.relay.home.take() else { return };
        self.tally.add(Fault::FellBehind, home.figures().links_behind);
        self.tally.add(Fault::Compacted, home.figures().snapshots_made);
        self.tally.add(Fault::SnapshotSent, home.figures().snapshots_sent);
        self.tally.add(Fault::PageSent, home.figures().pages_sent);
        self.tally.add(Fault::HistoryExpired, home.figures().segments_expired);
        if home.is_compacting() {
            self.tally.note(Fault::CompactionTorn);
        }
        self.tally.note(Fault::RelayKilled);
        self.chronicle.line(self.now, || "the relay is killed".into());
        if let Some((_, commit)) = self.relay.pending.take() {
            if self.rng.chance(50) {
                let _ = self.relay.disk.commit(&commit);
            } else {
                self.tally.note(Fault::RelayCommitTorn);
            }
        }
        if self.rng.chance(50) {
            let kept = self.rng.index(self.relay.disk.above_frontier() + 1);
            self.relay.disk.cut_power(kept);
        }
        self.end_all_links();
        let back = self.now + self.rng.between(50, 6_000);
        self.plan(back, Happening::StartRelay);
    }

    fn end_all_links(&mut self) {
        for id in self.links.keys().copied().collect::<Vec<_>>() {
            let told = self.rng.chance(80);
            let soon = self.now + self.rng.below(200);
            let Some(link) = self.links.get_mut(&id) else { continue };
            link.alive = false;
            link.at_home = false;
            if told {
                self.plan(soon, Happening::ClosedAtDevice(id, None));
            } else if !link.at_device {
                self.links.remove(&id);
            }
        }
    }
}
