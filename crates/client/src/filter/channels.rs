//! Fields of queries of channels, also those within a search.
//!
//! Fields marked *of the acting user* need one: with a server token the request names it by `user_id`.

use super::Field;
use super::field::fields;
use super::kinds::Anything;

fields! {
    /// Type and id, `type:id`.
    cid = "cid": Text;
    /// The id within the type.
    id = "id": Text;
    /// The channel type.
    kind = "type": Text;
    /// The team.
    team = "team": Text;
    /// The user who made the channel.
    created_by_id = "created_by_id": Text;
    /// Whether nobody may write.
    frozen = "frozen": Flag;
    /// How many members there are.
    member_count = "member_count": Number;
    /// How many messages there are.
    message_count = "message_count": Number;
    /// When the channel was made.
    created_at = "created_at": Time;
    /// When the channel itself was last changed.
    updated_at = "updated_at": Time;
    /// When the latest message was sent.
    last_message_at = "last_message_at": Time;
    /// The later of creation and latest message.
    last_updated = "last_updated": Time;
    /// Ids of the members: some of them, or exactly these.
    members = "members": Set;
    /// The name of any member.
    member_user_name = "member.user.name": Completed;
    /// The channel's name.
    name = "name": Name;
    /// Archived, of the acting user.
    archived = "archived": Flag;
    /// Blocked, of the acting user.
    blocked = "blocked": Flag;
    /// Switched off by the app.
    disabled = "disabled": Flag;
    /// Made for a fixed set of members.
    distinct = "distinct": Flag;
    /// Hidden, of the acting user.
    hidden = "hidden": Flag;
    /// Whether the acting user is a member.
    joined = "joined": Flag;
    /// Muted, of the acting user.
    muted = "muted": Flag;
    /// Pinned, of the acting user.
    pinned = "pinned": Flag;
    /// Whether the acting user has unread messages. Only `true` can be asked for.
    has_unread = "has_unread": Flag;
    /// The acting user's invitation: `pending`, `accepted` or `rejected`.
    invite = "invite": Choice;
    /// The acting user's role in the channel.
    channel_role = "channel_role": Word;
    /// Channels of two whose other member is banned from the app: `excluded` or `only`.
    app_banned = "app_banned": Choice;
    /// The channel's filter tags: some of them, or exactly these.
    filter_tags = "filter_tags": Set;
}

/// A field of the channel's custom data, dotted when nested.
pub fn custom(name: impl Into<String>) -> Field<Anything> {
    Field::named(name.into())
}
