//! Several pages on one device: channels between them, and who leads.

use bytes::Bytes;
use causeway_core::device::{Config, Input, PageInput, PageOutput, Room};
use causeway_core::ids::{SiblingId, StreamId};

use crate::network::{Device, Network, room, seed};

/// The link of a page that follows to the one that leads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Channel {
    id: SiblingId,
    follower: usize,
    leader: usize,
}

impl Network {
    /// A device with so many pages, of which the first leads; answers their numbers.
    pub fn join_pages(&mut self, pages: usize) -> Vec<usize> {
        let first = self.devices.len();
        for _ in 0..pages {
            self.next += 1;
            let config = Config { room: room(), seed: seed(self.next), agent: "story".into() };
            let page = Device { disk_of: first, ..Device::new(Room::following(config), first) };
            self.devices.push(page);
        }
        self.lead(first);
        (first..first + pages).collect()
    }

    /// One more page of a device that has some, and follows; answers its number.
    pub fn join_page(&mut self, of: usize) -> usize {
        self.next += 1;
        let config = Config { room: room(), seed: seed(self.next), agent: "story".into() };
        let disk_of = self.devices[of].disk_of;
        let page = Device { disk_of, ..Device::new(Room::following(config), disk_of) };
        self.devices.push(page);
        self.devices.len() - 1
    }

    /// The same, online, with the room's first document open on every page.
    pub fn with_pages(pages: usize) -> (Self, Vec<usize>, StreamId) {
        let mut network = Self::new(0);
        let pages = network.join_pages(pages);
        let stream = StreamId::first_document(&room());
        pages.iter().for_each(|page| network.open(*page, stream));
        network.settle();
        (network, pages, stream)
    }

    /// The pages of a device agree that this one leads from now on.
    pub fn lead(&mut self, page: usize) {
        let device = self.devices[page].disk_of;
        self.leaders.insert(device, page);
        self.end_channels(|channel, pages| pages[channel.follower].disk_of == device);
        self.tell(page, Input::Page(PageInput::Lead));
        for other in 0..self.devices.len() {
            if other != page && self.devices[other].disk_of == device {
                self.tell(other, Input::Reconnect);
            }
        }
    }

    /// A page ends without a word; what its disk has not answered for is carried out or not.
    pub fn end_page(&mut self, page: usize, carry_out: bool) {
        let device = self.devices[page].disk_of;
        for (_, commit) in std::mem::take(&mut self.devices[page].held) {
            if carry_out {
                self.devices[device].disk.commit(&commit).expect("nobody else writes here");
            }
        }
        self.drop_link(page);
        self.devices[page].asleep = true;
        self.devices[page].mail.clear();
        self.end_channels(|channel, _| channel.follower == page || channel.leader == page);
    }

    /// The channel of a page that follows ends; it looks for another.
    pub fn part(&mut self, page: usize) {
        self.end_channels(|channel, _| channel.follower == page);
    }

    /// The browser lets a page sleep: it hears and does nothing.
    pub fn freeze(&mut self, page: usize) {
        self.devices[page].asleep = true;
    }

    /// It wakes, and hears what came meanwhile.
    pub fn thaw(&mut self, page: usize) {
        self.devices[page].asleep = false;
        for input in std::mem::take(&mut self.devices[page].mail) {
            self.tell(page, input);
        }
        self.pump();
    }

    pub(super) fn carry_out_for_page(&mut self, number: usize, output: PageOutput) {
        match output {
            PageOutput::Join => self.devices[number].joining = true,
            PageOutput::Send(id, bytes) => {
                if let Some(channel) = self.channels.iter().find(|channel| channel.id == id) {
                    self.to_page.push_back((id, channel.follower, bytes));
                }
            }
            PageOutput::Dismiss(id) => self.end_channels(|channel, _| channel.id == id),
            PageOutput::Yield => {
                let device = self.devices[number].disk_of;
                self.leaders.retain(|of, leader| (*of, *leader) != (device, number));
            }
        }
    }

    /// Bytes that a page puts on its one link; whether that leads to another page.
    pub(super) fn send_to_leader(&mut self, number: usize, bytes: &Bytes) -> bool {
        let Some(channel) = self.channels.iter().find(|channel| channel.follower == number) else {
            return false;
        };
        self.to_page.push_back((channel.id, channel.leader, bytes.clone()));
        true
    }

    pub(super) fn hang_up_on_leader(&mut self, number: usize) {
        self.end_channels(|channel, _| channel.follower == number);
    }

    /// One frame between two pages; whether there was one.
    pub(super) fn pass_between_pages(&mut self) -> bool {
        let Some((id, to, bytes)) = self.to_page.pop_front() else { return false };
        let Some(channel) = self.channels.iter().find(|channel| channel.id == id).copied() else {
            return true;
        };
        if to == channel.leader {
            self.tell(to, Input::Page(PageInput::Received(id, bytes)));
        } else {
            self.tell(to, Input::Received(bytes));
        }
        true
    }

    /// Lets pages that look for a leader find it; whether one did.
    pub(super) fn join_leaders(&mut self) -> bool {
        for number in 0..self.devices.len() {
            if !std::mem::take(&mut self.devices[number].joining) {
                continue;
            }
            let leader = self.leaders.get(&self.devices[number].disk_of).copied();
            match leader.filter(|leader| *leader != number) {
                Some(leader) => {
                    self.next += 1;
                    let id = SiblingId(self.next);
                    self.channels.push(Channel { id, follower: number, leader });
                    self.tell(leader, Input::Page(PageInput::Opened(id)));
                    self.tell(number, Input::Opened);
                }
                None => self.tell(number, Input::Closed(None)),
            }
            return true;
        }
        false
    }

    fn end_channels(&mut self, ended: impl Fn(&Channel, &[Device]) -> bool) {
        let (gone, stay) = self.channels.iter().partition(|channel| ended(channel, &self.devices));
        self.channels = stay;
        let gone: Vec<Channel> = gone;
        for Channel { id, follower, leader } in gone {
            self.to_page.retain(|(of, ..)| *of != id);
            self.tell(follower, Input::Closed(None));
            self.tell(leader, Input::Page(PageInput::Closed(id)));
        }
    }
}
