//! Which users a client may find and change.

use std::collections::BTreeMap;

use natterjack_filter::{Comparison, Expression, FieldRef, Operand, Operator};
use natterjack_protocol::users::UserRequest;
use natterjack_storage::queries::USERS;
use natterjack_storage::{Tx, User};

use super::check_active;
use crate::actions::comparison;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::permissions::{Action, Subject};
use crate::state::State;
use crate::state::access;

/// By which versions of which users it was decided that a client may change something: the client's own, and of those who
/// are changed, `None` for one who was not there. Of a server, who may change everything, it is empty.
#[derive(Debug, Default)]
pub(super) struct Grounds(BTreeMap<String, Option<i64>>);

impl Grounds {
    fn add(&mut self, id: &str, user: Option<&User>) {
        // The oldest that anything was decided by: with another one that would have to be decided again.
        self.0.entry(id.to_owned()).or_insert_with(|| user.map(|user| user.version));
    }

    /// Keeps users from changing, and lets nothing happen to them for which the grounds are gone. Answers those of them who
    /// are there.
    ///
    /// # Errors
    /// [`Error::Stale`] when it has to be decided again.
    pub(super) async fn do_lock(&self, tx: &mut Tx, app_pk: i64, mut ids: Vec<String>) -> Result<Vec<User>> {
        let of_others = self.0.keys().filter(|id| !ids.contains(id)).cloned();
        let of_others: Vec<String> = of_others.collect();
        ids.extend(of_others.iter().cloned());
        let mut locked = tx.lock_users(app_pk, ids).await?;
        for (id, version) in &self.0 {
            let found = locked.iter().find(|user| user.id == *id).map(|user| user.version);
            if found != *version {
                return Err(Error::Stale);
            }
        }
        locked.retain(|user| !of_others.contains(&user.id));
        Ok(locked)
    }
}

/// Refuses a caller who may not write this user, with this role and these teams.
pub(super) async fn check_may_update(
    state: &State,
    caller: &Caller,
    request: &UserRequest,
    grounds: &mut Grounds,
) -> Result<()> {
    let Some(subject) = access::subject(state, caller).await? else { return Ok(()) };
    if let Some(client) = &subject.user {
        // It was active when the call came; this may be another look.
        check_active(client)?;
        grounds.add(&client.user.id, Some(&client.user));
    }
    let of_app = state.current_app(&caller.app);
    let stored = state.user(caller.app.pk, &request.id).await?;
    let stored = stored.as_ref().map(|stored| &stored.user);
    grounds.add(&request.id, stored);
    let is_own = subject.id() == Some(request.id.as_str());
    let teams = stored.map(|stored| stored.teams.as_slice()).unwrap_or_default();
    let may = |action| subject.may(&of_app.scope, action, is_own, teams);
    if !may(Action::UpdateUser) {
        return Err(subject.refusal(Action::UpdateUser));
    }
    let role = request.role.as_ref().filter(|role| !role.is_empty());
    if role.is_some() && role != stored.map(|stored| &stored.role) && !may(Action::UpdateUserRole) {
        return Err(subject.refusal(Action::UpdateUserRole));
    }
    let moves = request.teams.as_deref().is_some_and(|given| given != teams)
        || request
            .teams_role
            .as_ref()
            .is_some_and(|given| stored.map_or(!given.is_empty(), |stored| *given != stored.teams_role));
    if moves && !may(Action::UpdateUserTeams) {
        return Err(Error::caller(
            natterjack_protocol::ErrorCode::Authentication,
            "user teams can only be updated server-side",
        ));
    }
    Ok(())
}

/// Limits a search for users to those whom the caller may find.
pub(super) async fn limit_to_reach(state: &State, caller: &Caller, filter: Expression) -> Result<Expression> {
    let Some(subject) = access::subject(state, caller).await? else { return Ok(filter) };
    let filter = match subject.id() {
        Some(id) => unaware(filter, id),
        None => filter,
    };
    if subject.unlimited {
        return Ok(filter);
    }
    let of_app = state.current_app(&caller.app);
    let role = subject.role(None);
    let disallowed = of_app.app.settings.user_search_disallowed_roles.as_deref().unwrap_or_default();
    let may = subject.may(&of_app.scope, Action::SearchUser, false, subject.teams());
    if !may || disallowed.iter().any(|disallowed| disallowed == role) {
        return Err(subject.refusal(Action::SearchUser));
    }
    let Some(teams) = within_teams(state, caller, &subject) else { return Ok(filter) };
    check_teams(&filter, subject.teams(), false)?;
    if demands_teams(&filter) {
        return Ok(filter);
    }
    Ok(Expression::All(vec![filter, teams]))
}

/// The users of the subject's own teams. `None` where those of all teams may be found.
pub(crate) fn within_teams(state: &State, caller: &Caller, subject: &Subject) -> Option<Expression> {
    let scope = &state.current_app(&caller.app).scope;
    if !subject.multi_tenant || scope.reach(subject.role(None), Action::SearchUser).any_team {
        return None;
    }
    let own: Vec<Operand> = subject.teams().iter().cloned().map(Operand::Text).collect();
    let (operator, operand) = match own.is_empty() {
        true => (Operator::Eq, Operand::Null),
        false => (Operator::In, Operand::List(own)),
    };
    Some(comparison(&USERS, "teams", operator, operand))
}

/// The filter for a user who is not to find out that he or she is banned unnoticed: to it the user is not.
fn unaware(filter: Expression, user_id: &str) -> Expression {
    let each = |parts: Vec<Expression>| parts.into_iter().map(|part| unaware(part, user_id)).collect();
    let own = || comparison(&USERS, "id", Operator::Eq, Operand::Text(user_id.to_owned()));
    match filter {
        Expression::All(parts) => Expression::All(each(parts)),
        Expression::Any(parts) => Expression::Any(each(parts)),
        Expression::None(parts) => Expression::None(each(parts)),
        Expression::Comparison(asked) if asked.field.name() == "shadow_banned" => {
            let finds_unbanned = match (asked.operator, &asked.operand) {
                (Operator::Eq, wanted) => *wanted == Operand::Boolean(false),
                (_, unwanted) => *unwanted != Operand::Boolean(false),
            };
            let asked = Expression::Comparison(asked);
            if finds_unbanned {
                Expression::Any(vec![asked, own()])
            } else {
                Expression::All(vec![asked, Expression::None(vec![own()])])
            }
        }
        other => other,
    }
}

fn is_teams(field: &FieldRef) -> bool {
    matches!(field, FieldRef::Builtin(field) if field.name == "teams")
}

/// Whether the filter finds nothing but users of the teams that it names.
fn demands_teams(filter: &Expression) -> bool {
    match filter {
        Expression::All(parts) => parts.iter().any(demands_teams),
        Expression::Comparison(comparison) => is_teams(&comparison.field),
        Expression::Any(_) | Expression::None(_) => false,
    }
}

/// Refuses a filter that asks for other teams than the caller's own. Users without a team may be asked for.
fn check_teams(filter: &Expression, own: &[String], negated: bool) -> Result<()> {
    const FIELD: &str = "filter_conditions";
    match filter {
        Expression::All(parts) | Expression::Any(parts) => {
            parts.iter().try_for_each(|part| check_teams(part, own, negated))
        }
        Expression::None(parts) => parts.iter().try_for_each(|part| check_teams(part, own, true)),
        Expression::Comparison(Comparison { field, operator, operand }) if is_teams(field) => {
            if negated {
                return Err(Error::field(FIELD, "is not valid: teams is not allowed in $nor"));
            }
            let asked = match (operator, operand) {
                (Operator::Eq, Operand::Null) => return Ok(()),
                (Operator::Eq | Operator::In, Operand::List(list)) => list.as_slice(),
                (Operator::Contains, one) => std::slice::from_ref(one),
                _ => {
                    let problem = "is not valid: teams allows $eq, $in and $contains client-side";
                    return Err(Error::field(FIELD, problem));
                }
            };
            for team in asked {
                match team {
                    Operand::Text(team) if team.is_empty() => {
                        return Err(Error::field(FIELD, "is not valid: teams must not be empty"));
                    }
                    Operand::Text(team) if !own.contains(team) => {
                        return Err(Error::denied(format!("search by team {team:?} is not allowed")));
                    }
                    _ => {}
                }
            }
            Ok(())
        }
        Expression::Comparison(_) => Ok(()),
    }
}
