//! Bugs that can be switched on, so that the simulator can show that it would find them. Only with the feature
//! `planted-bugs`, and then only where somebody calls `plant`.

/// One bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// A home calls an entry saved before its disk has answered.
    SavedEarly,
    /// A device takes what it has sent for saved.
    OutboxForgets,
}

impl Planted {
    /// The bug with this name on a command line.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "saved-early" => Some(Self::SavedEarly),
            "outbox-forgets" => Some(Self::OutboxForgets),
            _ => None,
        }
    }
}
