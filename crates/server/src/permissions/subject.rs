//! Who acts, as permissions see it.

use std::sync::Arc;

use natterjack_storage::Channel;
use serde_json::{Value, json};

use super::actions::Action;
use super::rights::{Relation, Scope, Sides};
use super::{APP_SCOPE, actions};
use crate::error::Error;
use crate::state::CachedUser;

/// A user, or somebody without a token, whose permissions are asked about.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// `None` for somebody without a token.
    pub(crate) user: Option<Arc<CachedUser>>,
    /// The app keeps teams apart.
    pub(crate) multi_tenant: bool,
    /// The app checks no permissions.
    pub(crate) unlimited: bool,
}

/// Users, and users and channels, have to do with each other when they share a team, or neither has one.
pub(crate) fn may_meet(teams: &[String], others: &[String]) -> bool {
    (teams.is_empty() && others.is_empty()) || teams.iter().any(|team| others.contains(team))
}

impl Subject {
    pub(crate) fn id(&self) -> Option<&str> {
        self.user.as_ref().map(|user| user.user.id.as_str())
    }

    pub(crate) fn teams(&self) -> &[String] {
        self.user.as_ref().map_or(&[], |user| &user.user.teams)
    }

    /// The role outside of channels, or in those of this team.
    pub(crate) fn role(&self, team: Option<&str>) -> &str {
        let Some(user) = &self.user else { return "anonymous" };
        let of_team = team.filter(|_| self.multi_tenant).and_then(|team| user.user.teams_role.get(team));
        of_team.unwrap_or(&user.user.role)
    }

    /// Every role that the subject has somewhere.
    pub(crate) fn roles(&self) -> Vec<&str> {
        let of_teams = self.user.iter().filter(|_| self.multi_tenant);
        let of_teams = of_teams.flat_map(|user| user.user.teams_role.values()).map(String::as_str);
        std::iter::once(self.role(None)).chain(of_teams).collect()
    }

    /// Whether a channel's team lets the subject have to do with it.
    pub(crate) fn is_of_team(&self, team: Option<&str>) -> bool {
        !self.multi_tenant
            || match team {
                Some(team) => self.teams().iter().any(|own| own == team),
                None => self.teams().is_empty(),
            }
    }

    /// Whether a user's teams let the subject have to do with him or her.
    pub(crate) fn shares_team(&self, teams: &[String]) -> bool {
        !self.multi_tenant || may_meet(self.teams(), teams)
    }

    /// Whether this may be done in the app. `is_own`: to what is the subject's own; `teams` are those of the resource.
    pub(crate) fn may(&self, scope: &Scope, action: Action, is_own: bool, teams: &[String]) -> bool {
        let relation = Relation { is_own, same_team: self.shares_team(teams) };
        let roles = std::iter::once(self.role(None));
        self.unlimited || scope.allows(roles, action, relation, &AppSides(self))
    }

    /// Whether this may be done with a channel of this team that does not exist yet, which will be the subject's own.
    pub(crate) fn may_with_new(&self, scope: &Scope, action: Action, team: Option<&str>) -> bool {
        let relation = Relation { is_own: true, same_team: self.is_of_team(team) };
        let roles = std::iter::once(self.role(team));
        self.unlimited || scope.allows(roles, action, relation, &AppSides(self))
    }

    /// What to say when something in the app is not allowed.
    pub(crate) fn refusal(&self, action: Action) -> Error {
        self.refusal_in(action, None, APP_SCOPE)
    }

    /// What to say when something in a scope is not allowed.
    pub(crate) fn refusal_in(&self, action: Action, team: Option<&str>, scope: &str) -> Error {
        let id = self.id().unwrap_or("!anon");
        let role = self.role(team);
        let from = match self.teams() {
            teams if self.multi_tenant && !teams.is_empty() => format!(" from team '{}'", teams.join(", ")),
            _ => String::new(),
        };
        let action = action.name();
        Error::denied(format!(
            "User '{id}' with role '{role}'{from} is not allowed to perform action {action} in scope '{scope}'"
        ))
    }

    /// The subject in a channel, where it may have a second role.
    pub(crate) fn in_channel<'a>(
        &'a self,
        channel: &'a Channel,
        channel_role: Option<&'a str>,
        scope: &'a Scope,
    ) -> InChannel<'a> {
        InChannel { subject: self, channel, channel_role, scope }
    }

    fn to_value(&self, channel_role: Option<&str>) -> Value {
        let Some(user) = &self.user else { return json!({ "role": "anonymous" }) };
        let user = &user.user;
        let mut value = serde_json::Map::clone(&user.custom);
        let built_in = json!({ "id": user.id, "role": user.role, "teams": user.teams, "name": user.name,
                               "language": user.language, "channel_role": channel_role });
        if let Value::Object(built_in) = built_in {
            value.extend(built_in);
        }
        Value::Object(value)
    }
}

struct AppSides<'a>(&'a Subject);

impl Sides for AppSides<'_> {
    fn subject(&self) -> Value {
        self.0.to_value(None)
    }

    fn resource(&self) -> Value {
        Value::Null
    }
}

/// A subject together with a channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InChannel<'a> {
    subject: &'a Subject,
    channel: &'a Channel,
    channel_role: Option<&'a str>,
    scope: &'a Scope,
}

impl InChannel<'_> {
    /// Whether this may be done in the channel. Its owner is who created it.
    pub(crate) fn may(&self, action: Action) -> bool {
        self.may_to(action, self.channel.created_by_id.as_deref())
    }

    /// Whether this may be done to something in the channel that belongs to `owner`.
    pub(crate) fn may_to(&self, action: Action, owner: Option<&str>) -> bool {
        debug_assert_eq!(action.level(), actions::Level::Channel);
        let team = self.channel.team.as_deref();
        let relation = Relation {
            is_own: owner.is_some() && owner == self.subject.id(),
            same_team: self.subject.is_of_team(team),
        };
        let roles = std::iter::once(self.subject.role(team)).chain(self.channel_role);
        self.subject.unlimited || self.scope.allows(roles, action, relation, self)
    }

    /// What to say when something is not allowed.
    pub(crate) fn refusal(&self, action: Action) -> Error {
        self.subject.refusal_in(action, self.channel.team.as_deref(), &self.channel.kind)
    }

    /// The user.
    pub(crate) fn user_id(&self) -> Option<&str> {
        self.subject.id()
    }

    pub(crate) fn channel(&self) -> &Channel {
        self.channel
    }
}

impl Sides for InChannel<'_> {
    fn subject(&self) -> Value {
        self.subject.to_value(self.channel_role)
    }

    fn resource(&self) -> Value {
        let channel = self.channel;
        let mut value = serde_json::Map::clone(&channel.custom);
        let built_in = json!({
            "id": channel.id, "type": channel.kind, "cid": channel.cid, "team": channel.team,
            "created_by_id": channel.created_by_id, "frozen": channel.frozen, "disabled": channel.disabled,
            "member_count": channel.member_count,
        });
        if let Value::Object(built_in) = built_in {
            value.extend(built_in);
        }
        Value::Object(value)
    }
}
