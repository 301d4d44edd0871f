//! What ends a step: a sentence for the person at the terminal.

use std::fmt;

/// The result of a step.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a step could not finish.
#[derive(Debug)]
pub(crate) struct Failure {
    sentence: String,
    told: bool,
}

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), told: false }
    }

    /// A failure whose story is already on the screen: nothing more is printed.
    pub(crate) fn already_told() -> Self {
        Self { sentence: String::from("failed, see above"), told: true }
    }

    pub(crate) fn is_told(&self) -> bool {
        self.told
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.sentence)
    }
}

impl std::error::Error for Failure {}

/// Turns any error into a failure that says what was being done.
pub(crate) trait During<T> {
    fn during(self, what: &str) -> Outcome<T>;
}

impl<T, E: fmt::Display> During<T> for Result<T, E> {
    fn during(self, what: &str) -> Outcome<T> {
        self.map_err(|error| Failure::new(format!("{what}: {error}")))
    }
}
