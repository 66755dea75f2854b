//! Keeps connections alive, and ends those that are not.

use std::sync::Arc;
use std::time::Duration;

use natterjack_protocol::events::Event;
use tokio_util::sync::CancellationToken;

use super::connection::{Close, Connection};
use super::frame::{Encoded, Frame};
use super::open;
use super::sending::Sending;
use super::socket::refuse;
use crate::limits::{HEALTH_CHECK_INTERVAL, IDLE_MAX, LAST_ACTIVE_INTERVAL, PING_AFTER};
use crate::state::State;

/// Time between two looks at all connections: one timer for all of them, since each would cost memory.
const INTERVAL: Duration = Duration::from_millis(500);

/// Looks after every connection until the server stops.
pub(super) async fn run(state: Arc<State>, stop: CancellationToken) {
    let mut noted_at = state.now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
        if state.live.hub.open() == 0 {
            continue;
        }
        let connections = state.live.hub.all();
        let now = state.now();
        let note_active =
            now.nanoseconds() - noted_at.nanoseconds() >= LAST_ACTIVE_INTERVAL.as_nanos() as i64;
        if note_active {
            noted_at = now;
        }
        let mut sending = Sending::default();
        for connection in &connections {
            look_after(&state, connection, &mut sending);
            if connection.polls && connection.outbox.end().is_some() {
                // No task of its own looks after it.
                open::close(&state, connection).await;
            }
            if note_active && !connection.is_anonymous {
                state.live.presences.note(connection.app_pk, &connection.user_id);
            }
        }
        sending.write().await;
    }
}

fn look_after(state: &State, connection: &Arc<Connection>, sending: &mut Sending) {
    let now = state.now();
    let app = state.app_with_pk(connection.app_pk);
    let held = connection.term.zip(app).map_or(Ok(()), |(term, app)| term.check(&app, now));
    if let Err(error) = held {
        refuse(state, connection, &error);
        return;
    }
    let silence = connection.silence(now);
    if silence >= IDLE_MAX.as_nanos() as i64 {
        connection.close(Close::Idle);
        return;
    }
    if connection.is_check_due(now, HEALTH_CHECK_INTERVAL.as_nanos() as i64) {
        sending.queue(connection, health_check(state, connection));
        if silence >= PING_AFTER.as_nanos() as i64 && !connection.polls {
            sending.queue(connection, Frame::ping());
        }
    }
}

/// The sign of life of the server.
pub(super) fn health_check(state: &State, connection: &Connection) -> Frame {
    let event = Event {
        kind: "health.check".to_owned(),
        created_at: state.now(),
        cid: Some("*".to_owned()),
        connection_id: Some(connection.id.clone()),
        ..Event::default()
    };
    Encoded::new(&event).frame()
}
