//! Lists by a filter: of users, members, channels and threads. Each module has the [`Schema`](natterjack_filter::Schema) to
//! parse filters and sort lists against, and the query.

mod channels;
mod members;
mod threads;
mod users;

pub use channels::{CHANNELS, ChannelQuery, needs_user};
pub use members::{MEMBERS, MemberQuery};
pub use threads::{ListedThread, THREADS, ThreadQuery};
pub use users::{USERS, UserQuery};

use natterjack_filter::Operators;

/// `$eq $exists $gt $gte $in $lt $lte`.
const COMPARABLE: Operators = Operators::COMPARISON.union(Operators::IN).union(Operators::EXISTS);
/// `$eq $ne`.
const SAME: Operators = Operators::EQ.union(Operators::NE);
