//! Several pages of one device: one leads and alone owns disk and link to the home, the others follow it.
//!
//! A page that follows keeps its own replica and its own state. Its link goes to the leader, who tells it only what is on
//! the device's disk: so a page that follows knows nothing that is not there but its own work, which it holds until the
//! leader has answered `kept`. Whoever leads next can therefore go on from the disk, and nothing is lost.
//!
//! Which page is to lead the shell decides, and it may be wrong: the owner's row on the disk decides who may write
//! (`boot`).

use bytes::Bytes;

use crate::ids::SiblingId;

/// What a page is to the others of its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It owns the disk and the link to the home.
    Leading,
    /// It keeps its work with the page that leads.
    Following,
}

/// What happens among the pages of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageInput {
    /// This page is to lead from now on: it takes the disk over.
    Lead,
    /// Another page leads.
    Follow,
    /// Another page has opened a link to this one.
    Opened(SiblingId),
    /// Bytes of another page: one or more whole frames.
    Received(SiblingId, Bytes),
    /// The link of another page has ended.
    Closed(SiblingId),
}

/// What a page wants done with the other pages of its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageOutput {
    /// Open a link to the page that leads; answer with [`crate::device::Input::Opened`] or
    /// [`crate::device::Input::Closed`], and carry it like a link to the home.
    Join,
    /// Put these bytes on the link of another page.
    Send(SiblingId, Bytes),
    /// End the link of another page. No input follows.
    Dismiss(SiblingId),
    /// Another page owns the disk: give the lead up and find out who has it.
    Yield,
}
