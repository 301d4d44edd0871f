//! Several pages on one device: channels between them, who leads, and who only thinks so.

use std::collections::BTreeSet;

use bytes::Bytes;
use causeway_core::device::{Input, PageInput, PageOutput, Role};
use causeway_core::ids::{SiblingId, StreamId};
use causeway_core::log::EntryName;
use causeway_core::wire;

use crate::disk::Disk;
use crate::sim::agenda::Happening;
use crate::sim::rows;
use crate::sim::tally::Fault;
use crate::sim::world::World;

/// What the pages of one device share.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    pub(crate) disk: Disk,
    pub(crate) pages: Vec<usize>,
    /// Whose it is.
    pub(crate) person: usize,
    /// Who is held to lead.
    pub(crate) leader: Option<usize>,
    /// What somebody has read on one of its pages.
    pub(crate) read: BTreeSet<EntryName>,
    /// Somebody read up to a post while older ones were not here: they are read, on all its pages, and nobody can say
    /// which they are.
    pub(crate) is_vague: bool,
}

/// The link of a page that follows to the one that leads: nothing is lost on it, and its end may go unheard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channel {
    follower: usize,
    leader: usize,
    last_to_leader: u64,
    last_to_follower: u64,
}

/// So long after somebody else has taken the lead, or could, a page knows.
const CONTEST: u64 = 30_000;
/// Longest way between two pages.
const CHANNEL_DELAY: u64 = 6;

impl World {
    pub(crate) fn disk_of(&mut self, number: usize) -> &mut Disk {
        let machine = self.devices[number].machine;
        &mut self.machines[machine].disk
    }

    pub(crate) fn siblings(&self, number: usize) -> Vec<usize> {
        self.machines[self.devices[number].machine].pages.clone()
    }

    /// Somebody on this device finds out, sooner or later, that nobody leads.
    pub(crate) fn elect_soon(&mut self, machine: usize, within: u64) {
        let at = self.now + self.rng.below(within.max(1));
        self.plan(at, Happening::Elect(machine));
    }

    pub(crate) fn elect(&mut self, machine: usize) {
        let awake = |world: &Self, page: usize| world.devices[page].is_awake(world.now);
        if self.machines[machine].leader.is_some_and(|leader| awake(self, leader)) {
            return;
        }
        let able: Vec<usize> =
            self.machines[machine].pages.iter().copied().filter(|page| awake(self, *page)).collect();
        if !able.is_empty() {
            let leader = able[self.rng.index(able.len())];
            self.lead(leader);
        }
    }

    pub(crate) fn lead(&mut self, page: usize) {
        let machine = self.devices[page].machine;
        if let Some(before) = self.machines[machine].leader.replace(page)
            && before != page
        {
            self.tally.note(Fault::LeaderChanged);
        }
        self.chronicle.line(self.now, || format!("page {page} is to lead device {machine}"));
        self.end_channels(|channel| channel.leader != page && channel.is_on(page));
        for other in self.siblings(page) {
            self.end_channels(|channel| channel.follower == other && channel.leader != page);
        }
        self.tell_device(page, Input::Page(PageInput::Lead));
        for other in self.siblings(page).into_iter().filter(|other| *other != page) {
            self.tell_device(other, Input::Reconnect);
            // Whoever thinks that it leads hears of it, and looks.
            if self.devices[other].room.as_ref().is_some_and(|room| room.role() == Role::Leading) {
                let at = self.now + self.rng.below(5_000);
                let life = self.devices[other].life;
                self.plan(at, Happening::LookAgain(other, life));
            }
        }
    }

    /// A page leads that the others do not follow, or sleeps that the others need.
    pub(crate) fn usurp(&mut self, page: usize) {
        let machine = self.devices[page].machine;
        if self.devices[page].is_awake(self.now) && self.machines[machine].leader != Some(page) {
            self.tally.note(Fault::TwoLeaders);
            self.note_contest(machine, self.now);
            self.lead(page);
            // Two that missed the same frame of the same leader give it up in the same moment.
            let others: Vec<usize> = self.siblings(page).into_iter().filter(|other| *other != page).collect();
            if !others.is_empty() && self.rng.chance(50) {
                let other = others[self.rng.index(others.len())];
                let (at, life) = (self.now + self.rng.below(20), self.devices[other].life);
                self.plan(at, Happening::Usurp(other, life));
            }
        }
    }

    /// T2: a page that leads tells only what is on the disk.
    fn check_sent_to_page(&mut self, number: usize, bytes: &Bytes) {
        let messages = match wire::decode(bytes) {
            Ok(messages) => messages,
            Err(error) => return self.fail(|| format!("page {number} sends what cannot be read: {error}")),
        };
        let machine = self.devices[number].machine;
        let is_of_home = |stream: &StreamId, name| self.came_back(machine, stream, name);
        if let Some(lie) = rows::told_too_early(&self.machines[machine].disk, &messages, is_of_home) {
            self.fail(|| format!("page {number} {lie}"));
        }
    }

    pub(crate) fn put_to_sleep(&mut self, page: usize) {
        if self.devices[page].room.is_none() {
            return;
        }
        self.tally.note(Fault::PageSlept);
        let machine = self.devices[page].machine;
        let until = self.now + self.rng.between(500, 60_000);
        self.note_contest(machine, until);
        self.devices[page].asleep_until = until;
        let life = self.devices[page].life;
        self.chronicle.line(self.now, || format!("page {page} falls asleep"));
        self.plan(until, Happening::Wake(page, life));
        self.elect_soon(machine, 4_000);
    }

    /// What the leader of this device had not written may become a fork, until it has heard of the one after it.
    fn note_contest(&mut self, machine: usize, until: u64) {
        for page in self.machines[machine].pages.clone() {
            let device = &mut self.devices[page];
            device.contested_until = device.contested_until.max(until + CONTEST);
        }
    }

    /// Pages that follow ask every second who leads, and whoever thinks that it does hears the others answer.
    pub(crate) fn look_again(&mut self, page: usize, life: u32) {
        let room = self.devices[page].room.as_ref();
        let leads = self.devices[page].life == life && room.is_some_and(|room| room.role() == Role::Leading);
        if !leads || self.machines[self.devices[page].machine].leader == Some(page) {
            return;
        }
        self.tell_device(page, Input::Page(PageInput::Lead));
        let next = self.now + self.rng.between(500, 2_000);
        self.plan(next, Happening::LookAgain(page, life));
    }

    pub(crate) fn wake(&mut self, page: usize, life: u32) {
        if self.devices[page].life != life || self.devices[page].asleep_until > self.now {
            return;
        }
        self.chronicle.line(self.now, || format!("page {page} wakes"));
        let machine = self.devices[page].machine;
        self.elect_soon(machine, 2_000);
        for mail in std::mem::take(&mut self.devices[page].mail) {
            if !self.devices[page].is_stale(&mail) {
                self.tell_device(page, mail.1);
            }
        }
    }

    pub(crate) fn carry_out_for_page(&mut self, number: usize, output: PageOutput) {
        match output {
            PageOutput::Join => {
                // It follows: the call to the relay that it has begun is none of its affairs any more.
                self.forget_link(number);
                self.devices[number].connecting = false;
                let at = self.now + self.rng.between(1, 50);
                self.devices[number].joining = true;
                let life = self.devices[number].life;
                self.plan(at, Happening::Join(number, life));
            }
            PageOutput::Send(SiblingId(id), bytes) => {
                self.check_sent_to_page(number, &bytes);
                self.send_on_channel(id, bytes, false);
            }
            PageOutput::Dismiss(SiblingId(id)) => self.end_channel(id),
            PageOutput::Yield => {
                let machine = self.devices[number].machine;
                if self.machines[machine].leader == Some(number) {
                    self.machines[machine].leader = None;
                    self.elect_soon(machine, 2_000);
                }
            }
        }
    }

    pub(crate) fn join(&mut self, number: usize, life: u32) {
        let device = &mut self.devices[number];
        if device.life != life || !std::mem::take(&mut device.joining) {
            return;
        }
        let leader = self.machines[self.devices[number].machine].leader;
        match leader.filter(|leader| *leader != number && self.devices[*leader].room.is_some()) {
            Some(leader) => {
                self.end_channels(|channel| channel.follower == number);
                self.next_link += 1;
                let id = self.next_link;
                let channel = Channel { follower: number, leader, last_to_leader: 0, last_to_follower: 0 };
                self.channels.insert(id, channel);
                self.devices[number].channel = Some(id);
                self.tell_device(leader, Input::Page(PageInput::Opened(SiblingId(id))));
                self.tell_device(number, Input::Opened);
            }
            None => self.tell_device(number, Input::Closed(None)),
        }
    }

    /// What a page puts on its one link; whether that leads to another page.
    pub(crate) fn send_to_leader(&mut self, number: usize, bytes: &Bytes) -> bool {
        let Some(id) = self.channel_of(number) else { return false };
        self.send_on_channel(id, bytes.clone(), true);
        true
    }

    pub(crate) fn hang_up_on_leader(&mut self, number: usize) {
        if let Some(id) = self.channel_of(number) {
            self.end_channel(id);
        }
    }

    fn channel_of(&self, follower: usize) -> Option<u64> {
        self.channels.iter().find(|(_, channel)| channel.follower == follower).map(|(id, _)| *id)
    }

    fn send_on_channel(&mut self, id: u64, bytes: Bytes, to_leader: bool) {
        let soon = self.now + self.rng.below(CHANNEL_DELAY);
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let last = if to_leader { &mut channel.last_to_leader } else { &mut channel.last_to_follower };
        *last = soon.max(*last);
        let at = *last;
        self.plan(at, Happening::BetweenPages { channel: id, to_leader, bytes });
    }

    pub(crate) fn deliver_between_pages(&mut self, id: u64, to_leader: bool, bytes: Bytes) {
        let Some(channel) = self.channels.get(&id).copied() else { return };
        let number = if to_leader { channel.leader } else { channel.follower };
        self.chronicle.trace(self.now, "between pages", id, &bytes);
        let (follower, leader) = (channel.follower, channel.leader);
        let arrow = if to_leader { "->" } else { "<-" };
        self.chronicle.line(self.now, || {
            format!("page {follower} {arrow} page {leader}: {}", crate::sim::telling::tell(&bytes))
        });
        let input = if to_leader {
            Input::Page(PageInput::Received(SiblingId(id), bytes))
        } else {
            Input::Received(bytes)
        };
        self.tell_device(number, input);
    }

    pub(crate) fn end_channels(&mut self, ended: impl Fn(&Channel) -> bool) {
        let ended = self.channels.iter().filter(|(_, channel)| ended(channel));
        for id in ended.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.end_channel(id);
        }
    }

    pub(crate) fn end_channels_of(&mut self, page: usize) {
        self.end_channels(|channel| channel.is_on(page));
    }

    fn end_channel(&mut self, id: u64) {
        let Some(channel) = self.channels.remove(&id) else { return };
        let at = self.now + self.rng.below(CHANNEL_DELAY);
        let (follower, leader) = (channel.follower, channel.leader);
        let lives = (self.devices[follower].life, self.devices[leader].life);
        self.plan(
            at,
            Happening::ChannelClosed { id, follower: (follower, lives.0), leader: (leader, lives.1) },
        );
    }

    pub(crate) fn channel_closed(&mut self, id: u64, follower: (usize, u32), leader: (usize, u32)) {
        // Whoever has joined again meanwhile does not hear of the old link any more.
        if self.devices[follower.0].life == follower.1 && self.devices[follower.0].channel == Some(id) {
            self.devices[follower.0].channel = None;
            self.tell_device(follower.0, Input::Closed(None));
        }
        if self.devices[leader.0].life == leader.1 {
            self.tell_device(leader.0, Input::Page(PageInput::Closed(SiblingId(id))));
        }
    }
}

impl Channel {
    fn is_on(&self, page: usize) -> bool {
        self.follower == page || self.leader == page
    }
}
