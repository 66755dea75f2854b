//! Lists by a filter: of users, members, channels, reactions, threads, bans, flags and the history of messages. Each module has the
//! [`Schema`](natterjack_filter::Schema) to
//! parse filters and sort lists against, and the query.

mod bans;
mod channels;
mod flag_reports;
mod flags;
mod history;
mod members;
mod page;
mod reactions;
mod threads;
mod users;
mod within_reach;

pub use bans::{BANS, BanQuery, FutureBanQuery};
pub use channels::{CHANNELS, ChannelQuery, needs_user};
pub use flag_reports::{FLAG_REPORTS, FlagReport, FlagReportQuery};
pub use flags::{FLAGS, FlagQuery};
pub use history::{MESSAGE_HISTORY, MessageHistoryKey, MessageHistoryQuery};
pub use members::{MEMBERS, MemberQuery};
pub use page::{Key, KeyPage, Page, PageStart};
pub use reactions::{REACTIONS, ReactionKey, ReactionQuery};
pub use threads::{ListedThread, THREADS, ThreadQuery};
pub use users::{USERS, UserQuery};
pub use within_reach::WithinReach;

use natterjack_filter::Operators;

/// `$eq $exists $gt $gte $in $lt $lte`.
const COMPARABLE: Operators = Operators::COMPARISON.union(Operators::IN).union(Operators::EXISTS);
/// Every operator.
const CUSTOM: Operators = COMPARABLE
    .union(Operators::NE)
    .union(Operators::NIN)
    .union(Operators::CONTAINS)
    .union(Operators::AUTOCOMPLETE)
    .union(Operators::Q);
/// `$eq $ne`.
const SAME: Operators = Operators::EQ.union(Operators::NE);
