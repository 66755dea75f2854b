//! The running server seen from outside: a harness that starts a real server for each test.
//!
//! [`TestServer`] is a server on a free port with a database of its own and a clock that stands still until it is
//! moved. [`both_databases!`] makes two tests of one function, on SQLite and on PostgreSQL.

mod pairs;
mod raw;
mod server;
mod socket;

pub use raw::{RawReply, RawRequest, json_within_json};
pub use server::{Database, TestServer};
pub use socket::{Socket, SocketRequest};
pub use xtask::postgres;

/// A change of the database by which something fails, for [`TestServer::damage`].
#[macro_export]
macro_rules! fault {
    ($name:literal) => {
        [
            include_str!(concat!("../../../storage/tests/faults/sqlite/", $name, ".sql")),
            include_str!(concat!("../../../storage/tests/faults/postgres/", $name, ".sql")),
        ]
    };
}

/// Declares tests that run on each database: `sqlite::name` and `postgres::name`.
///
/// ```no_run
/// # use natterjack_api_tests::{TestServer, both_databases};
/// both_databases! {
///     async fn a_new_server_has_no_users(server: TestServer) {
///         let found = server.client().common().query_users(Default::default()).await.unwrap();
///         assert!(found.users.is_empty());
///     }
/// }
/// ```
#[macro_export]
macro_rules! both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($server:ident: TestServer) $body:block)*) => {
        $(#[allow(dead_code)] async fn $name($server: &$crate::TestServer) $body)*

        mod sqlite {
            $(#[test] $(#[$meta])* fn $name() {
                $crate::TestServer::run($crate::Database::Sqlite, async |server| super::$name(server).await);
            })*
        }

        mod postgres {
            $(#[test] $(#[$meta])* fn $name() {
                $crate::TestServer::run($crate::Database::Postgres, async |server| super::$name(server).await);
            })*
        }
    };
}
