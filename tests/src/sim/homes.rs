//! Homes at work: their beginning, what they are told and want done, and their end in the middle of it.

use causeway_core::home::{self, Home};
use causeway_core::ids::ConnId;

use crate::sim::agenda::Happening;
use crate::sim::hub::NEVER;
use crate::sim::relay::{At, Relay};
use crate::sim::tally::Fault;
use crate::sim::world::World;

impl World {
    pub(crate) fn at(&self, at: At) -> &Relay {
        match at {
            At::Relay => &self.relay,
            At::Hub => &self.hub,
        }
    }

    pub(crate) fn at_mut(&mut self, at: At) -> &mut Relay {
        match at {
            At::Relay => &mut self.relay,
            At::Hub => &mut self.hub,
        }
    }

    pub(crate) fn start_home(&mut self, at: At) {
        if self.at(at).home.is_some() || (at == At::Hub && self.school.is_over()) {
            return;
        }
        let seed = self.rng.seed();
        let mut home = Home::new(self.room.clone(), &seed);
        self.plan_snapshots(at, &mut home);
        if let Some(bug) = self.options.bug {
            home.plant(bug);
        }
        let keeper = self.at_mut(at);
        keeper.life += 1;
        keeper.home = Some(home);
        self.chronicle.line(self.now, || format!("{at} starts"));
        self.settle_home(at);
    }

    /// Rule 8: only the relay makes snapshots.
    fn plan_snapshots(&self, at: At, home: &mut Home) {
        match at {
            At::Relay => {
                home.plan_compaction(self.school.snapshots(self.plan.compaction, self.troubled));
                home.keep_history(self.plan.history);
            }
            At::Hub => home.plan_compaction(NEVER),
        }
    }

    /// Hands an input to a home and carries out what it wants.
    pub(crate) fn tell_home(&mut self, at: At, input: home::Input) {
        let now = self.at(at).clock(self.now);
        if let Some(home) = &mut self.at_mut(at).home {
            home.handle(input, now);
            self.settle_home(at);
        }
    }

    pub(crate) fn settle_home(&mut self, at: At) {
        while let Some(output) = self.at_mut(at).home.as_mut().and_then(Home::poll_output) {
            self.carry_out_for_home(at, output);
        }
    }

    fn carry_out_for_home(&mut self, at: At, output: home::Output) {
        match output {
            home::Output::Send(to, lane, bytes) => {
                for ConnId(link) in to {
                    if self.liar.hears(link, &bytes) {
                        continue;
                    }
                    self.send_to_device(at, link, lane, bytes.clone());
                }
            }
            home::Output::Close(ConnId(link), code) => self.home_closes(link, code as u16),
            home::Output::Commit(op, commit) => self.home_commits(at, op, commit),
            home::Output::Materialise(op, job) => {
                let done = self.now + self.rng.between(0, 40);
                let life = self.at(at).life;
                self.plan(done, Happening::HomeMaterialised(at, life, op, job));
            }
            home::Output::Scan(op, scan) => {
                let read = self.now + self.home_disk_delay(at);
                let life = self.at(at).life;
                self.plan(read, Happening::HomeScanned(at, life, op, scan));
            }
        }
    }

    pub(crate) fn kill_home(&mut self, at: At) {
        self.at_mut(at).doomed = false;
        let Some(home) = self.at_mut(at).home.take() else { return };
        self.tally.add(Fault::FellBehind, home.figures().links_behind);
        self.tally.add(Fault::Compacted, home.figures().snapshots_made);
        self.tally.add(Fault::SnapshotSent, home.figures().snapshots_sent);
        self.tally.add(Fault::PageSent, home.figures().pages_sent);
        self.tally.add(Fault::HistoryExpired, home.figures().segments_expired);
        if home.is_compacting() {
            self.tally.note(Fault::CompactionTorn);
        }
        if at == At::Relay {
            self.tally.note(Fault::RelayKilled);
        }
        self.chronicle.line(self.now, || format!("{at} is killed"));
        if let Some((_, commit)) = self.at_mut(at).pending.take() {
            if self.rng.chance(50) {
                self.note_taken(at, &commit);
                let _ = self.at_mut(at).disk.commit(&commit);
            } else if at == At::Relay {
                self.tally.note(Fault::RelayCommitTorn);
            }
        }
        if self.rng.chance(50) {
            let above = self.at(at).disk.above_frontier();
            let kept = self.rng.index(above + 1);
            self.at_mut(at).disk.cut_power(kept);
        }
        if let Some(what) = self.at(at).broken_promise() {
            self.fail(|| format!("{at} {what}"));
        }
        self.end_all_links(at);
        let back = self.now + self.rng.between(50, 6_000);
        self.plan(back, Happening::StartHome(at));
    }

    fn end_all_links(&mut self, at: At) {
        let of_home = self.links.iter().filter(|(_, link)| link.to == at);
        for id in of_home.map(|(id, _)| *id).collect::<Vec<_>>() {
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
