//! Grants made ready to be asked: what each role may do in one scope, as sets of bits.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use natterjack_protocol::JsonMap;
use natterjack_protocol::channel_types::Grants;
use serde_json::Value;

use super::actions::{Action, Permission};
use super::condition;

/// A permission that an app has made: an action under a condition.
#[derive(Debug, Clone)]
pub(crate) struct CustomPermission {
    pub(crate) permission: Permission,
    pub(crate) condition: Option<JsonMap>,
}

/// The custom permissions of an app, by id.
pub(crate) type CustomPermissions = BTreeMap<String, Arc<CustomPermission>>;

/// What a role may do.
#[derive(Debug, Clone, Default)]
struct Rights {
    /// On what is of the same team.
    same_team: u64,
    /// On what is of the same team and the subject's own.
    own_same_team: u64,
    /// On anything.
    any_team: u64,
    /// On anything that is the subject's own.
    own_any_team: u64,
    /// Under conditions.
    conditional: Vec<Arc<CustomPermission>>,
}

impl Rights {
    fn add(&mut self, permission: Permission) {
        let set = match (permission.owner, permission.same_team) {
            (false, true) => &mut self.same_team,
            (true, true) => &mut self.own_same_team,
            (false, false) => &mut self.any_team,
            (true, false) => &mut self.own_any_team,
        };
        *set |= permission.action.bit();
    }

    fn allowed(&self, relation: Relation) -> u64 {
        let mut allowed = self.any_team;
        if relation.is_own {
            allowed |= self.own_any_team;
        }
        if relation.same_team {
            allowed |= self.same_team;
            if relation.is_own {
                allowed |= self.own_same_team;
            }
        }
        allowed
    }
}

/// How a subject and what it acts upon belong together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Relation {
    /// The resource is the subject's own.
    pub(crate) is_own: bool,
    /// They share a team, or neither has one.
    pub(crate) same_team: bool,
}

/// The two sides of a condition as JSON, made only when there is a condition to look at.
pub(crate) trait Sides {
    fn subject(&self) -> Value;
    fn resource(&self) -> Value;
}

/// The grants of one scope, ready to be asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    roles: HashMap<String, Rights>,
}

impl Scope {
    /// Compiles grants. Ids of permissions that are gone grant nothing.
    pub(crate) fn compile(grants: &Grants, custom: &CustomPermissions) -> Self {
        let mut roles: HashMap<String, Rights> = HashMap::new();
        for (role, ids) in grants {
            let rights = roles.entry(role.clone()).or_default();
            for id in ids {
                if let Some(permission) = Permission::parse(id) {
                    rights.add(permission);
                } else if let Some(custom) = custom.get(id) {
                    match custom.condition {
                        None => rights.add(custom.permission),
                        Some(_) => rights.conditional.push(Arc::clone(custom)),
                    }
                }
            }
        }
        Self { roles }
    }

    /// Whether one of the roles may do this to a resource.
    pub(crate) fn allows<'a>(
        &self,
        roles: impl Iterator<Item = &'a str>,
        action: Action,
        relation: Relation,
        sides: &impl Sides,
    ) -> bool {
        roles.filter_map(|role| self.roles.get(role)).any(|rights| {
            rights.allowed(relation) & action.bit() != 0
                || rights.conditional.iter().any(|custom| custom.allows(action, relation, sides))
        })
    }

    /// The roles that may do this to what is not their own, in some team or under some condition at least.
    pub(crate) fn roles_with(&self, action: Action) -> impl Iterator<Item = &str> {
        let roles = self.roles.iter();
        roles.filter(move |(_, rights)| rights.reach(action).any).map(|(role, _)| role.as_str())
    }

    /// How far a role may do this.
    pub(crate) fn reach(&self, role: &str, action: Action) -> Reach {
        self.roles.get(role).map(|rights| rights.reach(action)).unwrap_or_default()
    }
}

/// How far something may be done, in some team or under some condition at least.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// To anything.
    pub(crate) any: bool,
    /// To what is one's own.
    pub(crate) own: bool,
    /// In all teams.
    pub(crate) any_team: bool,
}

impl Reach {
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            any: self.any || other.any,
            own: self.own || other.own,
            any_team: self.any_team || other.any_team,
        }
    }
}

impl Rights {
    fn reach(&self, action: Action) -> Reach {
        let bit = action.bit();
        let everywhere = self.any_team | self.own_any_team;
        let whole = self.same_team | self.any_team;
        let mine = self.own_same_team | self.own_any_team;
        let mut reach =
            Reach { any: whole & bit != 0, own: mine & bit != 0, any_team: everywhere & bit != 0 };
        for custom in self.conditional.iter().filter(|custom| custom.permission.action == action) {
            let permission = custom.permission;
            reach.any |= !permission.owner;
            reach.own |= permission.owner;
            reach.any_team |= !permission.same_team;
        }
        reach
    }
}

impl CustomPermission {
    fn allows(&self, action: Action, relation: Relation, sides: &impl Sides) -> bool {
        self.permission.action == action
            && (relation.is_own || !self.permission.owner)
            && (relation.same_team || !self.permission.same_team)
            && self
                .condition
                .as_ref()
                .is_none_or(|condition| condition::holds(condition, &sides.subject(), &sides.resource()))
    }
}
