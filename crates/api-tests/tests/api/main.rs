//! Every operation, from outside. A file per resource, named like those in `server/src/api/`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod messages;
