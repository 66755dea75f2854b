//! The older encoding.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::sync::Arc;

use natterjack_protocol::channel_state::ChannelResponse;
use natterjack_protocol::channels::ChannelInput;
use natterjack_protocol::members::ChannelMemberResponse;
use natterjack_protocol::message_types::{Attachment, MessageResponse};
use natterjack_protocol::messages::{MessageRequest, SendMessageRequest};
use natterjack_protocol::own_user::OwnUserResponse;
use natterjack_protocol::reactions::{ReactionRequest, ReactionResponse};
use natterjack_protocol::threads::ThreadResponse;
use natterjack_protocol::users::{FullUserResponse, UserRequest, UserResponse};
use natterjack_protocol::{Custom, Timestamp, v1};
use serde_json::{Value, json};

fn written<T: serde::Serialize>(value: &T) -> Value {
    v1::to_value(value).unwrap()
}

#[test]
fn times_are_rfc_3339_without_trailing_zeros() {
    let time = |nanoseconds| written(&Timestamp::from_nanoseconds(nanoseconds));
    assert_eq!(time(1_728_987_120_402_858_186), "2024-10-15T10:12:00.402858186Z");
    assert_eq!(time(1_728_987_120_400_000_000), "2024-10-15T10:12:00.4Z");
    assert_eq!(time(1_728_987_120_000_000_000), "2024-10-15T10:12:00Z");
    let times: BTreeMap<String, Option<Timestamp>> =
        [("a".to_owned(), Some(Timestamp::from_nanoseconds(0))), ("b".to_owned(), None)].into();
    assert_eq!(written(&times), json!({ "a": "1970-01-01T00:00:00Z", "b": null }));
}

#[test]
fn custom_data_stands_beside_the_fields_at_every_depth() {
    let message = MessageResponse {
        id: "m1".to_owned(),
        user: Arc::new(UserResponse {
            id: "jane".to_owned(),
            custom: Custom::new().with("color", "red"),
            ..UserResponse::default()
        }),
        attachments: vec![Attachment {
            custom: Custom::new().with("size", json!({ "custom": 1 })),
            ..Attachment::default()
        }],
        custom: Custom::new().with("mood", json!(["good"])),
        ..MessageResponse::default()
    };
    let written = written(&message);
    assert_eq!(written["mood"], json!(["good"]));
    assert_eq!(written["user"]["color"], "red");
    assert_eq!(written["attachments"][0]["size"], json!({ "custom": 1 }));
    assert_eq!(written.get("custom"), None);
    assert_eq!(written["user"].get("custom"), None);
}

#[test]
fn custom_data_never_stands_in_for_a_field() {
    let custom = Custom::new().with("id", "other").with("text", "other").with("parent_id", "other");
    let message = MessageResponse {
        id: "m1".to_owned(),
        text: "hello".to_owned(),
        custom: custom.with("mood", "good"),
        ..MessageResponse::default()
    };
    let written = written(&message);
    assert_eq!(
        (&written["id"], &written["text"], &written["mood"]),
        (&json!("m1"), &json!("hello"), &json!("good"))
    );
    assert_eq!(written.get("parent_id"), None, "the message is no reply");
}

#[test]
fn no_reactions_are_null() {
    let mut message = MessageResponse::default();
    let text = written(&message);
    assert_eq!((&text["reaction_counts"], &text["reaction_scores"]), (&Value::Null, &json!({})));
    assert_eq!(serde_json::to_value(&message).unwrap()["reaction_counts"], json!({}));
    assert_eq!(v1::from_value::<MessageResponse>(text).unwrap(), message);
    message.reaction_counts.insert("like".to_owned(), 2);
    assert_eq!(written(&message)["reaction_counts"], json!({ "like": 2 }));
}

#[test]
fn threads_keep_their_custom_data_apart() {
    let thread = ThreadResponse { custom: Custom::new().with("color", "red"), ..ThreadResponse::default() };
    assert_eq!(written(&thread)["custom"], json!({ "color": "red" }));
}

#[test]
fn what_a_request_does_not_know_is_custom_data() {
    let request: SendMessageRequest = v1::from_value(json!({
        "message": {
            "text": "hi", "mood": "good", "nested": { "custom": { "a": 1 } },
            "attachments": [{ "type": "image", "image_url": "a.png", "width": 5 }],
            "user": { "id": "jane", "color": "red" },
        },
        "skip_push": true,
    }))
    .unwrap();
    let message = request.message;
    assert_eq!(message.text.as_deref(), Some("hi"));
    assert_eq!(
        message.custom,
        Custom::new().with("mood", "good").with("nested", json!({ "custom": { "a": 1 } }))
    );
    assert_eq!(message.attachments[0].image_url.as_deref(), Some("a.png"));
    assert_eq!(message.attachments[0].custom, Custom::new().with("width", 5));
    assert_eq!(message.user.unwrap().custom, Some(Custom::new().with("color", "red")));
    assert_eq!(request.skip_push, Some(true));
}

#[test]
fn members_are_ids_or_objects_with_custom_data() {
    let data: ChannelInput = v1::from_value(json!({
        "name": "General", "members": ["jane", { "user_id": "joe", "channel_role": "channel_moderator", "seat": 4 }],
    }))
    .unwrap();
    assert_eq!(data.custom, Some(Custom::new().with("name", "General")));
    let members = data.members.unwrap();
    assert_eq!(members[0].user_id, "jane");
    assert_eq!(members[1].channel_role.as_deref(), Some("channel_moderator"));
    assert_eq!(members[1].custom, Custom::new().with("seat", 4));
}

#[test]
fn an_object_given_back_as_it_came_has_no_new_custom_data() {
    let message = MessageResponse {
        id: "m1".to_owned(),
        text: "hello".to_owned(),
        custom: Custom::new().with("mood", "good"),
        ..MessageResponse::default()
    };
    let mut given_back = written(&message);
    let object = given_back.as_object_mut().unwrap();
    object.remove("created_at");
    object.remove("updated_at");
    object.insert("user".to_owned(), json!({ "id": "jane", "online": true, "banned": false }));
    let request: MessageRequest = v1::from_value(given_back).unwrap();
    assert_eq!(request.custom, Custom::new().with("mood", "good"));
    assert_eq!(request.user.unwrap().custom, None);
}

#[test]
fn what_only_the_server_sets_is_refused_by_its_name() {
    let refused = |error: serde_json::Error| {
        let problem = error.to_string();
        v1::Reader::reserved_field(&problem).map(str::to_owned)
    };
    let error =
        v1::from_value::<MessageRequest>(json!({ "text": "hi", "created_at": "2024-01-01T00:00:00Z" }));
    assert_eq!(refused(error.unwrap_err()).as_deref(), Some("created_at"));
    let error = v1::from_value::<ChannelInput>(json!({ "cooldown": 5 }));
    assert_eq!(refused(error.unwrap_err()).as_deref(), Some("cooldown"));
}

#[test]
fn a_user_is_given_back_as_a_whole() {
    let times = json!({ "id": "jane", "created_at": "2024-01-01T00:00:00Z", "last_active": null });
    let request: UserRequest = v1::from_value(times).unwrap();
    assert_eq!(request.custom, None);
}

#[test]
fn wrong_types_are_refused_as_in_version_2() {
    for wrong in [json!({ "text": 5 }), json!({ "attachments": {} }), json!("hi"), json!({ "pinned": "yes" })]
    {
        let message = v1::from_value::<MessageRequest>(wrong.clone()).unwrap_err().to_string();
        let expected = serde_json::from_value::<MessageRequest>(wrong).unwrap_err().to_string();
        assert_eq!(message, expected);
    }
}

#[test]
fn what_an_update_changed_says_whether_custom_data_did() {
    let event = natterjack_protocol::events::Event {
        message_update: Some(natterjack_protocol::events::MessageUpdate {
            old_text: None,
            change_set: Some(natterjack_protocol::events::MessageChangeSet {
                custom: true,
                ..Default::default()
            }),
        }),
        ..Default::default()
    };
    let text = v1::to_vec(&event).unwrap();
    let value: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(value["message_update"]["change_set"]["custom"], true);
    assert_eq!(v1::from_slice::<natterjack_protocol::events::Event>(&text).unwrap(), event);
}

/// Takes the names of a type's fields from what it asks a deserializer for.
struct FieldNames<'n>(&'n mut Vec<&'static str>);

impl<'de> serde::Deserializer<'de> for FieldNames<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(serde::de::Error::custom("only structs are looked at"))
    }

    fn deserialize_struct<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.extend(fields);
        Err(serde::de::Error::custom("the names are known"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn fields_of<T: for<'de> serde::Deserialize<'de>>() -> Vec<&'static str> {
    let mut names = Vec::new();
    assert!(T::deserialize(FieldNames(&mut names)).is_err());
    assert!(!names.is_empty());
    names
}

#[test]
fn no_field_of_an_answer_becomes_custom_data_when_it_is_given_back() {
    let mut missing = Vec::new();
    let mut check = |type_name: &str, request: Vec<&str>, response: Vec<&'static str>| {
        let reserved = v1::RESERVED.iter().find(|reserved| reserved.type_name == type_name).unwrap();
        let known = |name: &&str| {
            request.contains(name) || reserved.refused.contains(name) || reserved.ignored.contains(name)
        };
        missing.extend(
            response.into_iter().filter(|name| !known(name)).map(|name| format!("{type_name}: {name}")),
        );
    };
    check("MessageRequest", fields_of::<MessageRequest>(), fields_of::<MessageResponse>());
    check("UserRequest", fields_of::<UserRequest>(), fields_of::<UserResponse>());
    check("UserRequest", fields_of::<UserRequest>(), fields_of::<FullUserResponse>());
    check("UserRequest", fields_of::<UserRequest>(), fields_of::<OwnUserResponse>());
    check("ChannelInput", fields_of::<ChannelInput>(), fields_of::<ChannelResponse>());
    check("ReactionRequest", fields_of::<ReactionRequest>(), fields_of::<ReactionResponse>());
    let of_member = vec!["user_id", "channel_role", "custom", "user"];
    check("ChannelMemberRequest", of_member, fields_of::<ChannelMemberResponse>());
    assert!(missing.is_empty(), "{missing:#?}");
}
