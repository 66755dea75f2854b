//! The parts of the chores that other crates use as a library.
//!
//! [`postgres`] runs a private PostgreSQL for tests and benchmarks; [`tidy`] checks the house rules that
//! a machine can check. The program itself (`cargo xtask`) is `main.rs`.
//!
//! **Invariant:** this crate depends on no other crate of the workspace, so the chores build and run
//! while the server does not compile.

pub mod postgres;
pub mod tidy;

use std::path::{Path, PathBuf};

/// The root folder of the workspace.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}
