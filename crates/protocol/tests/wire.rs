//! What the types read and write, where serde's defaults would get it wrong.

#![allow(clippy::unwrap_used)]

use natterjack_protocol::channel_state::ChannelStateResponse;
use natterjack_protocol::channel_types::ListChannelTypesResponse;
use natterjack_protocol::channels::{GetOrCreateChannelRequest, QueryChannelsRequest, UpdateChannelRequest};
use natterjack_protocol::members::ChannelMemberRequest;
use natterjack_protocol::members::QueryMembersPayload;
use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::messages::{GetRepliesQuery, MessageRequest, SendMessage, SendMessageRequest};
use natterjack_protocol::users::{UpdateUsersRequest, UserResponse};
use natterjack_protocol::{
    CommaList, JsonList, Method, Operation, QueryParam, QueryParams, SortParam, Timestamp,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn refusal<T: DeserializeOwned + std::fmt::Debug>(value: Value) -> String {
    serde_json::from_value::<T>(value).unwrap_err().to_string()
}

fn write(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn null_lists_and_maps_are_empty() {
    let request: QueryChannelsRequest = read(json!({
        "sort": null, "filter_conditions": null, "member_custom_include": null, "sort_values": null,
    }));
    assert_eq!(request, QueryChannelsRequest::default());
    let request: MessageRequest = read(json!({"attachments": null, "mentioned_users": null, "custom": null}));
    assert_eq!(request, MessageRequest::default());
    let reply: MessageResponse =
        read(json!({"attachments": null, "reaction_counts": null, "reaction_groups": {"like": null}}));
    assert_eq!(reply, MessageResponse::default());
    let reply: ListChannelTypesResponse = read(json!({"channel_types": {"team": null}}));
    assert!(reply.channel_types.is_empty());
    let payload: QueryMembersPayload = read(json!({"type": "team", "filter_conditions": null}));
    assert!(payload.filter_conditions.is_empty());
}

#[test]
fn required_lists_and_maps_of_replies_are_written_when_empty() {
    let state = json!({"members": [], "messages": [], "pinned_messages": [], "threads": []});
    assert_eq!(write(&ChannelStateResponse::default()), state);
    let message = write(&MessageResponse::default());
    for list in
        ["attachments", "latest_reactions", "own_reactions", "mentioned_users", "restricted_visibility"]
    {
        assert_eq!(message[list], json!([]), "{list}");
    }
    for map in ["custom", "reaction_counts", "reaction_scores", "reaction_groups"] {
        assert_eq!(message[map], json!({}), "{map}");
    }
    assert_eq!(message.get("channel"), None);
    assert_eq!(message.get("deleted_at"), None);
}

#[test]
fn requests_write_only_what_is_set() {
    assert_eq!(write(&QueryChannelsRequest::default()), json!({}));
    assert_eq!(write(&GetOrCreateChannelRequest::default()), json!({}));
    assert_eq!(write(&SendMessageRequest::default()), json!({"message": {}}));
}

#[test]
fn absent_and_empty_differ_where_an_update_needs_it() {
    let request: UpdateChannelRequest = read(json!({"add_members": [{"user_id": "jane"}]}));
    assert_eq!(request.data, None);
    let request: UpdateChannelRequest =
        read(json!({"data": {"custom": {}, "filter_tags": [], "config_overrides": {}}}));
    let data = request.data.unwrap();
    assert!(data.custom.unwrap().is_empty());
    assert_eq!(data.filter_tags, Some(Vec::new()));
    assert!(data.config_overrides.is_some());
    assert_eq!(data.members, None);
}

#[test]
fn sort_is_a_list_or_a_map_in_its_own_order() {
    let expected = vec![SortParam::descending("updated_at"), SortParam::ascending("created_at")];
    let list: QueryChannelsRequest = read(json!({"sort": [
        {"field": "updated_at", "direction": -1}, {"field": "created_at", "direction": 1},
    ]}));
    assert_eq!(list.sort, expected);
    let map: QueryChannelsRequest = read(json!({"sort": {"updated_at": -1, "created_at": 1}}));
    assert_eq!(map.sort, expected);
    assert!(
        refusal::<QueryChannelsRequest>(json!({"sort": "name"})).contains("a list of {field, direction}")
    );
}

#[test]
fn unknown_fields_are_ignored() {
    let message: MessageRequest =
        read(json!({"text": "hello", "mood": "fine", "attachments": [{"mood": 1}]}));
    assert_eq!(message.text.as_deref(), Some("hello"));
    assert!(message.custom.is_empty());
    assert!(message.attachments[0].custom.is_empty());
    let user: UserResponse = read(json!({"id": "jane", "mood": "fine"}));
    assert_eq!(user.id, "jane");
}

#[test]
fn a_missing_required_field_is_named() {
    assert!(refusal::<SendMessageRequest>(json!({})).contains("missing field `message`"));
    assert!(refusal::<UpdateUsersRequest>(json!({})).contains("missing field `users`"));
    assert!(refusal::<UpdateUsersRequest>(json!({"users": {"jane": {}}})).contains("missing field `id`"));
    assert!(
        refusal::<QueryMembersPayload>(json!({"filter_conditions": {}})).contains("missing field `type`")
    );
    assert!(
        refusal::<QueryMembersPayload>(json!({"type": "team"})).contains("missing field `filter_conditions`")
    );
}

#[test]
fn timestamps_are_read_in_both_forms_and_written_as_integers() {
    let moment = Timestamp::from_nanoseconds(1_728_987_120_402_858_186);
    for form in [json!("2024-10-15T10:12:00.402858186Z"), json!(1_728_987_120_402_858_186_i64)] {
        let message: MessageRequest = read(json!({"pin_expires": form}));
        assert_eq!(message.pin_expires, Some(moment));
        assert_eq!(write(&message), json!({"pin_expires": 1_728_987_120_402_858_186_i64}));
    }
}

#[test]
fn a_type_travels_under_its_own_name() {
    let message = MessageResponse { kind: "regular".to_owned(), ..MessageResponse::default() };
    assert_eq!(write(&message)["type"], "regular");
    assert_eq!(write(&message).get("kind"), None);
}

#[test]
fn query_parameters_come_back() {
    let pairs = [
        ("limit", "2"),
        ("sort", r#"{"field":"created_at","direction":-1}"#),
        ("member_custom_include", "colour,size"),
        ("id_lt", ""),
        ("api_key", "k"),
    ];
    let query = GetRepliesQuery::decode(pairs.into_iter()).unwrap();
    assert_eq!(query.limit, Some(2));
    assert_eq!(query.sort.0, [SortParam::descending("created_at")]);
    assert_eq!(query.member_custom_include.0, ["colour", "size"]);
    assert_eq!(query.id_lt, None);
    let written = query.encode();
    let again = GetRepliesQuery::decode(written.iter().map(|(name, text)| (*name, text.as_str()))).unwrap();
    assert_eq!(again, query);
    let error = GetRepliesQuery::decode([("limit", "two")].into_iter()).unwrap_err();
    assert_eq!(error.name, "limit");
}

#[test]
fn lists_in_a_query_may_be_json_or_separated_by_commas() {
    let ids = |text: &str| CommaList::decode(text).unwrap().0;
    for form in ["a,b", "a,,b", r#"["a","b"]"#] {
        assert_eq!(ids(form), ["a", "b"], "{form}");
    }
    assert_eq!(ids("[a,b"), ["[a", "b"]);
    assert_eq!((ids("").len(), ids("[]").len()), (0, 0));
    let sort = |text: &str| JsonList::<SortParam>::decode(text).unwrap().0;
    for form in [r#"[{"field":"created_at"},{}]"#, r#"{"field":"created_at"},{}"#] {
        assert_eq!(sort(form).len(), 2, "{form}");
    }
    for form in ["", "[]", "null"] {
        assert!(sort(form).is_empty(), "{form}");
    }
}

#[test]
fn sending_a_message_is_the_call_that_must_not_be_repeated() {
    use natterjack_protocol::{channels, messages, reactions, reads, users};

    assert_eq!((SendMessage::METHOD, SendMessage::REPEATABLE), (Method::Post, false));
    let repeatable = [
        users::UpdateUsers::REPEATABLE,
        channels::GetOrCreateChannel::REPEATABLE,
        channels::GetOrCreateDistinctChannel::REPEATABLE,
        channels::QueryChannels::REPEATABLE,
        channels::UpdateChannel::REPEATABLE,
        messages::UpdateMessage::REPEATABLE,
        messages::DeleteMessage::REPEATABLE,
        reactions::SendReaction::REPEATABLE,
        reads::MarkRead::REPEATABLE,
    ];
    assert_eq!(repeatable, [true; 9]);
}

#[test]
fn a_member_entry_may_be_a_bare_user_id() {
    let entries: Vec<ChannelMemberRequest> =
        serde_json::from_str(r#"["jane", {"user_id": "joe", "channel_role": "x"}]"#).unwrap();
    assert_eq!(entries[0], ChannelMemberRequest::new("jane"));
    assert_eq!(entries[1].channel_role.as_deref(), Some("x"));
    assert_eq!(serde_json::to_string(&entries[0]).unwrap(), r#"{"user_id":"jane"}"#);
    assert!(serde_json::from_str::<ChannelMemberRequest>("7").is_err());
    let by_object = r#"{"user_id":null,"user":{"id":"ann","custom":{"a":1}}}"#;
    let by_object: ChannelMemberRequest = serde_json::from_str(by_object).unwrap();
    assert_eq!((by_object.id(), entries[1].id()), ("ann", "joe"));
    assert_eq!(serde_json::to_string(&by_object).unwrap(), r#"{"user":{"id":"ann","custom":{"a":1}}}"#);
}
