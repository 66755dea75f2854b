//! The running server seen from outside.

pub use xtask::postgres;
