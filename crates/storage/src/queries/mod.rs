//! Lists by a filter: of users, members and channels. Each module has the [`Schema`](natterjack_filter::Schema) to
//! parse filters and sort lists against, and the query.

mod channels;
mod members;
mod users;

pub use channels::{CHANNELS, ChannelQuery, needs_user};
pub use members::{MEMBERS, MemberQuery};
pub use users::{USERS, UserQuery};

use natterjack_filter::Operators;

/// `$eq $exists $gt $gte $in $lt $lte`.
const COMPARABLE: Operators = Operators::COMPARISON.union(Operators::IN).union(Operators::EXISTS);
/// `$eq $ne`.
const SAME: Operators = Operators::EQ.union(Operators::NE);
