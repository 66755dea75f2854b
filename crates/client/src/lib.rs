//! SDK for servers that speak the Stream Chat API: Natterjack and the hosted service.
//!
//! ```no_run
//! use natterjack_client::Client;
//! use natterjack_client::protocol::messages::{MessageRequest, SendMessageRequest};
//!
//! # async fn run() -> Result<(), natterjack_client::Error> {
//! let client = Client::builder("key", "secret").base_url("http://localhost:8080").build()?;
//! let message = MessageRequest {
//!     id: Some("order-4711".to_owned()),
//!     text: Some("Your parcel is on its way.".to_owned()),
//!     user_id: Some("shop".to_owned()),
//!     ..Default::default()
//! };
//! let request = SendMessageRequest { message, ..Default::default() };
//! let sent = client.chat().send_message("messaging", "general", request).await?;
//! println!("{} took {}", sent.message.id, sent.duration);
//! # Ok(())
//! # }
//! ```
//!
//! # How methods are called
//! A method has the name of the API's operation and lives on [`Client::chat`] or [`Client::common`]. It takes:
//!
//! 1. what stands in the path, in that order, as text: channel type, channel id, message id, …;
//! 2. one struct with everything else, which has a `Default`: the body of a POST, the query parameters of a GET or
//!    DELETE. Operations that wrap everything in a `payload` parameter take the payload itself.
//!
//! It gives a [`Reply`], which reads like the operation's answer and also holds the server's `duration` and what is left
//! of the rate limit, or an [`Error`]. Operations without a method go through [`Client::call`].
//!
//! The types come from [`protocol`]: times in answers are nanoseconds since the Unix epoch
//! ([`protocol::Timestamp`]), custom data is [`protocol::Custom`].
//!
//! # Who acts
//! With an API secret the client is a server: it may do everything, and calls on behalf of a user name the user
//! (`user_id`). With [`ClientBuilder::token`] it is the token's user. [`token`] makes tokens.
//!
//! # What is repeated
//! Failed calls are made again as [`RetryPolicy`] says, at most three times in all by default, and never when that could
//! do something twice. Sending a message is such a call unless the message has an id: see [`Chat::send_message`].
//!
//! # Filters, sorts, pages
//! [`filter`] and [`sort`] build the conditions and orders of queries. Methods whose name ends in `_stream` fetch
//! page after page and give one entry at a time ([`Entries`]).

#![deny(missing_docs)]

mod chat;
mod client;
mod common;
mod config;
mod credentials;
mod error;
pub mod filter;
mod moderation;
mod pages;
mod permissions;
mod reply;
mod retry;
#[cfg(feature = "socket")]
pub mod socket;
pub mod sort;
pub mod state;
pub mod token;
mod transport;
mod url_text;

pub use natterjack_protocol as protocol;

pub use chat::Chat;
pub use client::Client;
pub use common::Common;
pub use config::{ClientBuilder, DEFAULT_BASE_URL, DEFAULT_TIMEOUT};
pub use error::{Error, TransportFailure};
pub use filter::Filter;
pub use moderation::Moderation;
pub use pages::Entries;
pub use reply::{RateLimit, Reply};
pub use retry::RetryPolicy;
pub use token::TokenOptions;
