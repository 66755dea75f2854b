//! Messages and users that users report.

use std::time::Duration;

use natterjack_api_tests::{RawReply, TestServer, both_databases};
use natterjack_client::filter::flag_reports;
use natterjack_client::protocol::flags::{
    FlagRequest, QueryFlagReportsRequest, QueryMessageFlagsPayload, ReviewFlagReportRequest,
};
use serde_json::{Value, json};

use crate::bodies::{patch_ok, post_ok, sorted};
use crate::chat::{delete, get, jane_and_joe, ok, sent};

async fn flag(server: &TestServer, request: Value) -> RawReply {
    server.raw("POST", "/api/v2/moderation/flag").json(&request).send().await
}

async fn flag_message(server: &TestServer, reporter: &str, id: &str, reason: &str) -> Value {
    let request = json!({ "entity_type": "stream:chat:v1:message", "entity_id": id, "user_id": reporter, "reason": reason });
    ok(flag(server, request).await)["item_id"].clone()
}

async fn flags(server: &TestServer, payload: Value) -> RawReply {
    get(server, "/moderation/flags/message", &[("payload", &payload.to_string())]).await
}

/// Reporter, message and reason of what a filter finds.
async fn found(server: &TestServer, filter: Value) -> Vec<String> {
    let found =
        ok(flags(server, json!({ "filter_conditions": filter })).await)["flags"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let names = found.iter().map(|flag| {
        format!("{}/{}/{}", text(&flag["user"]["id"]), text(&flag["message"]["id"]), text(&flag["reason"]))
    });
    names.collect()
}

/// Message, number of reports and decision of the reported messages that a filter finds.
async fn reported(server: &TestServer, request: Value) -> Vec<String> {
    let reply = ok(server.raw("POST", "/moderation/reports").json(&request).send().await);
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let reports = reply["flag_reports"].as_array().unwrap().iter();
    let shown = reports.map(|report| {
        let (id, result) = (text(&report["message"]["id"]), text(&report["review_result"]));
        format!("{id}/{}/{result}", report["flags_count"])
    });
    shown.collect()
}

/// A user's list of the reports, and of the reported messages, as ids of messages.
async fn reports_for(server: &TestServer, user_id: &str) -> [Vec<String>; 2] {
    let payload = json!({ "show_deleted_messages": true }).to_string();
    let list = server.raw("GET", "/api/v2/chat/moderation/flags/message").as_user(user_id);
    let flags = ok(list.query("payload", &payload).send().await);
    let reports =
        ok(server.raw("POST", "/moderation/reports").as_user(user_id).json(&json!({})).send().await);
    [sorted(&flags["flags"], "/message/id"), sorted(&reports["flag_reports"], "/message/id")]
}

async fn review_as(server: &TestServer, user_id: &str, report_id: &str) -> RawReply {
    let review = json!({ "review_result": "reviewed" });
    let path = format!("/moderation/reports/{report_id}");
    server.raw("PATCH", &path).as_user(user_id).json(&review).send().await
}

async fn found_flags(server: &TestServer, filter: Value) -> usize {
    found(server, filter).await.len()
}

async fn report_of(server: &TestServer, message_id: &str) -> String {
    let request = QueryFlagReportsRequest {
        filter_conditions: flag_reports::message_id().eq(message_id).into(),
        ..QueryFlagReportsRequest::default()
    };
    let reply = server.client().moderation().query_flag_reports(request).await.unwrap();
    reply.flag_reports[0].id.clone()
}

both_databases! {
    async fn a_message_is_reported_and_found(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "rude").await;
        let request = FlagRequest {
            entity_type: "stream:chat:v1:message".to_owned(),
            entity_id: "m1".to_owned(),
            entity_creator_id: Some("jane".to_owned()),
            reason: Some("insult".to_owned()),
            user_id: Some("joe".to_owned()),
            custom: serde_json::from_value(json!({ "level": 3 })).unwrap(),
            ..FlagRequest::default()
        };
        let item = server.client().moderation().flag(request).await.unwrap().item_id.clone();
        assert!(!item.is_empty());
        let all = QueryMessageFlagsPayload::default();
        let reply = server.client().chat().query_message_flags(all).await.unwrap();
        let flag = &reply.flags[0];
        assert_eq!(flag.message.as_ref().unwrap().text, "rude");
        assert_eq!(flag.message.as_ref().unwrap().cid, "messaging:general");
        assert_eq!(flag.user.as_ref().unwrap().id, "joe");
        assert_eq!(flag.reason.as_deref(), Some("insult"));
        assert_eq!(serde_json::to_value(&flag.custom).unwrap(), json!({ "level": 3 }));
        assert!(!flag.created_by_automod);
        assert_eq!((flag.reviewed_at, flag.created_at), (None, flag.updated_at));
        server.check().await;
    }

    async fn all_reports_of_a_thing_have_one_item(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "rude").await;
        server.send("general", "jane", "m2", "rude").await;
        let first = flag_message(server, "joe", "m1", "a").await;
        server.advance(Duration::from_secs(1));
        assert_eq!(flag_message(server, "jane", "m1", "b").await, first);
        server.advance(Duration::from_secs(1));
        assert_ne!(flag_message(server, "joe", "m2", "c").await, first);
        // Reporting again gives the report another reason.
        assert_eq!(flag_message(server, "joe", "m1", "d").await, first);
        assert_eq!(found(server, json!({})).await, ["joe/m2/c", "jane/m1/b", "joe/m1/d"]);
        server.check().await;
    }

    async fn a_user_is_reported(server: TestServer) {
        jane_and_joe(server).await;
        let request = json!({ "entity_type": "stream:user", "entity_id": "jane", "user_id": "joe" });
        let item = ok(flag(server, request).await)["item_id"].clone();
        let again = json!({ "entity_type": "user", "entity_id": "jane", "user_id": "joe", "reason": "x" });
        assert_eq!(ok(flag(server, again).await)["item_id"], item);
        assert_eq!(found(server, json!({})).await, Vec::<String>::new());
        assert_eq!(server.count("flags").await, 1);
    }

    async fn a_report_in_the_older_form_is_made_once_and_taken_back_once(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "rude").await;
        for target in [json!({ "target_message_id": "m1" }), json!({ "target_user_id": "jane" })] {
            let call = |path: &str| server.raw("POST", path).as_user("joe").json(&target);
            let flag = ok(call("/moderation/flag").send().await)["flag"].clone();
            assert_eq!((&flag["user"]["id"], &flag["target_user"]["id"]), (&json!("joe"), &json!("jane")));
            assert_eq!(flag["target_message_id"], target["target_message_id"]);
            assert!(flag["created_at"].is_string());
            call("/moderation/flag").send().await.expect_error(400, 4, "already flagged");
            ok(call("/moderation/unflag").send().await);
            call("/moderation/unflag").send().await.expect_error(400, 4, "not flagged");
            ok(call("/moderation/flag").send().await);
        }
        server.check().await;
    }

    async fn older_forms_name_message_or_user(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "rude").await;
        ok(flag(server, json!({ "target_message_id": "m1", "user_id": "joe" })).await);
        ok(flag(server, json!({ "target_user_id": "jane", "user_id": "joe" })).await);
        assert_eq!(found(server, json!({})).await, ["joe/m1/"]);
        assert_eq!(server.count("flags").await, 2);
    }

    async fn reports_are_found_by_a_filter(server: TestServer) {
        jane_and_joe(server).await;
        server.channel("other", &["joe", "jane"]).await;
        server.send("general", "jane", "m1", "rude").await;
        server.send("other", "joe", "m2", "rude").await;
        flag_message(server, "joe", "m1", "insult").await;
        server.advance(Duration::from_secs(1));
        flag_message(server, "jane", "m2", "spam").await;
        let (general, other) = ("joe/m1/insult", "jane/m2/spam");
        for (filter, expected) in [
            (json!({ "channel_cid": "messaging:general" }), vec![general]),
            (json!({ "channel_cid": { "$in": ["messaging:general", "messaging:other"] } }), vec![other, general]),
            (json!({ "message_id": "m2" }), vec![other]),
            (json!({ "user_id": "jane" }), vec![general]),
            (json!({ "reporter_id": "jane" }), vec![other]),
            (json!({ "reason": { "$in": ["spam", "x"] } }), vec![other]),
            (json!({ "team": "red" }), vec![]),
            (json!({ "is_reviewed": false }), vec![other, general]),
            (json!({ "is_reviewed": true }), vec![]),
            (json!({ "created_at": { "$gt": "2026-01-02T03:04:05Z" } }), vec![other]),
        ] {
            assert_eq!(found(server, filter.clone()).await, expected, "{filter}");
        }
        let sort = json!([{ "field": "created_at", "direction": 1 }]);
        let page = ok(flags(server, json!({ "filter_conditions": {}, "sort": sort, "limit": 1, "offset": 1 })).await);
        assert_eq!(page["flags"][0]["message"]["id"], "m2");
        flags(server, json!({ "filter_conditions": { "x": 1 } })).await.expect_error(400, 4, "x");
        flags(server, json!({ "limit": 301 })).await.expect_error(400, 4, "limit");
        flags(server, json!({ "offset": 10_001 })).await.expect_error(400, 4, "offset");
        assert_eq!(get(server, "/moderation/flags/message", &[]).await.status, 200);
    }

    async fn reports_of_deleted_messages_are_found_on_demand(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "rude").await;
        flag_message(server, "joe", "m1", "insult").await;
        ok(delete(server, "/messages/m1", &[]).await);
        assert_eq!(found(server, json!({})).await, Vec::<String>::new());
        let all = ok(flags(server, json!({ "filter_conditions": {}, "show_deleted_messages": true })).await);
        assert_eq!(all["flags"][0]["message"]["text"], "rude");
        ok(delete(server, "/messages/m1", &[("hard", "true")]).await);
        assert_eq!(server.count("flags").await, 0);
    }

    async fn reports_that_make_no_sense_are_refused(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "rude").await;
        let of_message = |more: Value| {
            let mut request = json!({ "entity_type": "message", "entity_id": "m1", "user_id": "joe" });
            request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            request
        };
        for (request, code, text) in [
            (of_message(json!({ "entity_id": "" })), 4, "entity_id"),
            (of_message(json!({ "entity_type": "" })), 4, "entity_type"),
            (of_message(json!({ "entity_type": "channel" })), 4, "entity_type"),
            (of_message(json!({ "entity_id": "nothing" })), 16, "nothing"),
            (of_message(json!({ "entity_type": "user", "entity_id": "nobody" })), 4, "entity_id"),
            (of_message(json!({ "entity_creator_id": "joe" })), 4, "entity_creator_id"),
            (of_message(json!({ "reason": "x".repeat(256) })), 4, "reason"),
            (of_message(json!({ "custom": { "x": "y".repeat(6000) } })), 22, "custom"),
            (of_message(json!({ "user_id": "nobody" })), 4, "user_id"),
            (of_message(json!({ "user_id": "" })), 4, "user"),
        ] {
            let reply = flag(server, request.clone()).await;
            assert_eq!(reply.code(), code, "{request} {}", reply.text);
            assert!(reply.message().contains(text), "{request} {}", reply.text);
        }
        assert_eq!(server.count("flags").await, 0);
    }

    async fn users_report_and_only_moderators_list_reports(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "rude").await;
        let request = json!({ "entity_type": "message", "entity_id": "m1" });
        let reply = server.raw("POST", "/api/v2/moderation/flag").as_user("joe").json(&request).send().await;
        ok(reply);
        let list = async |id: &str| {
            server.raw("GET", "/api/v2/chat/moderation/flags/message").as_user(id).send().await
        };
        list("joe").await.expect_error(403, 17, "");
        let admin = json!({ "users": [{ "id": "jane", "set": { "role": "admin" } }] });
        ok(server.raw("PATCH", "/api/v2/users").json(&admin).send().await);
        assert_eq!(ok(list("jane").await)["flags"].as_array().unwrap().len(), 1);
    }

    async fn reports_of_a_message_are_one_and_are_decided_about(server: TestServer) {
        jane_and_joe(server).await;
        server.users(&["mod"]).await;
        server.send("general", "jane", "m1", "rude").await;
        let item = flag_message(server, "joe", "m1", "insult").await;
        server.advance(Duration::from_secs(1));
        flag_message(server, "mod", "m1", "").await;
        server.advance(Duration::from_secs(1));
        let moderation = server.client().moderation();
        let found = moderation.query_flag_reports(QueryFlagReportsRequest::default()).await.unwrap().into_inner();
        let report = &found.flag_reports[0];
        assert_eq!((found.flag_reports.len(), report.flags_count), (1, 2));
        assert_eq!((json!(report.id), report.message.as_ref().unwrap().text.as_str()), (item, "rude"));
        assert_eq!((report.message_user_id.as_str(), report.channel_cid.as_str()), ("jane", "messaging:general"));
        assert!(report.updated_at > report.created_at && report.review_result.is_none());
        let review = ReviewFlagReportRequest {
            review_result: "reviewed".to_owned(),
            user_id: Some("mod".to_owned()),
            review_details: json!({ "why": "a joke" }).as_object().unwrap().clone(),
        };
        let done = moderation.review_flag_report(&report.id, review).await.unwrap().into_inner().flag_report;
        assert_eq!(done.review_result.as_deref(), Some("reviewed"));
        assert_eq!(done.review_details["why"], "a joke");
        assert_eq!((done.reviewed_at, done.updated_at > report.updated_at), (Some(done.updated_at), true));
        assert_eq!(done.reviewed_by.as_ref().unwrap().id, "mod");
        let again = moderation.query_flag_reports(QueryFlagReportsRequest::default()).await.unwrap();
        assert_eq!(again.flag_reports, [done]);
        assert_eq!(found_flags(server, json!({ "is_reviewed": true })).await, 2);
        // What is reported afterwards has not been looked at, as a single report.
        flag_message(server, "jane", "m1", "").await;
        assert_eq!(found_flags(server, json!({ "is_reviewed": false })).await, 1);
        assert_eq!(reported(server, json!({})).await, ["m1/3/reviewed"]);
        server.check().await;
    }

    async fn a_report_in_the_older_form_has_details_of_its_own(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "rude").await;
        flag_message(server, "joe", "m1", "insult").await;
        let path = format!("/moderation/reports/{}", report_of(server, "m1").await);
        let review = json!({ "review_result": "reviewed", "review_details": { "why": "a joke" } });
        let reply = ok(server.raw("PATCH", &path).json(&review).send().await);
        let report = &reply["flag_report"];
        assert_eq!((&report["review_details"]["why"], &report["reviewed_by"]), (&json!("a joke"), &Value::Null));
        assert!(report["reviewed_at"].is_string() && report["message"]["cid"] == "messaging:general");
    }

    async fn reported_messages_are_found_by_a_filter(server: TestServer) {
        jane_and_joe(server).await;
        server.channel("other", &["joe", "jane"]).await;
        server.send("general", "jane", "m1", "rude").await;
        server.send("other", "joe", "m2", "rude").await;
        flag_message(server, "joe", "m1", "").await;
        server.advance(Duration::from_secs(1));
        flag_message(server, "jane", "m2", "").await;
        flag_message(server, "joe", "m2", "").await;
        let id = report_of(server, "m1").await;
        let review = json!({ "review_result": "deleted", "user_id": "joe" });
        ok(server.raw("PATCH", &format!("/moderation/reports/{id}")).json(&review).send().await);
        let (m1, m2) = ("m1/1/deleted", "m2/2/");
        for (filter, expected) in [
            (json!({}), vec![m2, m1]),
            (json!({ "report_id": id }), vec![m1]),
            (json!({ "message_id": { "$in": ["m2", "m3"] } }), vec![m2]),
            (json!({ "channel_cid": "messaging:general" }), vec![m1]),
            (json!({ "user_id": "joe" }), vec![m2]),
            (json!({ "team": "red" }), vec![]),
            (json!({ "is_reviewed": true }), vec![m1]),
            (json!({ "is_reviewed": false }), vec![m2]),
            (json!({ "review_result": "deleted" }), vec![m1]),
            (json!({ "reviewed_by": "joe" }), vec![m1]),
            (json!({ "created_at": { "$gt": "2026-01-02T03:04:05Z" } }), vec![m2]),
        ] {
            assert_eq!(reported(server, json!({ "filter_conditions": filter })).await, expected, "{filter}");
        }
        assert_eq!(reported(server, json!({ "limit": 1, "offset": 1 })).await, [m1]);
        let refused = async |request: Value, text: &str| {
            let reply = server.raw("POST", "/moderation/reports").json(&request).send().await;
            reply.expect_error(400, 4, text);
        };
        refused(json!({ "filter_conditions": { "x": 1 } }), "x").await;
        refused(json!({ "limit": 301 }), "limit").await;
        refused(json!({ "offset": 10_001 }), "offset").await;
    }

    async fn decisions_that_make_no_sense_are_refused(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "rude").await;
        flag_message(server, "joe", "m1", "").await;
        let of_user = json!({ "entity_type": "user", "entity_id": "jane", "user_id": "joe" });
        let of_user = ok(flag(server, of_user).await)["item_id"].as_str().unwrap().to_owned();
        let id = report_of(server, "m1").await;
        let review = async |id: &str, review: Value| {
            server.raw("PATCH", &format!("/moderation/reports/{id}")).json(&review).send().await
        };
        let good = json!({ "review_result": "reviewed" });
        review("nothing", good.clone()).await.expect_error(404, 16, "nothing");
        review(&of_user, good.clone()).await.expect_error(404, 16, &of_user);
        review(&id, json!({})).await.expect_error(400, 4, "review_result");
        review(&id, json!({ "review_result": "x".repeat(256) })).await.expect_error(400, 4, "review_result");
        let large = json!({ "review_result": "x", "review_details": { "x": "y".repeat(6000) } });
        review(&id, large).await.expect_error(413, 22, "review_details");
        let nobody = json!({ "review_result": "x", "user_id": "nobody" });
        review(&id, nobody).await.expect_error(400, 4, "user_id");
        let reply = server.raw("PATCH", &format!("/moderation/reports/{id}")).as_user("joe").json(&good);
        reply.send().await.expect_error(403, 17, "");
        assert_eq!(found_flags(server, json!({ "is_reviewed": true })).await, 0);
        // The message may be gone by then.
        ok(delete(server, "/messages/m1", &[]).await);
        assert_eq!(reported(server, json!({})).await, Vec::<String>::new());
        assert_eq!(ok(review(&id, good).await)["flag_report"]["message"]["id"], "m1");
        ok(delete(server, "/messages/m1", &[("hard", "true")]).await);
        review(&id, json!({ "review_result": "x" })).await.expect_error(404, 16, &id);
    }

    async fn who_may_review_reports_does(server: TestServer) {
        jane_and_joe(server).await;
        server.send("general", "jane", "m1", "rude").await;
        flag_message(server, "joe", "m1", "").await;
        let id = report_of(server, "m1").await;
        let admin = json!({ "users": [{ "id": "jane", "set": { "role": "admin" } }] });
        ok(server.raw("PATCH", "/api/v2/users").json(&admin).send().await);
        let review = json!({ "review_result": "reviewed" });
        let reply = server.raw("PATCH", &format!("/moderation/reports/{id}")).as_user("jane").json(&review);
        assert_eq!(ok(reply.send().await)["flag_report"]["reviewed_by"]["id"], "jane");
    }

    async fn moderators_see_reports_of_their_own_teams(server: TestServer) {
        patch_ok(server, "/api/v2/app", &json!({ "multi_tenant_enabled": true })).await;
        let users = json!({ "users": {
            "ann": { "id": "ann", "teams": ["red"] }, "bob": { "id": "bob", "teams": ["blue"] },
            "eve": { "id": "eve" },
            "of-red": { "id": "of-red", "role": "moderator", "teams": ["red"] },
            "of-none": { "id": "of-none", "role": "moderator" },
            "of-all": { "id": "of-all", "role": "global_moderator" },
        } });
        post_ok(server, "/api/v2/users", &users).await;
        for (team, member) in [(Some("red"), "ann"), (Some("blue"), "bob"), (None, "eve")] {
            let data = json!({ "created_by_id": member, "team": team, "members": [{ "user_id": member }] });
            let path = format!("/api/v2/chat/channels/messaging/{member}/query");
            post_ok(server, &path, &json!({ "data": data })).await;
            server.send(member, member, &format!("m-{member}"), "rude").await;
            flag_message(server, member, &format!("m-{member}"), "").await;
        }
        for (user_id, expected) in [
            ("of-red", &["m-ann"][..]), ("of-none", &["m-eve"]), ("of-all", &["m-ann", "m-bob", "m-eve"]),
        ] {
            assert_eq!(reports_for(server, user_id).await, [expected, expected], "{user_id}");
        }
        assert_eq!(found(server, json!({})).await.len(), 3);
        assert_eq!(reported(server, json!({})).await.len(), 3);
        // A page is full although others' reports lie between.
        let page = json!({ "limit": 1 }).to_string();
        let list = server.raw("GET", "/api/v2/chat/moderation/flags/message").as_user("of-red");
        assert_eq!(ok(list.query("payload", &page).send().await)["flags"].as_array().unwrap().len(), 1);
        let id = report_of(server, "m-bob").await;
        review_as(server, "of-red", &id).await.expect_error(404, 16, &id);
        assert_eq!(found_flags(server, json!({ "is_reviewed": true })).await, 0);
        assert_eq!(ok(review_as(server, "of-all", &id).await)["flag_report"]["message"]["id"], "m-bob");
    }

    async fn moderators_see_reports_of_what_they_may_read(server: TestServer) {
        jane_and_joe(server).await;
        server.users(&["eve"]).await;
        let grants = json!({ "user": ["flag-user", "read-flag-reports", "update-flag-report"] });
        patch_ok(server, "/api/v2/app", &json!({ "grants": grants })).await;
        server.send("general", "jane", "m1", "old").await;
        let secret = json!({ "id": "m2", "text": "secret", "user_id": "jane", "restricted_visibility": ["jane"] });
        sent(server, "general", secret).await;
        for id in ["m1", "m2"] {
            flag_message(server, "jane", id, "").await;
        }
        let nothing: [&[&str]; 2] = [&[], &[]];
        assert_eq!(reports_for(server, "jane").await, [["m1", "m2"], ["m1", "m2"]]);
        assert_eq!(reports_for(server, "joe").await, [["m1"], ["m1"]]);
        assert_eq!(reports_for(server, "eve").await, nothing);
        let (first, second) = (report_of(server, "m1").await, report_of(server, "m2").await);
        review_as(server, "joe", &second).await.expect_error(404, 16, &second);
        review_as(server, "eve", &first).await.expect_error(404, 16, &first);
        ok(review_as(server, "joe", &first).await);
        // What was hidden from a member is not shown among the reports.
        let hide = json!({ "user_id": "joe", "clear_history": true });
        post_ok(server, "/api/v2/chat/channels/messaging/general/hide", &hide).await;
        assert_eq!(reports_for(server, "joe").await, nothing);
        // Nor what the channel itself keeps from members.
        let grants = json!({ "channel_member": ["!read-channel"], "user": ["!read-channel-owner"] });
        let set = json!({ "set": { "config_overrides": { "grants": grants } } });
        patch_ok(server, "/api/v2/chat/channels/messaging/general", &set).await;
        assert_eq!(reports_for(server, "jane").await, nothing);
        assert_eq!(found_flags(server, json!({})).await, 2);
        server.check().await;
    }
}
