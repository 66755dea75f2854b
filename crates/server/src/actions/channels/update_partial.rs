use std::sync::Arc;

use natterjack_protocol::Cid;
use natterjack_protocol::channel_types::ChannelConfigOverrides;
use natterjack_protocol::channels::{UpdateChannelPartialRequest, UpdateChannelPartialResponse};
use natterjack_storage::ChannelChange;

use super::check::{
    RESERVED, check_cooldown, check_filter_tags, check_language, check_may_change, check_overrides,
    check_team,
};
use super::update::{UpdatePlan, do_update, present_updated};
use crate::actions::partial::PartialUpdate;
use crate::actions::{bans, users};
use crate::auth::{Caller, Who};
use crate::error::{Error, Result};
use crate::state::access::{self, Access};
use crate::state::{CachedChannel, CachedUser, Freshness, State};

/// Fields that a partial update changes beside custom data. Custom data cannot have their names.
const BUILT_IN: [&str; 5] =
    ["team", "filter_tags", "config_overrides", "auto_translation_enabled", "auto_translation_language"];

/// Changes single fields of a channel's data.
pub(crate) async fn update_channel_partial(
    state: &State,
    caller: &Caller,
    cid: &Cid,
    request: UpdateChannelPartialRequest,
) -> Result<UpdateChannelPartialResponse> {
    let cid_text = cid.to_string();
    let user =
        users::optional_user(state, caller, "user", request.user_id.as_ref(), request.user.as_ref()).await?;
    if caller.who == Who::Anonymous {
        return Err(users::anonymous());
    }
    let mut fresh = Freshness::new(caller.app.pk, Some(&cid_text), &[]);
    let updated = loop {
        let access = access::channel(state, caller, &cid_text, access::ANY).await?;
        bans::check_not_banned(state, caller, Some(&access)).await?;
        let plan = check_update(state, caller, access, &request, user.as_ref())?;
        let outcome =
            state.store.write("update_channel_partial", plan, |tx, plan| Box::pin(do_update(tx, plan))).await;
        if let Some(updated) = fresh.settle(state, outcome)? {
            break updated;
        }
    };
    state.forget_channel(caller.app.pk, &cid_text);
    let updated = present_updated(state, caller, user.as_ref(), updated).await?;
    Ok(UpdateChannelPartialResponse { channel: updated.channel, members: updated.members })
}

fn check_update(
    state: &State,
    caller: &Caller,
    access: Access,
    request: &UpdateChannelPartialRequest,
    user: Option<&Arc<CachedUser>>,
) -> Result<UpdatePlan> {
    let update = PartialUpdate::check(&request.set, &request.unset)?;
    let change = check_change(state, caller, &access, update)?;
    check_may_change(&access, &change)?;
    Ok(UpdatePlan::of_data(
        caller.app.pk,
        access.cached,
        change,
        user.map(|user| user.user.id.clone()),
        state.now(),
    ))
}

/// The channel's data after the update. A field that is unset goes back to what it is in a new channel.
fn check_change(
    state: &State,
    caller: &Caller,
    channel: &CachedChannel,
    mut update: PartialUpdate,
) -> Result<ChannelChange> {
    let mut change = ChannelChange::from(&channel.channel);
    if let Some(team) = update.take::<String>("team")? {
        change.team = team.filter(|team| !team.is_empty());
        check_team("set.team", change.team.as_deref())?;
    }
    if let Some(frozen) = update.take("frozen")? {
        change.frozen = frozen.unwrap_or_default();
    }
    if let Some(disabled) = update.take("disabled")? {
        change.disabled = disabled.unwrap_or_default();
    }
    if let Some(cooldown) = update.take("cooldown")? {
        change.cooldown = check_cooldown("set.cooldown", cooldown.unwrap_or_default())?;
    }
    if let Some(tags) = update.take::<Vec<String>>("filter_tags")? {
        change.filter_tags = tags.unwrap_or_default();
        check_filter_tags("set.filter_tags", &change.filter_tags)?;
    }
    if let Some(enabled) = update.take("auto_translation_enabled")? {
        change.auto_translation_enabled = enabled.unwrap_or_default();
    }
    if let Some(language) = update.take::<String>("auto_translation_language")? {
        check_language("set.auto_translation_language", language.as_deref())?;
        change.auto_translation_language = language;
    }
    if let Some(overrides) = update.take_object("config_overrides", change.config_overrides.as_ref())? {
        let of_type = state.channel_type(&caller.app, &channel.channel.kind).unwrap_or_default();
        if let Some(overrides) = &overrides {
            check_overrides(state, caller, "set.config_overrides", &of_type, overrides)?;
        }
        // An empty object clears all of them.
        change.config_overrides = overrides.filter(|given| *given != ChannelConfigOverrides::default());
    }
    let reserved = |name: &str| Error::denied(format!("field `{name}` is reserved and cannot updated"));
    update.refuse(&RESERVED, reserved)?;
    update.refuse(&BUILT_IN, |name| Error::field(&format!("set.{name}"), "has no fields inside"))?;
    change.custom = update.apply("custom", &change.custom)?;
    Ok(change)
}
