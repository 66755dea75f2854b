//! A headless Chromium, driven by its DevTools protocol as a person drives it: by what the accessibility tree says.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::{Message, protocol::WebSocketConfig};

/// How long a page may take to show what is waited for. Generous, because the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// Programs that are Chromium, in the order of preference.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// A screenshot is one message.
const MESSAGE_SIZE_MAX: usize = 64 << 20;

/// A running browser that is killed when the test ends.
pub struct Browser {
    child: Child,
    /// Removed after the browser has ended.
    _profile: tempfile::TempDir,
    connection: Arc<Connection>,
}

/// The socket over which all pages are driven.
struct Connection {
    outgoing: mpsc::UnboundedSender<Message>,
    last_id: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Result<Value, String>>>>,
    /// What went wrong in each page, by its session.
    problems: Mutex<HashMap<String, Vec<String>>>,
}

/// One page in a context of its own: nothing is shared with the others.
pub struct Page {
    connection: Arc<Connection>,
    session: String,
    target: String,
}

impl Browser {
    /// Where Chromium is installed, if it is.
    pub fn find() -> Option<PathBuf> {
        let path = std::env::var_os("PATH")?;
        let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        let candidates =
            PROGRAMS.iter().flat_map(|program| folders.iter().map(move |folder| folder.join(program)));
        candidates.into_iter().find(|candidate| candidate.is_file())
    }

    pub async fn start(program: &Path) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new(program)
            .args(["--headless=new", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu"])
            // The tests may run as root, for whom Chromium has no sandbox; the pages are our own.
            .args(["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"])
            // A page in the background is to be as quick as the other one.
            .args(["--disable-renderer-backgrounding", "--disable-background-timer-throttling"])
            .arg("--lang=en-GB")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .env("TZ", "UTC")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .find_map(|line| line.unwrap().strip_prefix("DevTools listening on ").map(str::to_owned))
            .expect("Chromium says where it listens");
        // Nobody reads what else it says, but it must be able to say it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, _profile: profile, connection: Connection::open(&address).await }
    }

    /// Opens a page in a context of its own.
    pub async fn page(&self, url: &str) -> Page {
        let connection = Arc::clone(&self.connection);
        let context = connection.call(None, "Target.createBrowserContext", json!({})).await;
        let target = json!({ "url": "about:blank", "browserContextId": context["browserContextId"] });
        let target = connection.call(None, "Target.createTarget", target).await;
        let target = target["targetId"].as_str().unwrap().to_owned();
        let attached = json!({ "targetId": target, "flatten": true });
        let attached = connection.call(None, "Target.attachToTarget", attached).await;
        let page = Page { connection, session: attached["sessionId"].as_str().unwrap().to_owned(), target };
        for domain in ["Page", "Runtime", "Log", "DOM", "Accessibility"] {
            page.call(&format!("{domain}.enable"), json!({})).await;
        }
        page.call("Page.navigate", json!({ "url": url })).await;
        page
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Connection {
    async fn open(address: &str) -> Arc<Self> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_SIZE_MAX))
            .max_frame_size(Some(MESSAGE_SIZE_MAX));
        let (socket, _) =
            tokio_tungstenite::connect_async_with_config(address, Some(config), false).await.unwrap();
        let (mut sink, mut stream) = socket.split();
        let (outgoing, mut queue) = mpsc::unbounded_channel();
        let connection = Arc::new(Self {
            outgoing,
            last_id: AtomicU64::new(0),
            waiting: Mutex::default(),
            problems: Mutex::default(),
        });
        tokio::spawn(async move {
            while let Some(message) = queue.recv().await {
                if sink.send(message).await.is_err() {
                    break;
                }
            }
        });
        let reader = Arc::clone(&connection);
        tokio::spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                if let Message::Text(text) = message {
                    reader.receive(&serde_json::from_str(&text).unwrap());
                }
            }
        });
        connection
    }

    /// Makes one call of the protocol, to the browser or to a page.
    async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.try_call(session, method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    async fn try_call(&self, session: Option<&str>, method: &str, params: Value) -> Result<Value, String> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap().insert(id, sender);
        self.outgoing.send(Message::text(message.to_string())).unwrap();
        let answer = tokio::time::timeout(PATIENCE * 2, receiver).await;
        answer.map_err(|_| "no answer".to_owned())?.map_err(|_| "the browser is gone".to_owned())?
    }

    fn receive(&self, message: &Value) {
        if let Some(id) = message["id"].as_u64() {
            let answer = match message.get("error") {
                Some(error) => Err(error.to_string()),
                None => Ok(message["result"].clone()),
            };
            if let Some(waiting) = self.waiting.lock().unwrap().remove(&id) {
                let _ = waiting.send(answer);
            }
            return;
        }
        let params = &message["params"];
        let problem = match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => Some(params["exceptionDetails"].to_string()),
            Some("Runtime.consoleAPICalled") if params["type"] == "error" => Some(params["args"].to_string()),
            Some("Log.entryAdded") if params["entry"]["level"] == "error" => {
                Some(format!("{} {}", params["entry"]["text"], params["entry"]["url"]))
            }
            _ => None,
        };
        if let (Some(problem), Some(session)) = (problem, message["sessionId"].as_str()) {
            self.problems.lock().unwrap().entry(session.to_owned()).or_default().push(problem);
        }
    }
}

impl Page {
    async fn call(&self, method: &str, params: Value) -> Value {
        self.connection.call(Some(&self.session), method, params).await
    }

    /// The value of an expression, after its promise if it is one.
    pub async fn evaluate(&self, expression: &str) -> Value {
        self.try_evaluate(expression).await.unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// The same; fails when the page is left meanwhile.
    async fn try_evaluate(&self, expression: &str) -> Result<Value, String> {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.connection.try_call(Some(&self.session), "Runtime.evaluate", params).await?;
        match answer.get("exceptionDetails") {
            Some(exception) => Err(exception.to_string()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// Loads the page anew.
    pub async fn reload(&self) {
        self.call("Page.reload", json!({})).await;
    }

    /// Waits until an expression is true, looking at it whenever the page changes.
    pub async fn wait_for(&self, what: &str, expression: &str) {
        let script = format!(
            "new Promise((resolve) => {{
                const look = () => {{
                    if (!({expression})) return;
                    observer.disconnect();
                    clearInterval(timer);
                    clearTimeout(end);
                    resolve(true);
                }};
                const observer = new MutationObserver(look);
                const timer = setInterval(look, 100);
                const end = setTimeout(() => {{ observer.disconnect(); clearInterval(timer); resolve(false); }}, {});
                observer.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
                look();
            }})",
            PATIENCE.as_millis()
        );
        let started = Instant::now();
        let mut outcome = self.try_evaluate(&script).await;
        while outcome.is_err() && started.elapsed() < PATIENCE {
            // The page was being left; what is waited for may be on the next one.
            outcome = self.try_evaluate(&script).await;
        }
        if outcome != Ok(Value::Bool(true)) {
            let text = self.evaluate("document.body.innerText").await;
            panic!("{what} does not come: {expression}\nproblems: {:?}\npage: {text}", self.problems());
        }
    }

    /// The nodes of the accessibility tree, those that are ignored left out: role, name and the node itself.
    pub async fn tree(&self) -> Vec<(String, String, Value)> {
        let tree = self.call("Accessibility.getFullAXTree", json!({})).await;
        let text = |node: &Value, key: &str| node[key]["value"].as_str().unwrap_or_default().to_owned();
        let nodes = tree["nodes"].as_array().unwrap().iter().filter(|node| node["ignored"] != true);
        nodes.map(|node| (text(node, "role"), text(node, "name"), node.clone())).collect()
    }

    /// Waits for something with this role, whose name begins with `name`, and returns it.
    pub async fn find(&self, role: &str, name: &str) -> Value {
        let started = Instant::now();
        loop {
            let tree = self.tree().await;
            let found = tree.iter().rfind(|node| node.0 == role && node.1.starts_with(name));
            if let Some((_, _, node)) = found {
                return node.clone();
            }
            if started.elapsed() > PATIENCE {
                let seen: Vec<String> =
                    tree.iter().map(|(role, name, _)| format!("{role} {name:?}")).collect();
                panic!("there is no {role} {name:?}\nproblems: {:?}\npage: {seen:#?}", self.problems());
            }
            // Until the page changes, or a moment has passed.
            self.evaluate(
                "new Promise((resolve) => {
                    const observer = new MutationObserver(done);
                    const timer = setTimeout(done, 100);
                    observer.observe(document, { subtree: true, childList: true, attributes: true });
                    function done() { observer.disconnect(); clearTimeout(timer); resolve(); }
                })",
            )
            .await;
        }
    }

    /// Clicks on the middle of what has this role and a name that begins with `name`.
    pub async fn click(&self, role: &str, name: &str) {
        let started = Instant::now();
        loop {
            // What was found may be replaced before it is clicked on.
            match self.try_click(role, name).await {
                Ok(()) => return,
                Err(error) => assert!(started.elapsed() < PATIENCE, "{role} {name:?}: {error}"),
            }
        }
    }

    async fn try_click(&self, role: &str, name: &str) -> Result<(), String> {
        let node = json!({ "backendNodeId": self.find(role, name).await["backendDOMNodeId"] });
        let session = Some(self.session.as_str());
        self.connection.try_call(session, "DOM.scrollIntoViewIfNeeded", node.clone()).await?;
        let quads = self.connection.try_call(session, "DOM.getContentQuads", node.clone()).await?;
        self.try_evaluate(
            "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))",
        )
        .await?;
        if self.connection.try_call(session, "DOM.getContentQuads", node).await? != quads {
            return Err("is moving".to_owned());
        }
        let corners: Vec<f64> =
            quads["quads"][0].as_array().ok_or("has no place")?.iter().filter_map(Value::as_f64).collect();
        let middle = |axis: usize| corners.iter().skip(axis).step_by(2).sum::<f64>() / 4.0;
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event =
                json!({ "type": kind, "x": middle(0), "y": middle(1), "button": button, "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event).await;
        }
        Ok(())
    }

    /// Moves the pointer into a corner, where it shows nothing that the keyboard is to show.
    pub async fn put_pointer_away(&self) {
        self.call("Input.dispatchMouseEvent", json!({ "type": "mouseMoved", "x": 0, "y": 0 })).await;
    }

    /// Types a text where the focus is.
    pub async fn type_text(&self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Presses a key, such as `Enter`, `Tab`, `Shift+Tab` or `ArrowUp`.
    pub async fn press(&self, key: &str) {
        let (modifiers, key) = key.strip_prefix("Shift+").map_or((0, key), |key| (8, key));
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            "ArrowUp" => (38, ""),
            "ArrowDown" => (40, ""),
            " " => (32, " "),
            other => panic!("the code of {other} is not known here"),
        };
        let event = |kind: &str| json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers });
        let mut down = event("keyDown");
        if !text.is_empty() {
            down["text"] = text.into();
        }
        self.call("Input.dispatchKeyEvent", down).await;
        self.call("Input.dispatchKeyEvent", event("keyUp")).await;
    }

    /// Gives the page the size of a screen.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Asks for light or dark colours.
    pub async fn prefer(&self, colours: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": colours });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [feature] })).await;
    }

    /// Writes what is seen to a file.
    pub async fn screenshot(&self, file: &Path) {
        let image = self.call("Page.captureScreenshot", json!({ "format": "png" })).await;
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(image["data"].as_str().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }

    /// What went wrong in the page since this was asked last: exceptions, errors in the console, failed requests.
    pub fn problems(&self) -> Vec<String> {
        self.connection.problems.lock().unwrap().remove(&self.session).unwrap_or_default()
    }

    /// Closes the page, as somebody does who leaves.
    pub async fn close(self) {
        self.connection.call(None, "Target.closeTarget", json!({ "targetId": self.target })).await;
    }
}
