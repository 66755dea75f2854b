//! The only crate that contains SQL: everything that is stored, on SQLite and on PostgreSQL.
//!
//! [`Store`] is the database. `store.read(…)` and `store.write(…)` are the only ways in; both hand out a [`Tx`], whose
//! methods are the storage operations, one module per aggregate. Each operation is written once for both databases;
//! where they need different words, [`Dialect`] has them.
//!
//! To add an operation, write a method on [`Tx`] named `verb_noun` after the question it answers, in the module of its
//! aggregate, with a bound on what it returns; add a case to the contract tests.

mod apps;
mod bans;
mod blocks;
mod channel_types;
mod channels;
mod check;
mod dialect;
mod error;
mod events;
mod fill;
mod filter_sql;
mod flags;
mod history;
mod members;
mod messages;
mod migrate;
mod mutes;
mod pins;
mod postgres;
mod predefined_filters;
pub mod probe;
mod purges;
pub mod queries;
mod reactions;
mod reads;
mod roles;
mod search;
mod sqlite;
mod statistics;
mod store;
mod tasks;
mod threads;
mod transfer;
mod truncation;
mod tx;
mod unread;
mod user_content;
mod user_mutes;
mod users;
mod value;
mod word_function;

pub use apps::{App, NewApp};
pub use bans::{Ban, BanKind, WHOLE_APP};
pub use blocks::{BlockChange, UserBlock};
pub use channels::{Advance, Advanced, Channel, ChannelChange, NewChannel};
pub use check::{Outcome, Report, Violation};
pub use dialect::Dialect;
pub use error::{Error, Result, Transient, error_chain};
pub use events::{ChannelEvent, LogEntry, Moved, UserEvent};
pub use flags::{Flag, FlagTarget, Review};
pub use history::{MessageHistoryEntry, ToldChange, VersionEnd};
pub use members::{Member, MemberChange, NewMember, RemovedMember};
pub use messages::{
    Counted, Message, MessageChange, MessageExtra, MessageKind, MessagePage, NewMessage, Pin, ReactionGroup,
    ReactionSummary, Reactor, Visibility,
};
pub use mutes::ChannelMute;
pub use purges::PurgeKind;
pub use queries::{ChannelQuery, MemberQuery, ThreadQuery, UserQuery};
pub use reactions::Reaction;
pub use reads::{
    ChannelUnread, ReadPosition, ThreadUnread, UnreadChannels, UnreadGroup, UnreadQuery, UnreadThreads,
    UnreadTotals,
};
pub use roles::{CustomPermissionRow, Role};
pub use search::{Found, Indexed, KnownWords, MESSAGES, SearchMode, SearchQuery};
pub use sqlite::OpFuture;
pub use store::{DatabaseUrl, Listener, Store, Turn};
pub use tasks::{Lease, NewTask, Task, TaskError, TaskStatus};
pub use threads::{Thread, ThreadParticipant, ThreadReadPosition};
pub use transfer::{Phase, Step, TableChecksum};
pub use tx::Tx;
pub use user_content::MessageKey;
pub use user_mutes::{SpanKey, UserMute};
pub use users::{Deletion, Presence, User, UserChange, name_key};
