use crate::state::State;

/// Notices what other processes changed of the apps: another server, or `natterjack app`.
pub(crate) async fn run(state: &State) {
    if let Err(error) = state.reload_apps().await {
        tracing::warn!(error = crate::error_chain(&error), "the apps could not be read");
    }
}
