//! The only crate that contains SQL: everything that is stored, on SQLite and on PostgreSQL.
//!
//! [`Store`] is the database. `store.read(…)` and `store.write(…)` are the only ways in; both hand out a [`Tx`], whose
//! methods are the storage operations, one module per aggregate. Each operation is written once for both databases;
//! where they need different words, [`Dialect`] has them.
//!
//! To add an operation, write a method on [`Tx`] named `verb_noun` after the question it answers, in the module of its
//! aggregate, with a bound on what it returns; add a case to the contract tests.

mod apps;
mod channels;
mod check;
mod dialect;
mod error;
mod events;
mod filter_sql;
mod members;
mod messages;
mod migrate;
mod postgres;
pub mod probe;
pub mod queries;
mod reactions;
mod reads;
mod search;
mod sqlite;
mod store;
mod tasks;
mod threads;
mod tx;
mod user_content;
mod users;
mod value;
mod word_function;

pub use apps::{App, NewApp};
pub use channels::{Advance, Advanced, Channel, ChannelChange, NewChannel};
pub use check::{Outcome, Report, Violation};
pub use dialect::Dialect;
pub use error::{Error, Result, Transient, error_chain};
pub use events::{ChannelEvent, UserEvent};
pub use members::{Member, NewMember};
pub use messages::{
    Counted, Message, MessageChange, MessageExtra, MessageKind, MessagePage, NewMessage, Pin, ReactionGroup,
    ReactionSummary, Visibility,
};
pub use queries::{ChannelQuery, MemberQuery, UserQuery};
pub use reactions::Reaction;
pub use reads::{ChannelUnread, ReadPosition, ThreadUnread};
pub use search::{Found, MESSAGES, SearchMode, SearchQuery};
pub use sqlite::OpFuture;
pub use store::{DatabaseUrl, Store};
pub use tasks::{Lease, NewTask, Task, TaskError, TaskStatus};
pub use threads::{Thread, ThreadParticipant};
pub use tx::Tx;
pub use user_content::MessageKey;
pub use users::{Deletion, User, UserChange};
