//! Bad input to every operation: refused with the field that is wrong, never an internal error.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use natterjack_api_tests::{RawReply, TestServer, both_databases, json_within_json};
use natterjack_client::token;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

use crate::chat::{delete, get, jane_and_joe, message, ok, send, sent, update_channel};
use crate::requests::{self, Request};

const SEND: &str = "/api/v2/chat/channels/messaging/general/message";

/// A request to send a message, as text.
fn sending(id: &str, text: &str) -> String {
    json!({ "message": { "id": id, "text": text, "user_id": "jane" } }).to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A connection that is not opened again when the server has closed it.
struct Connection(BufStream<TcpStream>);

impl Connection {
    async fn open(server: &TestServer) -> Self {
        let address = server.base_url().strip_prefix("http://").unwrap();
        Self(BufStream::new(TcpStream::connect(address).await.unwrap()))
    }

    /// The status of the answer to a request by jane, whose body follows its head.
    async fn ask(&mut self, request: &str, body: &str) -> u16 {
        let token =
            token::user_token(TestServer::API_SECRET, "jane", &token::TokenOptions::default()).unwrap();
        let head = format!(
            "{request} HTTP/1.1\r\nhost: test\r\napi_key: {}\r\nauthorization: {token}\r\n\
             stream-auth-type: jwt\r\ncontent-length: {}\r\n\r\n",
            TestServer::API_KEY,
            body.len(),
        );
        self.0.write_all(head.as_bytes()).await.unwrap();
        self.0.flush().await.unwrap();
        self.0.write_all(body.as_bytes()).await.unwrap();
        self.0.flush().await.unwrap();
        let mut line = String::new();
        let (mut status, mut length) = (None, 0);
        while self.0.read_line(&mut line).await.unwrap() > 2 {
            let lower = line.to_ascii_lowercase();
            status = status.or_else(|| lower.split(' ').nth(1).and_then(|status| status.parse().ok()));
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        self.0.read_exact(&mut vec![0; length]).await.unwrap();
        status.expect("an answer")
    }
}

/// The places of all typed fields in a body, as JSON pointers. What users define themselves has no types.
fn typed_fields(at: &str, value: &Value, found: &mut Vec<String>) {
    let free = [
        "condition",
        "custom",
        "filter",
        "filter_conditions",
        "message_filter_conditions",
        "moderation_payload",
        "set",
    ];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let at = format!("{at}/{name}");
                found.push(at.clone());
                if !free.contains(&name.as_str()) {
                    typed_fields(&at, value, found);
                }
            }
        }
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                typed_fields(&format!("{at}/{index}"), entry, found);
            }
        }
        _ => {}
    }
}

/// A value that is of no use where this one is expected.
fn of_wrong_type(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains("T00:00:00Z") => json!("soon"),
        Value::String(_) => json!(5),
        Value::Number(_) => json!("many"),
        Value::Bool(_) => json!("maybe"),
        Value::Array(_) => json!(5),
        Value::Object(_) | Value::Null => json!("text"),
    }
}

/// The value with each of its numbers and times in turn as small and as large as it can be written.
fn with_extremes(value: &Value) -> Vec<Value> {
    let mut fields = vec![String::new()];
    typed_fields("", value, &mut fields);
    let is_time = |text: &str| text.contains("T00:00:00Z");
    let is_extreme = |field: &String| {
        let value = value.pointer(field).unwrap();
        value.is_number() || value.as_str().is_some_and(is_time)
    };
    let mut spoilt = Vec::new();
    for field in fields.iter().filter(|field| is_extreme(field)) {
        for number in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX] {
            let mut extreme = value.clone();
            *extreme.pointer_mut(field).unwrap() = json!(number);
            spoilt.push(extreme);
        }
    }
    spoilt
}

/// Sends the request with each field of its JSON in turn of a wrong type.
async fn spoil_each_field(
    server: &TestServer,
    request: &Request,
    json: &Value,
    with: impl Fn(Value) -> Request,
) {
    let mut fields = Vec::new();
    typed_fields("", json, &mut fields);
    assert!(!fields.is_empty(), "{}", request.operation);
    for field in fields {
        let mut spoilt = json.clone();
        let place = spoilt.pointer_mut(&field).unwrap();
        *place = of_wrong_type(place);
        let reply = with(spoilt).send(server).await;
        let name = field.rsplit('/').find(|name| name.parse::<usize>().is_err()).unwrap();
        let context = format!("{} {field}: {}", request.operation, reply.text);
        assert_eq!((reply.status, reply.code()), (400, 4), "{context}");
        assert!(reply.message().contains(name), "{context}");
    }
}

/// Whether an operation answers this method at this path.
fn is_operation(method: &str, path: &str) -> bool {
    let fits = |template: &str| {
        template.split('/').count() == path.split('/').count()
            && template
                .split('/')
                .zip(path.split('/'))
                .all(|(part, given)| part.starts_with('{') || part == given)
    };
    natterjack_server::api::operations()
        .iter()
        .any(|(_, known, template)| known.as_str() == method && fits(template))
}

fn assert_is_json_error(reply: &RawReply) {
    assert!((400..500).contains(&reply.status), "{} {}", reply.status, reply.text);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.body["StatusCode"], i64::from(reply.status), "{}", reply.text);
    assert!(reply.body["details"].is_array() && reply.body["duration"].is_string(), "{}", reply.text);
    assert!(reply.body["more_info"].is_string() && reply.code() != 0, "{}", reply.text);
}

both_databases! {
    async fn every_operation_has_a_valid_request(server: TestServer) {
        requests::prepare(server).await;
        let built = natterjack_server::api::operations();
        let mut missing: Vec<_> = built.into_iter().map(|(id, ..)| id).collect();
        for request in requests::all() {
            let reply = request.send(server).await;
            let expected = if matches!(request.method, "POST" | "PUT") { 201 } else { 200 };
            assert_eq!(reply.status, expected, "{}: {}", request.operation, reply.text);
            assert!(reply.body["duration"].as_str().unwrap().ends_with("ms"), "{}", request.operation);
            missing.retain(|id| *id != request.operation);
        }
        assert_eq!(missing, Vec::<&str>::new(), "operations without a request in these tests");
    }

    async fn a_field_of_a_wrong_type_is_named(server: TestServer) {
        requests::prepare(server).await;
        for request in requests::with_body() {
            let body = request.body.clone().unwrap();
            let with = |body| Request { body: Some(body), ..request.clone() };
            spoil_each_field(server, &request, &body, with).await;
        }
    }

    async fn a_field_of_a_wrong_type_in_a_payload_is_named(server: TestServer) {
        requests::prepare(server).await;
        for request in requests::all() {
            let payload = request.query.iter().find(|(name, _)| *name == "payload");
            let Some((_, payload)) = payload else { continue };
            let with = |json| Request { query: vec![("payload", json)], ..request.clone() };
            spoil_each_field(server, &request, payload, with).await;
        }
    }

    async fn a_query_value_of_a_wrong_type_is_named(server: TestServer) {
        requests::prepare(server).await;
        for request in requests::all() {
            for (index, (name, value)) in request.query.iter().enumerate() {
                if value.is_string() {
                    continue;
                }
                for odd in ["many", "", "-", "1.5", "99999999999999999999", "[", "{}x", "\u{1F980}"] {
                    let mut spoilt = request.clone();
                    spoilt.query[index].1 = json!(odd);
                    let reply = spoilt.send(server).await;
                    let context = format!("{} {name}={odd}: {}", request.operation, reply.text);
                    if !odd.is_empty() {
                        assert_eq!((reply.status, reply.code()), (400, 4), "{context}");
                        assert!(reply.message().contains(name), "{context}");
                    }
                    assert!(reply.status < 500, "{context}");
                }
            }
        }
    }

    async fn malformed_json_is_refused(server: TestServer) {
        requests::prepare(server).await;
        let bodies: [&[u8]; 12] = [
            b"{", b"}", b"{\"message\":", b"[1,2", b"nul", b"\"", b"{'a':1}", b"{\"a\":1}}", b"{\"a\":01}",
            b"\xff\xfe", b"{\"message\":\"\xc3\x28\"}", b"<xml/>",
        ];
        for request in requests::with_body() {
            for body in bodies {
                let reply = server.raw(request.method, request.path).bytes(body).send().await;
                assert_eq!((reply.status, reply.code()), (400, 4), "{} {body:?}", request.operation);
                assert_is_json_error(&reply);
            }
        }
    }

    async fn a_body_that_is_no_object_is_no_internal_error(server: TestServer) {
        requests::prepare(server).await;
        for request in requests::with_body() {
            for body in ["5", "true", "\"text\"", "[]", "[{}]"] {
                let reply = server.raw(request.method, request.path).bytes(body).send().await;
                assert!(reply.status < 500, "{} {body}: {}", request.operation, reply.text);
            }
            for body in ["null", "{}", "", " \n"] {
                let reply = server.raw(request.method, request.path).bytes(body).send().await;
                assert!(reply.status < 500, "{} {body}: {}", request.operation, reply.text);
            }
        }
    }

    async fn json_that_is_too_deep_is_refused(server: TestServer) {
        requests::prepare(server).await;
        for depth in [1_000, 100_000] {
            let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            for body in [
                deep.clone(),
                format!(r#"{{"message":{{"text":"a","user_id":"jane","custom":{{"a":{deep}}}}}}}"#),
                format!(r#"{{"unknown":{deep}}}"#),
                r#"{"a":"#.repeat(depth),
            ] {
                let reply = server.raw("POST", SEND).bytes(body).send().await;
                assert_eq!((reply.status, reply.code()), (400, 4), "{depth}");
            }
        }
        let deep = format!("{}{}", "{\"$and\":[".repeat(300), "]}".repeat(300));
        let payload = format!(r#"{{"filter_conditions":{deep}}}"#);
        get(server, "/search", &[("payload", &payload)]).await.expect_error(400, 4, "payload");
    }

    async fn what_is_as_deep_as_it_may_be_is_shown_wherever_it_stands(server: TestServer) {
        requests::prepare(server).await;
        let general = "/api/v2/chat/channels/messaging/general";
        for (depth, allowed) in [(64, true), (65, false), (127, false)] {
            // Brackets in a text count for nothing.
            let deep = |levels: usize| {
                let levels = depth - levels;
                format!(r#""deep":{}"\"[[{{\\"{}"#, "[".repeat(levels), "]".repeat(levels))
            };
            let message = format!(
                r#"{{"id":"deep{depth}","text":"deep water","user_id":"jane","custom":{{{}}}}}"#, deep(3)
            );
            let attachment = format!(r#"{{"type":"a","custom":{{{}}}}}"#, deep(5));
            let with_attachment =
                format!(r#"{{"text":"deep","user_id":"jane","attachments":[{attachment}]}}"#);
            let reaction = format!(r#"{{"type":"deep","user_id":"joe","custom":{{{}}}}}"#, deep(3));
            let flat_reaction = format!(r#"{{"type":"flat","user_id":"joe",{}}}"#, deep(2));
            let users = format!(r#"{{"jane":{{"id":"jane","custom":{{{}}}}}}}"#, deep(4));
            let set = format!(r#"{{"set":{{{}}},"user_id":"jane"}}"#, deep(2));
            // Dots nest as brackets do.
            let value = if allowed { "1" } else { "{}" };
            let dotted = format!(r#"{{"set":{{"{}":{value}}},"user_id":"jane"}}"#, ["a"; 64].join("."));
            for (method, path, body) in [
                ("POST", SEND, format!(r#"{{"message":{message}}}"#)),
                ("POST", SEND, format!(r#"{{"message":{with_attachment}}}"#)),
                ("POST", "/api/v2/chat/messages/m1/reaction", format!(r#"{{"reaction":{reaction}}}"#)),
                ("POST", "/messages/m1/reaction", format!(r#"{{"reaction":{flat_reaction}}}"#)),
                ("POST", "/api/v2/users", format!(r#"{{"users":{users}}}"#)),
                ("PATCH", general, set.clone()),
                ("PATCH", &format!("{general}/member?user_id=jane"), set.clone()),
                ("PUT", "/api/v2/chat/messages/m1", set),
                ("PUT", "/api/v2/chat/messages/m2", dotted),
            ] {
                let reply = server.raw(method, path).bytes(body).send().await;
                match allowed {
                    true => assert!(reply.status < 300, "{path}: {}", reply.text),
                    false => reply.expect_error(400, 4, "64"),
                }
            }
        }
        for path in [&format!("{general}/query?user_id=joe"), "/api/v2/chat/channels", "/channels"] {
            let body = json!({ "state": true, "filter_conditions": { "cid": "messaging:general" } });
            let reply = server.raw("POST", path).json(&body).send().await;
            assert_eq!(reply.status, 201, "{path}: {}", reply.text);
            assert!(reply.text.contains(r#""[[{\\"#), "{path}: {}", reply.text);
        }
        for path in ["/messages/m1", "/messages/m1/reactions", "/messages/m2", "/messages/deep64"] {
            ok(get(server, path, &[]).await);
        }
        let payload = json!({ "filter_conditions": { "cid": "messaging:general" }, "query": "water" });
        let found = ok(get(server, "/search", &[("payload", &payload.to_string())]).await);
        assert_eq!(found["results"].as_array().unwrap().len(), 1);
        ok(delete(server, "/messages/m1", &[("hard", "true")]).await);
    }

    async fn paths_of_partial_updates_lead_no_deeper_than_json_may_be(server: TestServer) {
        requests::prepare(server).await;
        let path = ["a"; 100].join(".");
        let set = json!({ "set": { &path: 1 }, "user_id": "jane" });
        for (method, url) in [
            ("PATCH", "/api/v2/chat/channels/messaging/general"),
            ("PATCH", "/api/v2/chat/channels/messaging/general/member?user_id=jane"),
            ("PUT", "/api/v2/chat/messages/m1"),
            ("PATCH", "/api/v2/chat/threads/m1"),
            ("PATCH", "/threads/m1"),
        ] {
            server.raw(method, url).json(&set).send().await.expect_error(400, 4, "64");
        }
        for root in ["a", "custom", "privacy_settings"] {
            let users = json!({ "users": [{ "id": "jane", "set": { format!("{root}.{path}"): 1 } }] });
            server.raw("PATCH", "/api/v2/users").json(&users).send().await.expect_error(400, 4, "64");
        }
    }

    async fn a_name_that_a_parser_once_kept_for_itself_is_one_like_others(server: TestServer) {
        requests::prepare(server).await;
        let raw = "$serde_json::private::RawValue";
        let stacked = json_within_json(12);
        let message = format!(r#"{{"text":"a","user_id":"jane","custom":{{"x":{stacked}}}}}"#);
        let body = format!(r#"{{"message":{message}}}"#);
        let reply = server.raw("POST", SEND).bytes(body).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        let mut shown = &reply.body["message"]["custom"]["x"];
        while shown.is_array() {
            shown = &shown[0];
        }
        assert!(shown[raw].is_string(), "{}", reply.text);

        let nul = json!({ raw: "\"a\\u0000b\"" });
        for path in [SEND, "/channels/messaging/general/message"] {
            let body = json!({ "message": { "text": &nul, "user_id": "jane" } });
            server.raw("POST", path).json(&body).send().await.expect_error(400, 4, "text");
        }
        let body = json!({ "message": { "text": "a", "user_id": "jane", "x": &nul, "custom": { "y": &nul } } });
        let reply = server.raw("POST", "/channels/messaging/general/message").json(&body).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_eq!((&reply.body["message"]["x"], &reply.body["message"]["y"]), (&nul, &nul));
        let set = json!({ "set": { raw: &nul[raw], "z": &nul }, "user_id": "jane" });
        let reply = server.raw("PUT", "/api/v2/chat/messages/m1").json(&set).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        assert_eq!(reply.body["message"]["custom"]["z"], nul);
        let payload = format!(r#"{{"filter_conditions":{{"id":{stacked}}}}}"#);
        server.raw("GET", "/api/v2/users").query("payload", &payload).send().await.expect_error(400, 4, "");
    }

    async fn extreme_numbers_are_no_internal_error(server: TestServer) {
        requests::prepare(server).await;
        for request in requests::all() {
            let mut spoilt = Vec::new();
            for body in request.body.iter().flat_map(with_extremes) {
                spoilt.push(Request { body: Some(body), ..request.clone() });
            }
            for (index, (_, value)) in request.query.iter().enumerate() {
                for value in with_extremes(value) {
                    let mut request = request.clone();
                    request.query[index].1 = value;
                    spoilt.push(request);
                }
            }
            for request in spoilt {
                let reply = request.send(server).await;
                let context = format!("{} {:?} {:?}", request.operation, request.query, request.body);
                assert!(reply.status < 500, "{context}: {}", reply.text);
            }
        }
    }

    async fn nul_characters_are_refused_wherever_they_stand(server: TestServer) {
        requests::prepare(server).await;
        for body in [
            json!({ "message": { "text": "a\0b", "user_id": "jane" } }),
            json!({ "message": { "id": "a\0b", "text": "a", "user_id": "jane" } }),
            json!({ "message": { "text": "a", "user_id": "jane\0" } }),
            json!({ "message": { "text": "a", "user_id": "jane", "custom": { "a": "\0" } } }),
            json!({ "message": { "text": "a", "user_id": "jane", "custom": { "\0": "a" } } }),
        ] {
            server.raw("POST", SEND).json(&body).send().await.expect_error(400, 4, "");
        }
        let payload = json!({ "filter_conditions": { "type": "messaging" }, "query": "\0" }).to_string();
        get(server, "/search", &[("payload", &payload)]).await.expect_error(400, 4, "payload");
        get(server, "/unread", &[("user_id", "a\0")]).await.expect_error(400, 4, "user_id");
        get(server, "/messages/a%00b", &[]).await.expect_error(400, 4, "");
        let beside_broken_text = b"{\"x\":\"\xff\",\"message\":{\"text\":\"\\u0000\",\"user_id\":\"jane\"}}";
        server.raw("POST", SEND).bytes(beside_broken_text).send().await.expect_error(400, 4, "");
        sent(server, "general", json!({ "user_id": "jane", "text": "a\\u0000b" })).await;
    }

    async fn huge_numbers_are_no_internal_error(server: TestServer) {
        requests::prepare(server).await;
        let with_custom = |number: &str| {
            format!(r#"{{"message":{{"text":"a","user_id":"jane","custom":{{"n":{number}}}}}}}"#)
        };
        let huge = "9".repeat(400);
        for number in ["1e308", "-1e308", "18446744073709551615", "-9223372036854775808", "1e400", "1e-400",
            &huge, "0.1e1", "-0", "-0.0"]
        {
            let reply = server.raw("POST", SEND).bytes(with_custom(number)).send().await;
            assert!(reply.status < 500, "{number}: {}", reply.text);
        }
        for limit in ["1e3", "1e30", "18446744073709551616", "-1", "2.5"] {
            let body = format!(r#"{{"filter_conditions":{{}},"limit":{limit}}}"#);
            let reply = server.raw("POST", "/api/v2/chat/channels").bytes(body).send().await;
            reply.expect_error(400, 4, "limit");
        }
        let reaction = json!({ "reaction": { "type": "a", "user_id": "joe", "score": i64::MAX } });
        let reply = server.raw("POST", "/api/v2/chat/messages/m1/reaction").json(&reaction).send().await;
        assert!(reply.status < 500, "{}", reply.text);
    }

    async fn ids_that_are_too_long_or_unknown_are_no_internal_error(server: TestServer) {
        requests::prepare(server).await;
        let long = "x".repeat(1000);
        let odd = [long.as_str(), "nothing", "%F0%9F%A6%80", "a%2Fb", "%25", "a:b", "%27"];
        // What get-or-create does not find, it creates.
        let finding = requests::all().into_iter().filter(|request| !request.path.ends_with("/query"));
        for request in finding {
            for known in ["messaging", "general", "m1", "m2", "gone"] {
                if !request.path.contains(&format!("/{known}")) {
                    continue;
                }
                for id in odd {
                    let path = request.path.replacen(known, id, 1);
                    let body = request.body.clone().unwrap_or_default();
                    let reply = server.raw(request.method, &path).json(&body).send().await;
                    assert_is_json_error(&reply);
                    assert!([400, 404, 405].contains(&reply.status), "{path}: {}", reply.text);
                }
            }
        }
    }

    async fn a_path_that_is_not_text_is_refused(server: TestServer) {
        assert_is_json_error(&server.raw("GET", "/api/v2/chat/messages/%ff%fe").send().await);
    }

    async fn a_body_that_is_too_big_is_refused(server: TestServer) {
        jane_and_joe(server).await;
        let big = sending("m1", &"x".repeat(5 * 1024 * 1024));
        let reply = server.raw("POST", SEND).bytes(big.clone()).send().await;
        assert_eq!((reply.status, reply.code()), (413, 22), "{}", reply.text);
        let packed = server.raw("POST", SEND).header("content-encoding", "gzip").bytes(gzip(big.as_bytes()));
        let reply = packed.send().await;
        assert_eq!((reply.status, reply.code()), (413, 22), "{}", reply.text);
        sent(server, "general", json!({ "user_id": "jane", "text": "still there" })).await;
    }

    async fn gzip_bodies_are_accepted(server: TestServer) {
        jane_and_joe(server).await;
        let packed = gzip(sending("m1", "packed").as_bytes());
        let request = server.raw("POST", SEND).header("content-encoding", "gzip");
        assert_eq!(request.bytes(packed.clone()).send().await.status, 201);
        assert_eq!(message(server, "m1").await["text"], "packed");
        for broken in [&packed[..packed.len() / 2], b"not gzip", b""] {
            let request = server.raw("POST", SEND).header("content-encoding", "gzip");
            let reply = request.bytes(broken).send().await;
            assert_eq!((reply.status, reply.code()), (400, 4), "{broken:?}: {}", reply.text);
        }
    }

    async fn other_encodings_are_refused(server: TestServer) {
        jane_and_joe(server).await;
        for encoding in ["br", "deflate", "zstd", "gzip, gzip", "nonsense"] {
            let request = server.raw("POST", SEND).header("content-encoding", encoding);
            let reply = request.bytes(sending("m1", "a")).send().await;
            assert_eq!((reply.status, reply.code()), (400, 4), "{encoding}: {}", reply.text);
        }
        let plain = server.raw("POST", SEND).header("content-encoding", "identity");
        assert_eq!(plain.bytes(sending("m1", "a")).send().await.status, 201);
    }

    async fn unknown_paths_are_not_found_in_json(server: TestServer) {
        for path in ["/", "/api", "/api/v2/nothing", "/api/v2/chat/messages", "//", "/api/v2/chat/a/b/c"] {
            let reply = server.raw("GET", path).send().await;
            assert_is_json_error(&reply);
            assert_eq!((reply.status, reply.code()), (404, 16), "{path}: {}", reply.text);
            // Tests of clients pass over what a server does not have by these words.
            for words in [path, "Not Found", "not found", "not enabled"] {
                assert!(reply.text.contains(words), "{path}: {}", reply.text);
            }
        }
    }

    async fn a_connection_outlives_a_body_that_is_not_read(server: TestServer) {
        server.users(&["jane"]).await;
        for (request, status) in [
            ("GET /api/v2/app", 200),
            ("POST /api/v2/nothing", 404),
            ("PATCH /api/v2/users/block", 405),
            ("POST /api/v2/users?sort=%00", 400),
            ("POST /healthz", 405),
        ] {
            let mut connection = Connection::open(server).await;
            // Longer than what is read in one go with the head.
            assert_eq!(connection.ask(request, &"x".repeat(1 << 20)).await, status, "{request}");
            assert_eq!(connection.ask("GET /api/v2/app", "null").await, 200, "after {request}");
        }
    }

    async fn a_wrong_method_is_refused_in_json(server: TestServer) {
        for request in requests::all() {
            for method in ["PATCH", "PUT"] {
                if is_operation(method, request.path) {
                    continue;
                }
                let reply = server.raw(method, request.path).send().await;
                assert_is_json_error(&reply);
            }
        }
    }

    async fn unknown_fields_are_ignored(server: TestServer) {
        requests::prepare(server).await;
        for request in requests::with_body() {
            let mut body = request.body.clone().unwrap();
            body["no_such_field"] = json!({ "a": [1] });
            let reply = Request { body: Some(body), ..request.clone() }.send(server).await;
            assert!(reply.status < 300, "{}: {}", request.operation, reply.text);
        }
    }

    async fn errors_name_their_operation(server: TestServer) {
        requests::prepare(server).await;
        for request in requests::with_body() {
            let reply = server.raw(request.method, request.path).bytes("{").send().await;
            let name: String = request.operation.split('_')
                .map(|word| word[..1].to_uppercase() + &word[1..]).collect();
            let start = format!("{name} failed with error: \"");
            assert!(reply.message().starts_with(&start), "{}", reply.text);
        }
    }

    async fn text_of_any_kind_comes_back_unchanged(server: TestServer) {
        jane_and_joe(server).await;
        let texts = [
            "'; DROP TABLE messages; --", "\\", "\"", "%_\\%", "\u{202e}backwards", "e\u{301}", "👩‍👩‍👧‍👦",
            "\u{feff}bom", "\u{10FFFF}", "line\r\nbreak\ttab", "\u{1}\u{1f}", "NULL", "$1 ?1 :a {0}", " a ",
        ];
        for (number, text) in texts.iter().enumerate() {
            let id = format!("m{number}");
            let message = json!({ "id": id, "user_id": "jane", "text": text, "custom": { *text: text } });
            sent(server, "general", message).await;
            let read = crate::chat::message(server, &id).await;
            assert_eq!((&read["text"], &read["custom"][text]), (&json!(text), &json!(text)), "{text:?}");
        }
    }

    async fn a_refused_send_leaves_nothing_behind(server: TestServer) {
        jane_and_joe(server).await;
        let off = json!({ "data": { "config_overrides": { "max_message_length": 3 } }, "user_id": "jane" });
        update_channel(server, "general", off).await;
        for message in [
            json!({ "text": "too long", "user": { "id": "ghost" } }),
            json!({ "text": "a", "user": { "id": "ghost" }, "parent_id": "nothing" }),
            json!({ "text": "a", "user_id": "jane", "mentioned_users": ["nobody"] }),
        ] {
            let reply = send(server, "general", message).await;
            assert_eq!(reply.status, 400, "{}", reply.text);
        }
        let state = crate::chat::state(server, "general").await;
        assert_eq!((&state["messages"], &state["channel"]["message_count"]), (&json!([]), &json!(0)));
        ok(get(server, "/unread", &[("user_id", "joe")]).await);
    }
}
