//! The built-in types of events.

/// To whom an event goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receivers {
    /// Connections that watch the channel.
    Watchers,
    /// Connections of members that do not watch the channel.
    OtherMembers,
    /// Connections of the user whom it concerns.
    Own,
    /// Connections of the user whom it concerns that do not watch the channel.
    OwnNotWatching,
    /// Connections of those who take part in the thread that do not watch the channel.
    OtherParticipants,
    /// Connections that asked for the user's presence, and the user's own.
    Presence,
    /// All connections of the app.
    Everybody,
    /// The connection itself.
    Connection,
    /// Nobody who is connected: the app's own servers only.
    Servers,
}

/// A built-in type of event.
#[derive(Debug, Clone, Copy)]
pub struct EventKind {
    /// The type, such as `message.new`.
    pub name: &'static str,
    /// To whom it goes.
    pub receivers: Receivers,
    /// Whether `/sync` repeats it. What it does not repeat is gone when nobody is connected.
    pub is_history: bool,
    /// What it looks like, as JSON; only fields that belong to this type.
    pub example: &'static str,
}

macro_rules! kinds {
    ($($name:literal $receivers:ident $($history:ident)? $example:literal;)*) => {
        /// Every built-in type of event, in the order of the alphabet.
        pub const KINDS: &[EventKind] = &[$(EventKind {
            name: $name,
            receivers: Receivers::$receivers,
            is_history: kinds!(@history $($history)?),
            example: $example,
        }),*];
    };
    (@history history) => { true };
    (@history) => { false };
}

kinds! {
    "ai_indicator.clear" Watchers r#"{"user":{"id":"bot"},"message_id":"m1"}"#;
    "ai_indicator.stop" Watchers r#"{"user":{"id":"jane"},"message_id":"m1"}"#;
    "ai_indicator.update" Watchers r#"{"user":{"id":"bot"},"message_id":"m1","custom":{"ai_state":"AI_STATE_THINKING"}}"#;
    "app.updated" Everybody r#"{"app":{"name":"Garden","multi_tenant_enabled":true}}"#;
    "channel.created" Own history r#"{"channel":{"cid":"messaging:general"},"user":{"id":"jane"}}"#;
    "channel.deleted" Watchers history r#"{"channel":{"cid":"messaging:general"}}"#;
    "channel.hidden" Own history r#"{"channel":{"cid":"messaging:general"},"user":{"id":"jane"},"clear_history":true}"#;
    "channel.muted" Servers r#"{"user":{"id":"jane"}}"#;
    "channel.truncated" Watchers history r#"{"channel":{"cid":"messaging:general"},"message":{"id":"m1"}}"#;
    "channel.unmuted" Servers r#"{"user":{"id":"jane"}}"#;
    "channel.updated" Watchers history r#"{"channel":{"cid":"messaging:general"},"user":{"id":"jane"},"message":{"id":"m1"}}"#;
    "channel.visible" Own history r#"{"channel":{"cid":"messaging:general"},"user":{"id":"jane"}}"#;
    "connection.error" Connection r#"{"connection_id":"","error":{"code":40,"message":"Token is expired"}}"#;
    "health.check" Connection r#"{"connection_id":"c1","cid":"*","me":{"id":"jane","total_unread_count":2}}"#;
    "member.added" Watchers history r#"{"channel":{"cid":"messaging:general"},"member":{"user_id":"joe"},"user":{"id":"joe"}}"#;
    "member.removed" Watchers history r#"{"channel":{"cid":"messaging:general"},"member":{"user_id":"joe"},"user":{"id":"joe"}}"#;
    "member.updated" Watchers history r#"{"channel":{"cid":"messaging:general"},"member":{"user_id":"joe"},"user":{"id":"joe"}}"#;
    "message.deleted" Watchers history r#"{"message":{"id":"m1","type":"deleted"},"user":{"id":"jane"},"hard_delete":false}"#;
    "message.delivered" Watchers r#"{"user":{"id":"joe"},"last_delivered_at":1,"last_delivered_message_id":"m1"}"#;
    "message.flagged" Servers r#"{"message":{"id":"m1"},"user":{"id":"joe"},"reason":"spam"}"#;
    "message.new" Watchers history r#"{"message":{"id":"m1","text":"hello"},"user":{"id":"jane"},"watcher_count":2,"total_unread_count":1,"unread_channels":1,"unread_count":1}"#;
    "message.read" Watchers history r#"{"user":{"id":"joe"},"last_read_message_id":"m1"}"#;
    "message.undeleted" Watchers history r#"{"message":{"id":"m1"},"user":{"id":"jane"}}"#;
    "message.updated" Watchers history r#"{"message":{"id":"m1"},"user":{"id":"jane"},"message_update":{"change_set":{"text":true}}}"#;
    "notification.added_to_channel" OwnNotWatching history r#"{"channel":{"cid":"messaging:general"},"member":{"user_id":"joe"}}"#;
    "notification.channel_deleted" OtherMembers r#"{"channel":{"cid":"messaging:general"},"total_unread_count":0}"#;
    "notification.channel_mutes_updated" Own r#"{"me":{"id":"jane"}}"#;
    "notification.channel_truncated" OtherMembers r#"{"channel":{"cid":"messaging:general"},"total_unread_count":0}"#;
    "notification.invite_accepted" OwnNotWatching r#"{"channel":{"cid":"messaging:general"},"member":{"user_id":"joe"},"user":{"id":"joe"}}"#;
    "notification.invite_rejected" OwnNotWatching r#"{"channel":{"cid":"messaging:general"},"member":{"user_id":"joe"},"user":{"id":"joe"}}"#;
    "notification.invited" OwnNotWatching r#"{"channel":{"cid":"messaging:general"},"member":{"user_id":"joe"},"user":{"id":"joe"}}"#;
    "notification.mark_read" Own history r#"{"user":{"id":"joe"},"channel":{"cid":"messaging:general"},"last_read_message_id":"m1","total_unread_count":0,"unread_channels":0,"unread_count":0}"#;
    "notification.mark_unread" Own r#"{"user":{"id":"joe"},"first_unread_message_id":"m1","last_read_at":1,"unread_messages":1,"total_unread_count":1}"#;
    "notification.message_new" OtherMembers r#"{"channel":{"cid":"messaging:general"},"message":{"id":"m1"},"total_unread_count":1,"unread_channels":1,"unread_count":1}"#;
    "notification.mutes_updated" Own r#"{"me":{"id":"jane"}}"#;
    "notification.removed_from_channel" OwnNotWatching history r#"{"channel":{"cid":"messaging:general"},"member":{"user_id":"joe"},"user":{"id":"joe"}}"#;
    "notification.thread_message_new" OtherParticipants r#"{"message":{"id":"m2","parent_id":"m1"},"thread_id":"m1","unread_threads":1,"unread_thread_messages":1}"#;
    "reaction.deleted" Watchers history r#"{"message":{"id":"m1"},"reaction":{"type":"like"},"user":{"id":"joe"}}"#;
    "reaction.new" Watchers history r#"{"message":{"id":"m1"},"reaction":{"type":"like"},"user":{"id":"joe"}}"#;
    "reaction.updated" Watchers history r#"{"message":{"id":"m1"},"reaction":{"type":"like"},"user":{"id":"joe"}}"#;
    "thread.updated" Watchers r#"{"thread":{"parent_message_id":"m1","title":"lunch"},"user":{"id":"jane"}}"#;
    "typing.start" Watchers r#"{"user":{"id":"jane"},"parent_id":"m1"}"#;
    "typing.stop" Watchers r#"{"user":{"id":"jane"}}"#;
    "user.banned" Own r#"{"user":{"id":"joe"},"created_by":{"id":"jane"},"reason":"spam","shadow":false}"#;
    "user.deactivated" Presence r#"{"user":{"id":"joe"},"created_by":{"id":"jane"}}"#;
    "user.deleted" Presence r#"{"user":{"id":"joe"},"hard_delete":false,"delete_user":"soft"}"#;
    "user.flagged" Servers r#"{"user":{"id":"joe"},"reason":"spam"}"#;
    "user.messages.deleted" Watchers r#"{"user":{"id":"joe"},"hard_delete":false,"soft_delete":true}"#;
    "user.muted" Servers r#"{"user":{"id":"jane"}}"#;
    "user.presence.changed" Presence r#"{"user":{"id":"joe","online":true}}"#;
    "user.reactivated" Presence r#"{"user":{"id":"joe"},"created_by":{"id":"jane"}}"#;
    "user.unbanned" Own r#"{"user":{"id":"joe"}}"#;
    "user.unmuted" Servers r#"{"user":{"id":"jane"}}"#;
    "user.updated" Presence r#"{"user":{"id":"joe"}}"#;
    "user.watching.start" Watchers r#"{"user":{"id":"joe"},"watcher_count":2}"#;
    "user.watching.stop" Watchers r#"{"user":{"id":"joe"},"watcher_count":1}"#;
}

/// First parts of the names of events that no app may use for its own, beside those of [`KINDS`].
const RESERVED_PREFIXES: [&str; 20] = [
    "ai_indicator.",
    "app.",
    "call.",
    "campaign.",
    "channel.",
    "channel_batch_update.",
    "connection.",
    "custom.",
    "draft.",
    "export.",
    "health.",
    "member.",
    "message.",
    "moderation.",
    "notification.",
    "poll.",
    "reaction.",
    "reminder.",
    "typing.",
    "user.",
];

/// Whether a type is one of the API's, so that an app cannot use it for events of its own.
pub fn is_built_in(kind: &str) -> bool {
    KINDS.iter().any(|known| known.name == kind)
        || RESERVED_PREFIXES.iter().any(|prefix| kind.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Event, MessageChangeSet, MessageUpdate};
    use super::{KINDS, is_built_in};

    #[test]
    fn examples_decode_and_hold_no_field_that_an_event_does_not_have() {
        for kind in KINDS {
            let mut example: Value = serde_json::from_str(kind.example).expect(kind.name);
            example["type"] = json!(kind.name);
            let event: Event = serde_json::from_value(example.clone()).expect(kind.name);
            let written = serde_json::to_value(&event).expect(kind.name);
            for name in example.as_object().into_iter().flat_map(|fields| fields.keys()) {
                assert!(written.get(name).is_some(), "{} lost {name}", kind.name);
            }
        }
    }

    #[test]
    fn every_event_is_written_and_read_in_the_encoding_of_sockets() {
        for kind in KINDS {
            let event: Event = serde_json::from_str(kind.example).expect(kind.name);
            let written = crate::v1::to_value(&event).expect(kind.name);
            let read: Event = crate::v1::from_value(written).expect(kind.name);
            assert_eq!(read.message_update, event.message_update, "{}", kind.name);
        }
        let change_set = MessageChangeSet { custom: true, ..MessageChangeSet::default() };
        let message_update = Some(MessageUpdate { old_text: None, change_set: Some(change_set) });
        let event = Event { message_update, ..Event::default() };
        let written = crate::v1::to_value(&event).expect("is written");
        assert_eq!(written["message_update"]["change_set"]["custom"], true);
    }

    #[test]
    fn kinds_stand_in_the_order_of_the_alphabet() {
        assert!(KINDS.iter().is_sorted_by(|one, other| one.name < other.name));
    }

    #[test]
    fn names_of_the_api_are_not_for_apps() {
        assert!(is_built_in("message.new"));
        assert!(is_built_in("notification.whatever"));
        assert!(!is_built_in("friendship_request"));
    }
}
