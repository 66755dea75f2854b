//! The HTTP edge: who calls, what is asked, and how the answer is written. The rules are in `actions`.

mod app;
mod bans;
mod blocks;
mod channel_types;
mod channels;
mod cors;
mod demo;
mod endpoint;
mod events;
mod flags;
mod health;
mod members;
mod messages;
mod mutes;
mod predefined_filters;
mod rate_limits;
mod reactions;
mod reads;
mod reply;
mod roles;
mod router;
mod search;
mod tasks;
mod threads;
mod user_mutes;
mod users;

pub use endpoint::Edge;
pub(crate) use endpoint::{Call, check_user, header_text, identify, number_header, query_pairs};
pub(crate) use reply::{error_body, failure};
pub use router::{operations, router};
