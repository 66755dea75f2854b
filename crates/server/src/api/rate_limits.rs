use std::collections::BTreeMap;

use natterjack_protocol::rate_limits::{
    GetRateLimits, GetRateLimitsQuery, GetRateLimitsResponse, LimitInfoResponse,
};

use super::Call;
use super::router::operation_names;
use crate::error::{Error, Result};
use crate::rate_limits::Platform;

pub(crate) async fn get_rate_limits(call: Call<GetRateLimits>) -> Result<GetRateLimitsResponse> {
    let Call { state, caller, query, .. } = call;
    let GetRateLimitsQuery { server_side, android, ios, web, unity, endpoints } = query;
    let operations = named(&endpoints.0)?;
    let all = ![server_side, android, ios, web, unity].contains(&Some(true));
    let now = state.now();
    let limits = |asked: Option<bool>, platform| -> Option<BTreeMap<String, LimitInfoResponse>> {
        let of = |name: &&'static str| {
            ((*name).to_owned(), state.rate_limits.of_app(caller.app.pk, name, platform, now))
        };
        (all || asked == Some(true)).then(|| operations.iter().map(of).collect())
    };
    Ok(GetRateLimitsResponse {
        android: limits(android, Platform::Android),
        ios: limits(ios, Platform::Ios),
        server_side: limits(server_side, Platform::ServerSide),
        unity: limits(unity, Platform::Unity),
        web: limits(web, Platform::Web),
    })
}

/// The operations of these names, all for none.
fn named(endpoints: &[String]) -> Result<Vec<&'static str>> {
    let names = operation_names();
    if endpoints.is_empty() {
        return Ok(names.to_vec());
    }
    let find = |name: &String| {
        let known = names.iter().find(|known| **known == name.as_str()).copied();
        known.ok_or_else(|| Error::field("endpoints", format!("names {name:?}, which is no operation")))
    };
    endpoints.iter().map(find).collect()
}
