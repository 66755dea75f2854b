use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::QueryParams;

/// HTTP method of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, updates or queries.
    Post,
    /// Replaces or partially updates.
    Put,
    /// Partially updates.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// The method as it is written in a request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The HTTP status of a success: 201 for POST and PUT, also when they only query; 200 for the others.
    pub const fn success_status(self) -> u16 {
        match self {
            Self::Post | Self::Put => 201,
            Self::Get | Self::Patch | Self::Delete => 200,
        }
    }

    /// Whether repeating the call has the same effect as making it once, by the method alone.
    pub const fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One call of the API: what it is called, where it lives, what it takes and what it answers.
///
/// Declared with [`operation!`](crate::operation!) next to the types that it uses.
pub trait Operation: Send + Sync + 'static {
    /// The name in SDKs and in lists of operations: `send_message`.
    const ID: &'static str;
    /// The name in error messages: `SendMessage`.
    const NAME: &'static str;
    /// The HTTP method.
    const METHOD: Method;
    /// The path from the root, with `{name}` for each parameter: `/api/v2/chat/messages/{id}`.
    const PATH: &'static str;
    /// The path in version 1 of the API: the same without its prefix, unless the operation says otherwise.
    const V1_PATH: &'static str;
    /// Whether the call may be repeated when the outcome of the first is not known.
    const REPEATABLE: bool;
    /// Whether only servers of the app's owner may call it, never its users.
    const SERVER_SIDE_ONLY: bool;
    /// Parameters in the path.
    type Path: PathParams;
    /// Parameters after the question mark.
    type Query: QueryParams;
    /// The JSON body.
    type Body: Serialize + DeserializeOwned + Default + Send;
    /// The JSON answer, without `duration`.
    type Response: Serialize + DeserializeOwned + Send;
}

/// A path of version 2 without what all of them begin with.
pub const fn without_prefix(path: &'static str) -> &'static str {
    match strip(path, "/api/v2/chat") {
        Some(rest) => rest,
        None => match strip(path, "/api/v2") {
            Some(rest) => rest,
            None => path,
        },
    }
}

/// What follows a prefix that ends before a slash.
const fn strip(path: &'static str, prefix: &str) -> Option<&'static str> {
    if path.len() <= prefix.len() {
        return None;
    }
    let (start, rest) = path.split_at(prefix.len());
    let (start, prefix) = (start.as_bytes(), prefix.as_bytes());
    let mut at = 0;
    while at < prefix.len() {
        if start[at] != prefix[at] {
            return None;
        }
        at += 1;
    }
    if rest.as_bytes()[0] == b'/' { Some(rest) } else { None }
}

/// Declares an [`Operation`]: a unit struct with the operation's name in CamelCase and the implementation.
///
/// `path`, `query` and `body` may be left out where the operation has none. `repeatable` says that a call may be
/// sent again without knowing the outcome of the first; GET, PUT, PATCH and DELETE are repeatable by themselves.
/// `server_side_only` keeps users of the app from calling it. `v1` is the path in version 1 where it is another one; an
/// operation whose path is not below `/api/v2` exists in version 1 only. `named` is the name in messages of an operation that
/// is another one in a second form, and counts as that.
#[macro_export]
macro_rules! operation {
    (
        $(#[$doc:meta])*
        $name:ident = $id:literal, $method:ident $path:literal,
        $(path: $path_type:ty,)? $(query: $query:ty,)? $(body: $body:ty,)? response: $response:ty
        $(, repeatable: $repeatable:literal)? $(, server_side_only: $server_side_only:literal)?
        $(, v1: $v1_path:literal)? $(, named: $named:literal)? $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl $crate::Operation for $name {
            const ID: &'static str = $id;
            const NAME: &'static str = $crate::operation!(@named $($named)?, $name);
            const METHOD: $crate::Method = $crate::Method::$method;
            const PATH: &'static str = $path;
            const V1_PATH: &'static str =
                $crate::operation!(@v1 $($v1_path)?, $path);
            const REPEATABLE: bool = $crate::Method::$method.is_idempotent() $(|| $repeatable)?;
            const SERVER_SIDE_ONLY: bool = false $(|| $server_side_only)?;
            type Path = $crate::operation!(@or $($path_type)?, $crate::NoPath);
            type Query = $crate::operation!(@or $($query)?, $crate::NoQuery);
            type Body = $crate::operation!(@or $($body)?, $crate::NoBody);
            type Response = $response;
        }
    };
    (@or $given:ty, $default:ty) => { $given };
    (@or , $default:ty) => { $default };
    (@named $named:literal, $name:ident) => { $named };
    (@named , $name:ident) => { stringify!($name) };
    (@v1 $v1_path:literal, $path:literal) => { $v1_path };
    (@v1 , $path:literal) => { $crate::without_prefix($path) };
}

/// The parameters in an operation's path, in the order in which they stand there.
pub trait PathParams: Sized + Send + fmt::Debug {
    /// Takes the decoded segments that stand where the path has parameters.
    /// `None` when their number is wrong.
    fn from_segments(segments: Vec<String>) -> Option<Self>;

    /// The values, not yet percent-encoded.
    fn segments(&self) -> Vec<&str>;
}

macro_rules! path_params {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident),* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: String,)* }

        impl PathParams for $name {
            fn from_segments(segments: Vec<String>) -> Option<Self> {
                let mut segments = segments.into_iter();
                $(let $field = segments.next()?;)*
                segments.next().is_none().then_some(Self { $($field),* })
            }

            fn segments(&self) -> Vec<&str> {
                vec![$(&self.$field),*]
            }
        }
    )* };
}

path_params! {
    /// A path without parameters.
    NoPath {}
    /// A path that names a channel type.
    ChannelTypePath {
        /// The channel type.
        kind
    }
    /// A path that names a member of a channel.
    MemberPath {
        /// The channel type.
        kind,
        /// The channel's id in its type.
        id,
        /// The member.
        user_id
    }
    /// A path that names a channel.
    ChannelPath {
        /// The channel's type.
        kind,
        /// The channel's id within the type.
        id
    }
    /// A path that names a message.
    MessagePath {
        /// The message's id.
        id
    }
    /// A path that names a thread.
    ThreadPath {
        /// The id of the message that the thread hangs on.
        message_id
    }
    /// A path that names the parent of a thread.
    ParentMessagePath {
        /// The parent message's id.
        parent_id
    }
    /// A path that names a stored filter.
    PredefinedFilterPath {
        /// The filter's name.
        name
    }
    /// A path that names a permission.
    PermissionPath {
        /// The permission's id.
        id
    }
    /// A path that names what was reported.
    ReportPath {
        /// The id of the report, which all reports of the same thing share.
        id
    }
    /// A path that names a role.
    RolePath {
        /// The role's name.
        name
    }
    /// A path that names a kind of reaction on a message.
    ReactionPath {
        /// The message's id.
        id,
        /// The reaction's type.
        kind
    }
    /// A path that names a task.
    TaskPath {
        /// The task's id.
        id
    }
    /// A path that names a user.
    UserPath {
        /// The user's id.
        user_id
    }
}

/// A call without query parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoQuery;

/// A call without a body. Any JSON is accepted and ignored: some clients send `null` or `{}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoBody;

impl Serialize for NoBody {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}

impl<'de> Deserialize<'de> for NoBody {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// The part of an answer that stands beside the reply: how long the server took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timed {
    /// A text such as `12.48ms`, for people to read.
    pub duration: String,
}
