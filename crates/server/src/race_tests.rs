//! What happens between a commit and the answer to it, in an order that no client can bring about on purpose.

#![allow(clippy::unwrap_used)]

use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};

use axum::body::Body;
use axum::extract::Request;
use futures_util::poll;
use natterjack_protocol::users::{DeactivateUserRequest, UpdateUsersRequest, UserRequest};
use natterjack_protocol::{Timestamp, UserId};
use natterjack_storage::{DatabaseUrl, Error, NewApp, Store};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::actions::users;
use crate::api::{Edge, router};
use crate::auth::{Authenticator, Caller, Who};
use crate::clock::ManualClock;
use crate::state::State;

/// A server without a listener, on SQLite.
struct World {
    state: Arc<State>,
    caller: Caller,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&DatabaseUrl::Sqlite(folder.path().join("natterjack.db"))).await.unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_nanoseconds(1_000_000_000)));
        // In development mode tokens need no signature.
        let state = Arc::new(State::new(store, clock, true).await.unwrap());
        let app = NewApp { name: "test".into(), api_key: "key".into(), api_secret: "secret".into() };
        state.set_first_app(app).await.unwrap();
        let caller = Caller { app: state.first_app().unwrap(), who: Who::Server, address: None };
        let world = Self { state, caller, _folder: folder };
        users::update_users(&world.state, &world.caller, jane("Jane")).await.unwrap();
        world
    }

    /// Whether jane is deactivated, as far as who acts as her is told.
    async fn is_deactivated(&self) -> bool {
        let jane = self.state.user(self.caller.app.pk, "jane").await.unwrap().unwrap();
        jane.user.deactivated_at.is_some()
    }
}

fn jane(name: &str) -> UpdateUsersRequest {
    let user = UserRequest { id: "jane".into(), name: Some(name.into()), ..UserRequest::default() };
    UpdateUsersRequest { users: [("jane".to_owned(), user)].into() }
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_keep_what_follows_a_commit_from_being_done() {
    let world = World::new().await;
    assert!(!world.is_deactivated().await);
    let edge = Edge {
        state: Arc::clone(&world.state),
        authenticator: Authenticator::default(),
        tasks: TaskTracker::new(),
    };
    let tasks = edge.tasks.clone();
    let router = router(Arc::new(edge), None);
    // {"alg":"HS256"} . {"server":true}
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzZXJ2ZXIiOnRydWV9.devtoken";
    let request = Request::post("/api/v2/users/jane/deactivate?api_key=key")
        .header("authorization", token)
        .header("stream-auth-type", "jwt")
        .body(Body::from("{}"))
        .unwrap();

    // As long as the writer is busy, the call waits in front of its write.
    let (release, busy) = mpsc::channel::<()>();
    let busy = world.state.store.write("test", Mutex::new(busy), |_, busy| {
        Box::pin(async move {
            busy.lock().unwrap().recv().unwrap();
            Ok::<_, Error>(())
        })
    });
    let mut busy = pin!(busy);
    assert!(poll!(busy.as_mut()).is_pending());
    {
        let mut answer = pin!(router.oneshot(request));
        assert!(poll!(answer.as_mut()).is_pending());
    }
    release.send(()).unwrap();
    busy.await.unwrap();
    tasks.close();
    tasks.wait().await;
    // Whatever was written before is committed by now.
    world.state.store.write("test", (), |_, ()| Box::pin(async { Ok::<_, Error>(()) })).await.unwrap();
    assert!(world.is_deactivated().await);
}

#[tokio::test]
async fn the_answer_to_an_older_write_does_not_bring_the_older_user_back() {
    let world = World::new().await;
    let World { state, caller, .. } = &world;
    let mut renamed = pin!(users::update_users(state, caller, jane("Janet")));
    assert!(poll!(renamed.as_mut()).is_pending(), "it is written first, and answered last");
    let id = UserId::parse("jane").unwrap();
    users::deactivate_user(state, caller, &id, DeactivateUserRequest::default()).await.unwrap();
    let renamed = renamed.await.unwrap();
    assert_eq!(renamed.users["jane"].name.as_deref(), Some("Janet"));
    assert!(world.is_deactivated().await);
}
