//! The language seen from outside: what it reads, what it refuses, what it means.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod corpus;
mod evaluate;
mod parse;
mod properties;
mod sample;
mod sort;
