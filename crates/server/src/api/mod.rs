//! The HTTP edge: who calls, what is asked, and how the answer is written. The rules are in `actions`.

mod app;
mod blocks;
mod channel_types;
mod channels;
mod endpoint;
mod events;
mod health;
mod members;
mod messages;
mod mutes;
mod predefined_filters;
mod reactions;
mod reads;
mod reply;
mod router;
mod search;
mod tasks;
mod threads;
mod users;

pub use endpoint::Edge;
pub(crate) use endpoint::{Call, check_user, header_text, identify, number_header, query_pairs};
pub(crate) use reply::{error_body, failure};
pub use router::{operations, router};
