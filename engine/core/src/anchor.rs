//! A place in a text that stays where it is while others write around it.

use serde::{Deserialize, Serialize};

/// A place beside one character, named by who wrote it; moves with it and survives its deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Author and number of the character; `None` is the end of the text that `side` points to.
    pub item: Option<(u64, u32)>,
    /// Which neighbour the place sticks to when somebody writes exactly here.
    pub side: Side,
}

/// Which neighbour a place sticks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// The character before: text written here comes after the place.
    Before,
    /// The character after: text written here pushes the place on.
    After,
}
