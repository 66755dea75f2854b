//! The chat page at `/demo`: what is served, and two people who talk to each other in a real browser.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod browser;
#[path = "../running/mod.rs"]
mod running;

use std::path::PathBuf;

use browser::{Browser, Page};
use natterjack_client::protocol::messages::{MessageRequest, SendMessageRequest};
use running::Running;

/// Set to `required` where a missing browser is a failure.
const BROWSER_VARIABLE: &str = "NATTERJACK_TEST_BROWSER";
/// A folder into which pictures of the page are written.
const PICTURES_VARIABLE: &str = "NATTERJACK_DEMO_PICTURES";

#[tokio::test]
async fn the_page_is_there_only_in_development_mode() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    for path in ["/demo", "/demo/app.js", "/demo/config.json"] {
        let reply = reqwest::get(format!("{}{path}", server.url)).await.unwrap();
        assert_eq!(reply.status(), 404, "{path}");
    }
    // And nothing of the mode is left behind for a server that is started without it.
    drop(server);
    drop(Running::start_with(folder.path(), "127.0.0.1:0", &["--dev"]));
    let server = Running::start(folder.path());
    let app = server.client().common().get_app().await.unwrap();
    assert!(!app.app.disable_auth_checks);
}

#[tokio::test]
async fn its_files_come_with_their_type_a_policy_and_a_tag() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start_with(folder.path(), "127.0.0.1:0", &["--dev"]);
    let http = reqwest::Client::new();
    for (path, content_type) in [
        ("/demo", "text/html; charset=utf-8"),
        ("/demo/style.css", "text/css; charset=utf-8"),
        ("/demo/icon.svg", "image/svg+xml"),
        ("/demo/api.js", "text/javascript; charset=utf-8"),
    ] {
        let reply = http.get(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(reply.status(), 200, "{path}");
        let header = |name: &str| reply.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), content_type, "{path}");
        assert!(header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        let again = http.get(format!("{}{path}", server.url)).header("if-none-match", header("etag"));
        assert_eq!(again.send().await.unwrap().status(), 304, "{path}");
    }
    // Every script that the page names is there.
    let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("demo");
    for entry in std::fs::read_dir(sources).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = if name == "index.html" { String::new() } else { format!("/{name}") };
        let reply = http.get(format!("{}/demo{path}", server.url)).send().await.unwrap();
        assert_eq!(reply.status(), 200, "{name}");
    }
}

#[tokio::test]
async fn the_key_is_not_for_pages_of_other_sites() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start_with(folder.path(), "127.0.0.1:0", &["--dev"]);
    let url = format!("{}/demo/config.json", server.url);
    let http = reqwest::Client::new();
    let own = http.get(&url).header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert_eq!(own.text().await.unwrap(), r#"{"api_key":"key"}"#);
    let foreign = http.get(&url).header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!(foreign.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_talk_to_each_other() {
    let Some(program) = Browser::find() else {
        assert_ne!(std::env::var(BROWSER_VARIABLE).as_deref(), Ok("required"), "there is no Chromium");
        eprintln!("skipped: there is no Chromium; on Debian and Ubuntu: apt-get install chromium");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut server = Running::start_with(folder.path(), "127.0.0.1:0", &["--dev"]);
    let browser = Browser::start(&program).await;

    let bob = sign_in(&browser, &server, "Bob Quill").await;
    let ann = sign_in(&browser, &server, "Ann").await;
    begin_a_channel(&ann, &bob).await;
    talk(&ann, &bob).await;
    react(&ann, &bob).await;
    talk_in_a_thread(&ann, &bob).await;
    talk_elsewhere(&ann, &bob).await;
    change_and_delete(&ann, &bob).await;
    write_markup(&ann, &bob).await;
    read_older_messages(&ann, &server).await;
    use_a_phone(&bob).await;
    renew_a_token(&ann).await;
    assert_eq!(ann.problems(), [""; 0]);
    assert_eq!(bob.problems(), [""; 0]);

    bob.close().await;
    ann.wait_for(
        "that Bob left",
        "document.querySelector('#conversation .subtitle').textContent === 'Offline'",
    )
    .await;
    let bob = sign_in(&browser, &server, "Bob Quill").await;
    ann.wait_for(
        "that Bob is back",
        "document.querySelector('#conversation .subtitle').textContent === 'Online'",
    )
    .await;
    come_back_after_a_crash(&ann, &bob, &mut server, folder.path()).await;
}

async fn sign_in(browser: &Browser, server: &Running, name: &str) -> Page {
    let page = browser.page(&format!("{}/demo", server.url)).await;
    page.resize(1280, 800).await;
    page.prefer("light").await;
    page.find("heading", "Natterjack").await;
    page.wait_for("the script", "!document.querySelector('#sign-in button').disabled").await;
    page.click("textbox", "Your name").await;
    page.type_text(name).await;
    picture(&page, "sign-in").await;
    page.press("Enter").await;
    page.find("navigation", "Channels").await;
    page
}

/// An expression: whether some element that the selector finds has this text in it.
fn shows(selector: &str, text: &str) -> String {
    let (selector, text) = (serde_json::json!(selector), serde_json::json!(text));
    format!(
        "[...document.querySelectorAll({selector})].some((element) => element.textContent.includes({text}))"
    )
}

async fn begin_a_channel(ann: &Page, bob: &Page) {
    ann.click("button", "New channel").await;
    ann.find("dialog", "New channel").await;
    ann.click("textbox", "Name").await;
    ann.type_text("Garden").await;
    ann.wait_for("the name", "document.querySelector('#channel-name').value === 'Garden'").await;
    ann.click("checkbox", "Bob Quill").await;
    picture(ann, "new-channel").await;
    ann.click("button", "Create").await;
    ann.find("heading", "Garden").await;
    ann.wait_for("the focus in the field", "document.activeElement.ariaLabel === 'Message Garden'").await;
    ann.wait_for(
        "that Bob is here",
        "document.querySelector('#conversation .subtitle').textContent === 'Online'",
    )
    .await;
    bob.find("link", "Garden").await;
    // What a screen reader is told of the page.
    for (role, name) in [
        ("navigation", "Channels"),
        ("main", "Garden"),
        ("list", "Messages"),
        ("textbox", "Message Garden"),
        ("button", "Send"),
        ("button", "New channel"),
        ("button", "Sign out"),
    ] {
        ann.find(role, name).await;
    }
}

/// A message with typing before it, an unread badge, and receipts.
async fn talk(ann: &Page, bob: &Page) {
    ann.type_text("Hello Bob, are the tomatoes ripe?").await;
    bob.wait_for("that Ann types", &shows("#channel-list .last", "Ann is typing…")).await;
    ann.press("Enter").await;
    ann.wait_for("that it was sent", &shows(".receipt", "Sent")).await;
    bob.wait_for("the badge", &shows(".badge", "1 unread message")).await;
    bob.wait_for("the title", "document.title === '(1) Natterjack'").await;
    bob.click("link", "Garden").await;
    bob.wait_for("the message", &shows(".text", "are the tomatoes ripe?")).await;
    bob.wait_for("that the badge goes", "!document.querySelector('.badge')").await;
    ann.wait_for("the receipt", &shows(".receipt", "Seen by Bob Quill")).await;

    bob.type_text("Not yet.").await;
    ann.wait_for("that Bob types", &shows("#conversation .typing", "Bob Quill is typing…")).await;
    bob.press("Enter").await;
    ann.wait_for("the answer", &shows(".text", "Not yet.")).await;
    ann.wait_for("that it is read aloud", &shows("#announcer", "Bob Quill: Not yet.")).await;
    ann.wait_for("that typing ends", "document.querySelector('#conversation .typing').textContent === ''")
        .await;
}

/// By keyboard: from the field back to the last message, and from there to what can be done with it.
async fn react(ann: &Page, bob: &Page) {
    ann.put_pointer_away().await;
    ann.press("Shift+Tab").await;
    ann.wait_for("the focus on the message", "document.activeElement.ariaLabel?.includes('Not yet.')").await;
    ann.press("ArrowUp").await;
    ann.wait_for("the focus above", "document.activeElement.ariaLabel.includes('tomatoes')").await;
    ann.press("ArrowDown").await;
    ann.press("Tab").await;
    ann.wait_for("the focus on a button", "document.activeElement.ariaLabel === 'React with like'").await;
    ann.press("Tab").await;
    ann.press("Enter").await;
    bob.find("button", "love, 1 reaction").await;
    ann.find("button", "love, 1 reaction, yours included").await;
    bob.click("button", "love, 1 reaction").await;
    ann.find("button", "love, 2 reactions, yours included").await;
    ann.click("button", "love, 2 reactions").await;
    bob.find("button", "love, 1 reaction, yours included").await;
}

async fn talk_in_a_thread(ann: &Page, bob: &Page) {
    ann.click("listitem", "Bob Quill").await;
    ann.click("link", "Reply in a thread").await;
    ann.find("complementary", "Thread").await;
    ann.wait_for("the focus in the thread", "document.activeElement.ariaLabel === 'Reply'").await;
    ann.type_text("Then we wait for the sun.").await;
    ann.press("Enter").await;
    bob.click("link", "1 reply").await;
    bob.wait_for("the reply", &shows("#thread .text", "wait for the sun")).await;
    bob.wait_for("the focus in the thread", "document.activeElement.ariaLabel === 'Reply'").await;
    bob.type_text("It comes tomorrow.").await;
    ann.wait_for("that Bob types there", &shows("#thread .typing", "Bob Quill is typing…")).await;
    bob.press("Enter").await;
    ann.wait_for("the second reply", &shows("#thread .text", "It comes tomorrow.")).await;
    ann.wait_for("the count", &shows("#conversation .replies", "2 replies")).await;
    ann.wait_for("no reply in the channel", &format!("!({})", shows("#conversation .text", "tomorrow")))
        .await;
    ann.press("Escape").await;
    ann.wait_for("the focus on the message", "document.activeElement.ariaLabel?.includes('Not yet.')").await;
    ann.wait_for("the end of the thread", "document.querySelector('#thread').hidden").await;
}

/// A second channel, which stays unread, and what the README shows.
async fn talk_elsewhere(ann: &Page, bob: &Page) {
    bob.click("button", "New channel").await;
    bob.find("dialog", "New channel").await;
    bob.click("textbox", "Name").await;
    bob.type_text("Saturday market").await;
    bob.click("checkbox", "Ann").await;
    bob.click("button", "Create").await;
    bob.wait_for("the field", "document.activeElement.ariaLabel === 'Message Saturday market'").await;
    for text in ["Who brings the scales?", "I have the table and the awning."] {
        bob.type_text(text).await;
        bob.press("Enter").await;
    }
    ann.wait_for("the badge", &shows(".badge", "2 unread messages")).await;
    bob.click("link", "Garden").await;
    bob.wait_for("the field", "document.activeElement.ariaLabel === 'Message Garden'").await;
    ann.click("textbox", "Message Garden").await;
    ann.type_text("I bring the watering can this evening.").await;
    ann.press("Enter").await;
    bob.wait_for("the message", &shows("#conversation .text", "watering can")).await;
    bob.type_text("Perfect, and I bring the new seeds: https://example.org/beans").await;
    bob.press("Enter").await;
    ann.wait_for("the answer", &shows("#conversation .text", "new seeds")).await;
    ann.click("link", "2 replies").await;
    ann.wait_for("the thread", &shows("#thread .text", "It comes tomorrow.")).await;
    ann.wait_for("the focus in the thread", "document.activeElement.ariaLabel === 'Reply'").await;
    bob.type_text("And").await;
    ann.wait_for("that Bob types", &shows("#conversation .typing", "Bob Quill is typing…")).await;
    picture(ann, "demo").await;
    ann.prefer("dark").await;
    picture(ann, "demo-dark").await;
    ann.prefer("light").await;
    bob.type_text(" the hoe.").await;
    bob.press("Enter").await;
    ann.wait_for("the rest", &shows("#conversation .text", "And the hoe.")).await;
    ann.click("link", "Close the thread").await;
}

async fn change_and_delete(ann: &Page, bob: &Page) {
    ann.click("textbox", "Message Garden").await;
    for text in ["I brought wter.", "Never mind."] {
        ann.type_text(text).await;
        ann.press("Enter").await;
        bob.wait_for("the message", &shows("#conversation .text", text)).await;
    }
    // The last own message is changed by the arrow up, once it has arrived.
    ann.wait_for("that it was sent", "!document.querySelector('.sending')").await;
    ann.press("ArrowUp").await;
    ann.wait_for("the text in the field", "document.activeElement.value === 'Never mind.'").await;
    ann.type_text(" It rains.").await;
    ann.press("Enter").await;
    bob.wait_for("the change", &shows("#conversation .text", "Never mind. It rains.")).await;

    ann.click("listitem", "Ann, ").await;
    ann.click("button", "Delete").await;
    ann.find("dialog", "Delete this message?").await;
    ann.click("button", "Keep it").await;
    ann.wait_for("that it is kept", &shows("#conversation .text", "Never mind. It rains.")).await;
    ann.click("listitem", "Ann, ").await;
    ann.click("button", "Delete").await;
    ann.find("dialog", "Delete this message?").await;
    ann.press("Tab").await;
    ann.press("Enter").await;
    bob.wait_for("the deletion", &shows("#conversation .text", "This message was deleted.")).await;
    bob.wait_for("that the text is gone", &format!("!({})", shows(".text", "It rains."))).await;
}

/// Text stays text.
async fn write_markup(ann: &Page, bob: &Page) {
    ann.click("textbox", "Message Garden").await;
    ann.type_text("<img src=x onerror=alert(1)> https://example.org/a?b=<c>").await;
    ann.press("Enter").await;
    bob.wait_for("the text", &shows("#conversation .text", "<img src=x onerror=alert(1)>")).await;
    let found = bob.evaluate("document.querySelectorAll('.messages img, .messages script').length").await;
    assert_eq!(found, 0);
    let link = bob
        .evaluate("[...document.querySelectorAll('#conversation .text a')].at(-1).getAttribute('href')")
        .await;
    assert_eq!(link, "https://example.org/a?b=");
}

/// Pages of messages come as one scrolls up, and what one reads stays in its place.
async fn read_older_messages(ann: &Page, server: &Running) {
    let cid = ann.evaluate("decodeURIComponent(location.hash.slice(2))").await;
    let (_, channel) = cid.as_str().unwrap().split_once(':').unwrap();
    for number in 1..=70 {
        let message = MessageRequest {
            text: Some(format!("Row {number} of the beans")),
            user_id: Some("bob-quill".to_owned()),
            ..MessageRequest::default()
        };
        let request = SendMessageRequest { message, ..SendMessageRequest::default() };
        server.client().chat().send_message("messaging", channel, request).await.unwrap();
    }
    ann.wait_for("the last row", &shows("#conversation .text", "Row 70 of")).await;
    // Anew, so that the page has only the newest messages.
    ann.reload().await;
    ann.wait_for("the newest messages", &shows("#conversation .text", "Row 70 of")).await;
    ann.wait_for("not the oldest", &format!("!({})", shows("#conversation .text", "tomatoes"))).await;
    for text in ["Row 20 of", "tomatoes"] {
        ann.evaluate("document.querySelector('#conversation .scroller').scrollTop = 0").await;
        ann.wait_for(text, &shows("#conversation .text", text)).await;
    }
    let top = ann.evaluate("document.querySelector('#conversation .scroller').scrollTop").await;
    assert!(top.as_f64().unwrap() > 0.0, "what was read moved away");
}

async fn use_a_phone(page: &Page) {
    page.resize(390, 844).await;
    let is_narrow = "document.documentElement.scrollWidth <= 390";
    page.click("link", "Back to the channels").await;
    page.wait_for("the list alone", "document.querySelector('#conversation').hidden").await;
    assert_eq!(page.evaluate(is_narrow).await, true);
    picture(page, "phone-channels").await;
    page.click("link", "Garden").await;
    page.wait_for("the conversation alone", "document.querySelector('#channels').offsetParent === null")
        .await;
    assert_eq!(page.evaluate(is_narrow).await, true);
    picture(page, "phone-conversation").await;
    page.resize(1280, 800).await;
}

/// The client asks for another token when the one that it has is too old.
async fn renew_a_token(page: &Page) {
    let script = r"(async () => {
        const { Client } = await import('/demo/api.js');
        const encode = (value) => btoa(JSON.stringify(value)).replaceAll('=', '');
        const token = (claims) => `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}.devtoken`;
        const tokens = [token({ user_id: 'ann', exp: 1 }), token({ user_id: 'ann' })];
        const client = new Client({ apiKey: 'key', tokenProvider: () => tokens.shift() });
        const me = await client.connect({ id: 'ann' });
        client.disconnect();
        return [me.name, tokens.length];
    })()";
    assert_eq!(page.evaluate(script).await, serde_json::json!(["Ann", 0]));
}

/// The server dies and comes back: the pages notice, come back by themselves, and miss nothing.
async fn come_back_after_a_crash(ann: &Page, bob: &Page, server: &mut Running, folder: &std::path::Path) {
    bob.click("link", "Garden").await;
    server.kill();
    for page in [ann, bob] {
        page.wait_for("the banner", &shows("#banner", "Connection lost. Reconnecting…")).await;
    }
    ann.click("textbox", "Message Garden").await;
    ann.type_text("Is anybody there?").await;
    ann.press("Enter").await;
    ann.find("button", "Try again").await;

    let listen = server.url.strip_prefix("http://").unwrap().to_owned();
    *server = Running::start_with(folder, &listen, &["--dev"]);
    for page in [ann, bob] {
        page.wait_for("that the banner goes", "document.querySelector('#banner').textContent === ''").await;
    }
    ann.click("button", "Try again").await;
    bob.wait_for("the message", &shows("#conversation .text", "Is anybody there?")).await;
    bob.click("textbox", "Message Garden").await;
    bob.type_text("Yes, again.").await;
    bob.press("Enter").await;
    ann.wait_for("the answer", &shows("#conversation .text", "Yes, again.")).await;
    // Meanwhile nothing could be reached, which the console says; nothing else went wrong.
    for problem in ann.problems().into_iter().chain(bob.problems()) {
        assert!(problem.contains("net::ERR_") || problem.contains("WebSocket connection"), "{problem}");
    }
}

/// Writes what a page shows, where a folder for pictures is named.
async fn picture(page: &Page, name: &str) {
    if let Some(folder) = std::env::var_os(PICTURES_VARIABLE) {
        page.screenshot(&PathBuf::from(folder).join(format!("{name}.png"))).await;
    }
}
