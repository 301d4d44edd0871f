//! Links between devices on one network (libp2p, discovery). Reserved: this crate exports nothing yet.
#![warn(missing_docs)]
