//! Many callers at once: what may happen once happens once, and when all is quiet every counter equals its definition.
//!
//! Each test is run a second time on a database from which what it relies on was taken away, and has to notice.

use futures_util::future::join_all;
use natterjack_api_tests::{RawReply, TestServer, both_databases, fault};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::chat::{change, delete, get, ids, ok, post, send, state};

/// What is wrong, when something is.
type Verdict = Result<(), String>;

const CREATORS: usize = 64;
const SENDERS: usize = 50;
/// Callers of the random program, and steps of each.
const CALLERS: usize = 8;
const STEPS: usize = 60;
const USERS: [&str; 4] = ["jane", "joe", "eve", "zoe"];
const CHANNELS: [&str; 2] = ["general", "random"];

async fn step(server: &TestServer, random: &mut StdRng, caller: usize, number: usize) -> RawReply {
    let user_id = USERS[random.random_range(0..USERS.len())];
    let other = USERS[random.random_range(0..USERS.len())];
    let channel = CHANNELS[random.random_range(0..CHANNELS.len())];
    let path = format!("/channels/messaging/{channel}");
    let cid = format!("messaging:{channel}");
    // A message that any of the callers may have sent.
    let id = format!("m{}-{}", random.random_range(0..CALLERS), random.random_range(0..=number));
    match random.random_range(0..24) {
        0..6 => {
            let mut message = json!({ "id": format!("m{caller}-{number}"), "user_id": user_id, "text": "a" });
            match random.random_range(0..5) {
                0 => message["parent_id"] = json!(id),
                1 => message["restricted_visibility"] = json!([other]),
                2 => message["silent"] = json!(true),
                _ => {}
            }
            send(server, channel, message).await
        }
        6 => delete(server, &format!("/messages/{id}"), &[("deleted_by", user_id)]).await,
        7 => delete(server, &format!("/messages/{id}"), &[("hard", "true")]).await,
        8 => post(server, &format!("/messages/{id}/undelete"), json!({ "undeleted_by": user_id })).await,
        9 => change(server, &id, json!({ "user_id": user_id, "set": { "text": number.to_string() } })).await,
        10..13 => {
            let kind = ["like", "love", "sad"][random.random_range(0..3)];
            let body = json!({ "reaction": { "type": kind, "user_id": user_id },
                               "enforce_unique": random.random_range(0..2) == 0 });
            post(server, &format!("/messages/{id}/reaction"), body).await
        }
        13 => delete(server, &format!("/messages/{id}/reaction/like"), &[("user_id", user_id)]).await,
        14..16 => {
            post(server, &format!("{path}/read"), json!({ "user_id": user_id, "message_id": id })).await
        }
        16 => post(server, &format!("{path}/read"), json!({ "user_id": user_id })).await,
        17 => post(server, &format!("{path}/unread"), json!({ "user_id": user_id, "message_id": id })).await,
        18 => post(server, &format!("{path}/hide"), json!({ "user_id": user_id })).await,
        19 => {
            let body = json!({ "channel_cids": [cid], "user_id": user_id });
            let what = if random.random_range(0..2) == 0 { "mute" } else { "unmute" };
            post(server, &format!("/moderation/{what}/channel"), body).await
        }
        20 => post(server, &path, json!({ "add_members": [other] })).await,
        21 => post(server, &path, json!({ "remove_members": [other] })).await,
        22 => {
            let pinned = random.random_range(0..2) == 0;
            change(server, &id, json!({ "user_id": user_id, "set": { "pinned": pinned } })).await
        }
        _ => {
            let hard = random.random_range(0..2) == 0;
            post(server, &format!("{path}/truncate"), json!({ "hard_delete": hard })).await
        }
    }
}

/// As many creators as there are of one distinct channel, in either order of its members, each of them from either.
async fn race_creators(server: &TestServer) -> Verdict {
    server.users(&["jane", "joe"]).await;
    let create = |number: usize| {
        let (one, other) = if number.is_multiple_of(2) { ("jane", "joe") } else { ("joe", "jane") };
        let body = json!({ "data": { "created_by_id": one, "members": [one, other] } });
        post(server, "/channels/messaging/query", body)
    };
    let answers = join_all((0..CREATORS).map(create)).await;
    let cids: Vec<Value> = answers.into_iter().map(|reply| ok(reply)["channel"]["cid"].clone()).collect();
    expect(cids.iter().all(|cid| *cid == cids[0]), || format!("several channels were answered: {cids:?}"))?;
    let found = ok(post(server, "/channels", json!({ "filter_conditions": {} })).await);
    let channels = found["channels"].as_array().unwrap();
    expect(channels.len() == 1, || format!("there are {} channels", channels.len()))?;
    expect(channels[0]["members"].as_array().unwrap().len() == 2, || "there are not two members".to_owned())?;
    server.find_violations().await
}

/// As many sends as there are of one id.
async fn race_senders(server: &TestServer) -> Verdict {
    server.users(&["jane", "joe"]).await;
    server.channel("general", &["jane", "joe"]).await;
    let message = |number: usize| json!({ "id": "m1", "user_id": "jane", "text": number.to_string() });
    let answers = join_all((0..SENDERS).map(|number| send(server, "general", message(number)))).await;
    let (sent, refused): (Vec<RawReply>, Vec<RawReply>) =
        answers.into_iter().partition(|reply| reply.status == 201);
    expect(sent.len() == 1, || format!("{} sends were accepted", sent.len()))?;
    for reply in refused {
        reply.expect_error(400, 4, "already exists");
    }
    let state = state(server, "general").await;
    expect(ids(&state["messages"]) == ["m1"], || format!("the channel has {:?}", ids(&state["messages"])))?;
    assert_eq!(state["messages"][0]["text"], sent[0].body["message"]["text"]);
    let unread = ok(get(server, "/unread", &[("user_id", "joe")]).await);
    expect(unread["total_unread_count"] == 1, || format!("{} are unread", unread["total_unread_count"]))?;
    server.find_violations().await
}

/// Random programs of several callers in the same channels.
async fn run_programs(server: &TestServer) -> Verdict {
    server.users(&USERS).await;
    for channel in CHANNELS {
        server.channel(channel, &USERS).await;
    }
    join_all((0..CALLERS).map(|caller| async move {
        let mut random = StdRng::seed_from_u64(caller as u64);
        for number in 0..STEPS {
            // Refusals are part of it: what is meant may be gone, or somebody no member any more.
            let reply = step(server, &mut random, caller, number).await;
            assert!(reply.status < 500, "{}", reply.text);
        }
    }))
    .await;
    server.find_violations().await
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

both_databases! {
    async fn one_distinct_channel_comes_from_many_creators(server: TestServer) {
        race_creators(server).await.unwrap();
    }

    async fn two_distinct_channels_would_be_noticed(server: TestServer) {
        server.damage(fault!("twin_channels")).await;
        assert_eq!(race_creators(server).await, Err("there are 2 channels".to_owned()));
    }

    async fn one_message_comes_from_many_sends_of_one_id(server: TestServer) {
        race_senders(server).await.unwrap();
    }

    async fn two_messages_of_one_id_would_be_noticed(server: TestServer) {
        server.damage(fault!("taken_ids")).await;
        assert_eq!(race_senders(server).await, Err(format!("{SENDERS} sends were accepted")));
    }

    async fn counters_equal_their_definitions_after_random_programs(server: TestServer) {
        run_programs(server).await.unwrap();
        server.purge(50).await;
        server.check().await;
    }

    async fn a_lost_update_would_be_noticed(server: TestServer) {
        server.damage(fault!("lost_updates")).await;
        let found = run_programs(server).await.unwrap_err();
        assert!(found.contains("channels.member_count"), "{found}");
    }
}
