//! What a person says behind the name of a scenario.

use causeway_store::StoreKind;

use crate::Outcome;

/// Settings of a run.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// How often, in the unit of the scenario; it has a number of its own unless said.
    pub(crate) rounds: Option<u64>,
    /// The stores to torture; all unless said.
    pub(crate) stores: Vec<StoreKind>,
    /// Where chance begins.
    pub(crate) seed: u64,
    /// Whether the figures go into the document.
    pub(crate) write: bool,
}

pub(crate) const HELP: &str = "[--rounds N] [--store sled|redb] [--seed S] [--write]";

impl Options {
    pub(crate) fn parse(words: &[String]) -> Outcome<Self> {
        let mut options = Self { rounds: None, stores: StoreKind::ALL.into(), seed: 1, write: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--rounds" => options.rounds = Some(value()?.parse()?),
                "--store" => options.stores = vec![value()?.parse()?],
                "--seed" => options.seed = value()?.parse()?,
                "--write" => options.write = true,
                _ => return Err(format!("'{word}' is not known; say {HELP}").into()),
            }
        }
        Ok(options)
    }

    pub(crate) fn rounds_or(&self, usual: u64) -> u64 {
        self.rounds.unwrap_or(usual)
    }
}
