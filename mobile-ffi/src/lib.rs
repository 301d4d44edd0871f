//! Kotlin, Swift and Python faces of the engine, by UniFFI. Reserved: this crate exports nothing yet.
#![warn(missing_docs)]
