use natterjack_protocol::UserId;

use crate::auth::Caller;
use crate::error::Result;
use crate::limits::LAST_ADDRESS_TIME_MIN;
use crate::state::{LastAddress, State};

/// Notes from where a user calls, for bans of addresses: when it is somewhere else than last time, and then not again for a
/// while, since who calls from two places at once would make each call a write. A call does not fail for it.
pub(crate) async fn note_address(state: &State, caller: &Caller) {
    let Some(id) = caller.user_id() else { return };
    if let Err(error) = note(state, caller, id).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the address of a user was not noted");
    }
}

async fn note(state: &State, caller: &Caller, id: &UserId) -> Result<()> {
    let Some(address) = caller.address else { return Ok(()) };
    let key = (caller.app.pk, id.as_str().to_owned());
    let now = state.now();
    let known = match state.last_addresses.get(&key) {
        Some(known) => known,
        None => {
            let read = state.store.read("find_last_address", key.clone(), |tx, (app_pk, id)| {
                Box::pin(tx.find_last_address(*app_pk, id))
            });
            let stored = read.await?.and_then(|text| text.parse().ok());
            let known = LastAddress { address: stored, noted_at: Default::default() };
            state.last_addresses.insert(key.clone(), known);
            known
        }
    };
    let age = now.nanoseconds() - known.noted_at.nanoseconds();
    if known.address == Some(address) || i128::from(age) < LAST_ADDRESS_TIME_MIN.as_nanos() as i128 {
        return Ok(());
    }
    // Before it is written, so that calls that come meanwhile do not write it too.
    state.last_addresses.insert(key.clone(), LastAddress { address: Some(address), noted_at: now });
    let noted = (key, address.to_string());
    state
        .store
        .write("update_last_address", noted, |tx, ((app_pk, id), address)| {
            Box::pin(tx.update_last_address(*app_pk, id, address))
        })
        .await?;
    Ok(())
}
