//! Sockets: what it costs to have them and to reach them, beside a program that does nothing but write to sockets.

mod bare;
mod http;
mod outcome;
mod plan;
mod swarm;
mod wire;

pub use bare::serve as serve_bare;
pub use outcome::{FanOut, compare, write};
pub use plan::{STEPS, measure};
