//! One story per rule of DESIGN §2 and promise of §5, each named by its number.

#[path = "rules/brought_again.rs"]
mod brought_again;
#[path = "rules/catching_up.rs"]
mod catching_up;
#[path = "rules/channel_pages.rs"]
mod channel_pages;
#[path = "rules/channels.rs"]
mod channels;
#[path = "rules/chat.rs"]
mod chat;
#[path = "rules/clones.rs"]
mod clones;
#[path = "rules/costs.rs"]
mod costs;
#[path = "rules/craft.rs"]
mod craft;
#[path = "rules/crowds.rs"]
mod crowds;
#[path = "rules/damaged_snapshots.rs"]
mod damaged_snapshots;
#[path = "rules/discards.rs"]
mod discards;
#[path = "rules/entries.rs"]
mod entries;
#[path = "rules/forks.rs"]
mod forks;
#[path = "rules/forwarded.rs"]
mod forwarded;
#[path = "rules/heads.rs"]
mod heads;
#[path = "rules/history.rs"]
mod history;
#[path = "rules/history_in_doubt.rs"]
mod history_in_doubt;
#[path = "rules/homes.rs"]
mod homes;
#[path = "rules/links.rs"]
mod links;
#[path = "rules/lost_snapshots.rs"]
mod lost_snapshots;
#[path = "rules/moved.rs"]
mod moved;
#[path = "rules/own_gaps.rs"]
mod own_gaps;
#[path = "rules/pages.rs"]
mod pages;
#[path = "rules/parted_chains.rs"]
mod parted_chains;
#[path = "rules/people.rs"]
mod people;
#[path = "rules/promises.rs"]
mod promises;
#[path = "rules/quarantines.rs"]
mod quarantines;
#[path = "rules/restored_copies.rs"]
mod restored_copies;
#[path = "rules/returns.rs"]
mod returns;
#[path = "rules/salvage.rs"]
mod salvage;
#[path = "rules/sealing.rs"]
mod sealing;
#[path = "rules/snapshots.rs"]
mod snapshots;
#[path = "rules/steps.rs"]
mod steps;
#[path = "rules/takeovers.rs"]
mod takeovers;
#[path = "rules/unheard.rs"]
mod unheard;
#[path = "rules/unsent.rs"]
mod unsent;
