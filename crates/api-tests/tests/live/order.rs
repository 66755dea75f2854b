//! Many at once: order, each event once, nobody's secrets, and clients that do not read.

use std::collections::HashSet;

use futures_util::future::join_all;
use std::time::Duration;

use natterjack_api_tests::{Socket, both_databases, fault};
use serde_json::json;

both_databases! {
    async fn what_cannot_be_read_for_a_while_is_told_later(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        server.channel("other", &["jane", "joe"]).await;
        let mut jane = server.watch("jane", "general").await;
        jane.drain(server).await;
        server.damage(fault!("unreadable_logs")).await;
        server.send("general", "joe", "m1", "one").await;
        tokio::time::sleep(Duration::from_millis(1000)).await;
        server.send("general", "joe", "m2", "two").await;
        server.damage(fault!("readable_logs")).await;
        for id in ["m1", "m2"] {
            assert_eq!(jane.expect("message.new").await["message"]["id"], id);
        }
        assert!(jane.drain(server).await.is_empty(), "each once");
    }

    async fn who_cannot_be_told_is_closed(server: TestServer) {
        server.users(&["jane", "joe", "mary", "eve"]).await;
        server.channel("general", &["jane", "joe", "mary"]).await;
        let mut jane = server.watch("jane", "general").await;
        let mut mary = server.socket("mary").open().await;
        let mut eve = server.socket("eve").open().await;
        server.damage(fault!("unreadable_logs")).await;
        server.send("general", "joe", "m1", "one").await;
        assert_eq!(jane.closed().await, 4005, "who watches");
        assert_eq!(mary.closed().await, 4005, "who would have been notified");
        server.damage(fault!("readable_logs")).await;
        assert!(eve.drain(server).await.is_empty(), "whom it does not concern");
        let mut jane = server.watch("jane", "general").await;
        server.send("general", "joe", "m2", "two").await;
        assert_eq!(jane.expect("message.new").await["message"]["id"], "m2");
    }

    async fn who_sends_is_told_wherever_he_or_she_is_connected(server: TestServer) {
        server.users(&["boss", "jane", "eve"]).await;
        let path = "/api/v2/chat/channels/livestream/show";
        let data = json!({ "data": { "created_by_id": "boss" } });
        server.raw("POST", &format!("{path}/query")).json(&data).send().await;
        let mut jane = server.socket("jane").open().await;
        let mut eve = server.socket("eve").open().await;
        for text in ["one", "two"] {
            let message = json!({ "message": { "text": text } });
            let sent = server.raw("POST", &format!("{path}/message")).as_user("jane").json(&message).send().await;
            assert_eq!(sent.status, 201, "{}", sent.text);
            let told = jane.drain(server).await;
            assert_eq!(told.len(), 1, "{told:?}");
            assert_eq!((&told[0]["type"], &told[0]["message"]["text"]), (&json!("message.new"), &json!(text)));
        }
        let message = json!({ "message": { "text": "three", "user_id": "boss" } });
        server.raw("POST", &format!("{path}/message")).json(&message).send().await;
        assert!(jane.drain(server).await.is_empty());
        assert!(eve.drain(server).await.is_empty());
    }

    async fn concurrent_messages_arrive_once_and_in_one_order(server: TestServer) {
        const SENDERS: usize = 8;
        const EACH: usize = 12;
        let names: Vec<String> = (0..SENDERS).map(|n| format!("user{n}")).collect();
        let mut members: Vec<&str> = names.iter().map(String::as_str).collect();
        members.extend(["jane", "joe", "mary"]);
        server.users(&members).await;
        server.channel("general", &members).await;
        let mut watchers = [server.watch("jane", "general").await, server.watch("joe", "general").await];
        let mut member = server.socket("mary").open().await;
        for watcher in &mut watchers {
            watcher.drain(server).await;
        }
        join_all(names.iter().map(async |name| {
            for number in 0..EACH {
                server.send("general", name, &format!("{name}-{number}"), "hello").await;
            }
        }))
        .await;
        let mut orders = Vec::new();
        for socket in watchers.iter_mut().chain([&mut member]) {
            let events = socket.drain(server).await;
            let ids: Vec<String> =
                events.iter().map(|event| event["message"]["id"].as_str().unwrap().to_owned()).collect();
            let times: Vec<&str> =
                events.iter().map(|event| event["message"]["created_at"].as_str().unwrap()).collect();
            assert_eq!(ids.len(), SENDERS * EACH);
            assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "each once");
            assert!(times.iter().zip(times.iter().skip(1)).all(|(one, next)| one.len() != next.len() || one < next));
            orders.push(ids);
        }
        assert!(orders.windows(2).all(|pair| pair[0] == pair[1]), "the same order for everybody");
        let last = member.drain(server).await;
        assert!(last.is_empty());
    }

    async fn no_channel_is_overheard_while_members_come_and_go(server: TestServer) {
        const ROUNDS: usize = 10;
        const CHANNELS: [&str; 3] = ["red", "green", "blue"];
        let users = ["ann", "ben", "cat", "dan"];
        server.users(&users).await;
        server.users(&["boss"]).await;
        for channel in CHANNELS {
            server.channel(channel, &["boss"]).await;
        }
        // Who is in which channel: everybody in one, and moving on each round.
        let mut sockets: Vec<Socket> = Vec::new();
        let mut heard: Vec<HashSet<String>> = vec![HashSet::new(); users.len()];
        for user in users {
            sockets.push(server.socket(user).open().await);
        }
        let change = async |channel: &str, body: serde_json::Value| {
            let path = format!("/api/v2/chat/channels/messaging/{channel}");
            let reply = server.raw("POST", &path).json(&body).send().await;
            assert_eq!(reply.status, 201, "{}", reply.text);
        };
        for round in 0..ROUNDS {
            for (place, user) in users.iter().enumerate() {
                let channel = CHANNELS[(place + round) % CHANNELS.len()];
                change(channel, json!({ "add_members": [{ "user_id": user }] })).await;
                if place % 2 == 0 {
                    server.watch_with(&sockets[place], user, channel).await;
                }
            }
            join_all(CHANNELS.map(async |channel| {
                let id = format!("{channel}-{round}");
                server.send(channel, "boss", &id, &format!("canary-{channel}-{round}")).await;
            }))
            .await;
            for place in 0..users.len() {
                heard[place].insert(format!("canary-{}-{round}", CHANNELS[(place + round) % CHANNELS.len()]));
            }
            // Whoever leaves must not hear what is said from then on.
            for (place, user) in users.iter().enumerate() {
                let channel = CHANNELS[(place + round) % CHANNELS.len()];
                change(channel, json!({ "remove_members": [user] })).await;
                let late = format!("{channel}-{round}-{user}");
                server.send(channel, "boss", &late, &format!("late-{channel}-{round}-{user}")).await;
            }
        }
        for (place, user) in users.iter().enumerate() {
            sockets[place].drain(server).await;
            let said = sockets[place].texts().join("\n");
            for round in 0..ROUNDS {
                for channel in CHANNELS {
                    let canary = format!("canary-{channel}-{round}\"");
                    let may = heard[place].contains(canary.trim_end_matches('"'));
                    assert_eq!(said.contains(&canary), may, "{user} and {canary}");
                }
                let own = CHANNELS[(place + round) % CHANNELS.len()];
                assert!(!said.contains(&format!("late-{own}-{round}-{user}")), "{user} in round {round}");
            }
        }
    }

    async fn who_does_not_read_is_closed_and_the_others_are_not(server: TestServer) {
        server.users(&["jane", "joe"]).await;
        server.channel("general", &["jane", "joe"]).await;
        let mut slow = server.watch("jane", "general").await;
        let mut joe = server.watch("joe", "general").await;
        // Enough to fill the buffers of the kernel, on both sides, and then the server's own.
        let text = "x".repeat(4900);
        let path = "/api/v2/chat/users/jane/event";
        for _ in 0..2500 {
            let event = json!({ "event": { "type": "load", "custom": { "text": text } } });
            let reply = server.raw("POST", path).json(&event).send().await;
            assert_eq!(reply.status, 201);
        }
        let code = slow.closed().await;
        assert!([4002, 1006].contains(&code), "{code}");
        server.send("general", "jane", "m1", "hello").await;
        joe.expect("message.new").await;
    }
}
