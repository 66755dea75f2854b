//! Limits what is found of channels to what the caller may read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use natterjack_filter::limits::LIST_LENGTH_MAX;
use natterjack_filter::{Comparison, Expression, FieldRef, Operand, Operator};
use natterjack_protocol::ErrorCode;
use natterjack_storage::queries::{CHANNELS, WithinReach};
use natterjack_storage::{Channel, ChannelQuery, Member, Tx};

use crate::actions::{comparison, users};
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::permissions::{Action, Reach, Subject};
use crate::state::State;
use crate::state::access;

/// A query limited to what a client may read.
#[derive(Debug, Clone)]
pub(crate) struct Limited {
    pub(crate) query: ChannelQuery,
    /// What it means to find nothing. `None` for servers.
    nothing: Option<Nothing>,
}

/// What it means that a client finds nothing. It never follows from what stands in channels that the client may not read:
/// asking for it would read them.
#[derive(Debug, Clone)]
enum Nothing {
    /// There are none.
    Empty,
    /// There are none, or none of these channels, which are asked for by name, may be read.
    Named(Box<ChannelQuery>),
    /// Whatever there is may not be read.
    OutOfReach,
}

/// Limits a query to the channels that the subject may read. Servers, without a subject, may read all.
///
/// The limit is one in words of the query, so that pages stay full; what a single channel grants or revokes beyond its type
/// is looked at when the channels are there, with [`readable`].
pub(crate) fn limit_to(
    state: &State,
    caller: &Caller,
    subject: Option<&Subject>,
    mut query: ChannelQuery,
) -> Result<Limited> {
    let Some(subject) = subject.filter(|subject| !subject.unlimited) else {
        return Ok(Limited { query, nothing: None });
    };
    let teams = limit_to_teams(state, caller, subject);
    if teams.is_some() {
        check_teams(&query.filter, subject.teams(), false)?;
    }
    let nothing = Nothing::of(state, caller, subject, &query, teams.as_ref());
    if let Some(teams) = teams {
        query.filter = Expression::All(vec![query.filter, teams]);
    }
    if let Some(readable) = limit_to_readable(state, caller, subject)
        && !is_about_own(&query.filter, subject.id())
    {
        query.filter = Expression::All(vec![query.filter, readable]);
    }
    Ok(Limited { query, nothing: Some(nothing) })
}

impl Nothing {
    /// By what a client asks for, and its rights.
    fn of(
        state: &State,
        caller: &Caller,
        subject: &Subject,
        query: &ChannelQuery,
        teams: Option<&Expression>,
    ) -> Self {
        let demands: Vec<&Comparison> = query.filter.demands().collect();
        let asks_for = |name: &str| demands.iter().any(|demand| is_list_of(demand, name));
        if query.offset > 0 || demands.iter().any(|demand| is_of_memberships(demand, subject.id())) {
            return Self::Empty;
        }
        if asks_for("cid") || asks_for("id") {
            let is_name =
                |demand: &&Comparison| ["cid", "id", "type"].iter().any(|name| is_list_of(demand, name));
            let names = demands.iter().copied().filter(is_name).cloned().map(Expression::Comparison);
            return Self::Named(Box::new(ChannelQuery {
                filter: Expression::All(names.chain(teams.cloned()).collect()),
                sort: Vec::new(),
                limit: LIST_LENGTH_MAX as i64,
                offset: 0,
                // What the user has hidden may be read.
                user_id: None,
                now: query.now,
                without_kinds: Vec::new(),
            }));
        }
        let of_app = state.current_app(&caller.app);
        let roles = subject.roles();
        let mut in_question = of_app
            .types
            .iter()
            .filter(|(name, _)| demands.iter().all(|demand| allows_type(demand, name)))
            .map(|(_, kind)| roles.iter().map(|role| kind.scope.reach(role, Action::ReadChannel)))
            .map(|reaches| reaches.fold(Reach::default(), Reach::or))
            .peekable();
        let is_any_open = in_question.peek().is_none() || in_question.any(|reach| reach.any || reach.own);
        if is_any_open { Self::Empty } else { Self::OutOfReach }
    }
}

/// Whether a field must be one of some values.
fn is_list_of(comparison: &Comparison, name: &str) -> bool {
    comparison.field.builtin() == Some(name) && matches!(comparison.operator, Operator::Eq | Operator::In)
}

/// Whether a channel of this type may fulfil what is demanded.
fn allows_type(demand: &Comparison, kind: &str) -> bool {
    let is_kind = |operand: &Operand| matches!(operand, Operand::Text(text) if text == kind);
    !is_list_of(demand, "type")
        || match &demand.operand {
            Operand::List(list) => list.iter().any(is_kind),
            operand => is_kind(operand),
        }
}

/// Whether what is demanded asks for the memberships of the user.
fn is_of_memberships(demand: &Comparison, user_id: Option<&str>) -> bool {
    let is_own = |operand: &Operand| matches!(operand, Operand::Text(text) if Some(text.as_str()) == user_id);
    match demand.field.builtin() {
        Some("members") => match &demand.operand {
            Operand::List(list) => list.iter().any(is_own),
            operand => is_own(operand),
        },
        Some("joined" | "pinned" | "archived" | "hidden" | "has_unread") => {
            demand.operand == Operand::Boolean(true)
        }
        Some(name @ ("invite" | "channel_role")) => {
            is_list_of(demand, name) && demand.operand != Operand::Null
        }
        _ => false,
    }
}

/// What keeps a subject to its own teams. `None` where it is not kept.
fn limit_to_teams(state: &State, caller: &Caller, subject: &Subject) -> Option<Expression> {
    let of_app = state.current_app(&caller.app);
    let roles = subject.roles();
    let is_everywhere = of_app
        .types
        .values()
        .any(|kind| roles.iter().any(|role| kind.scope.reach(role, Action::ReadChannel).any_team));
    if !subject.multi_tenant || is_everywhere {
        return None;
    }
    let own: Vec<Operand> = subject.teams().iter().cloned().map(Operand::Text).collect();
    Some(match own.is_empty() {
        true => comparison(&CHANNELS, "team", Operator::Eq, Operand::Null),
        false => comparison(&CHANNELS, "team", Operator::In, Operand::List(own)),
    })
}

/// The channels and users of which a client may be told in a list of something else. `None` for servers, who may be told
/// everything. What a single channel grants or revokes is looked at when the channels are there.
pub(crate) fn within_reach(state: &State, caller: &Caller, subject: Option<&Subject>) -> Option<WithinReach> {
    let subject = subject.filter(|subject| !subject.unlimited)?;
    let channels = [limit_to_teams(state, caller, subject), limit_to_readable(state, caller, subject)];
    Some(WithinReach {
        channels: Expression::All(channels.into_iter().flatten().collect()),
        users: users::within_teams(state, caller, subject).unwrap_or(Expression::All(Vec::new())),
        user_id: subject.id().map(str::to_owned),
        now: state.now(),
    })
}

/// Channels that a list of something else names, and the memberships in them of who looks at it, by the channels' keys.
#[derive(Debug, Default)]
pub(crate) struct NamedChannels {
    pub(crate) channels: HashMap<i64, Channel>,
    pub(crate) members: HashMap<i64, Member>,
}

impl NamedChannels {
    /// `viewer` is `None` for servers, who may see all of them.
    pub(crate) async fn load(tx: &mut Tx, viewer: Option<&str>, pks: BTreeSet<i64>) -> Result<Self> {
        if pks.is_empty() {
            return Ok(Self::default());
        }
        let pks: Vec<i64> = pks.into_iter().collect();
        let members = match viewer {
            Some(viewer) => tx.list_memberships(viewer, pks.clone()).await?,
            None => Vec::new(),
        };
        let channels = tx.list_channels(pks).await?;
        Ok(Self {
            channels: channels.into_iter().map(|channel| (channel.pk, channel)).collect(),
            members: members.into_iter().map(|member| (member.channel_pk, member)).collect(),
        })
    }
}

/// Refuses a filter that asks for other teams.
fn check_teams(filter: &Expression, own: &[String], negated: bool) -> Result<()> {
    let refused = |team: &str| Error::denied(format!("search by team {team:?} is not allowed"));
    match filter {
        Expression::All(parts) | Expression::Any(parts) => {
            parts.iter().try_for_each(|part| check_teams(part, own, negated))
        }
        Expression::None(parts) => parts.iter().try_for_each(|part| check_teams(part, own, true)),
        Expression::Comparison(Comparison { field: FieldRef::Builtin(field), operator, operand })
            if field.name == "team" =>
        {
            if negated {
                return Err(Error::field("filter_conditions", "is not valid: team is not allowed in $nor"));
            }
            let asked = match (operator, operand) {
                (Operator::Eq, Operand::Null) if own.is_empty() => return Ok(()),
                (Operator::Eq, Operand::Null) => return Err(refused("")),
                (Operator::Eq, one) => std::slice::from_ref(one),
                (Operator::In, Operand::List(list)) => list,
                _ => {
                    return Err(Error::field(
                        "filter_conditions",
                        "is not valid: team allows $eq and $in client-side",
                    ));
                }
            };
            let foreign = asked.iter().find_map(|team| match team {
                Operand::Text(team) if !own.contains(team) => Some(team),
                _ => None,
            });
            foreign.map_or(Ok(()), |team| Err(refused(team)))
        }
        Expression::Comparison(_) => Ok(()),
    }
}

/// The channels that the types let the subject read. `None` for all of them.
fn limit_to_readable(state: &State, caller: &Caller, subject: &Subject) -> Option<Expression> {
    let of_app = state.current_app(&caller.app);
    let roles = subject.roles();
    let (mut open, mut own) = (Vec::new(), Vec::new());
    let mut by_membership: BTreeMap<Vec<String>, Vec<Operand>> = BTreeMap::new();
    for (name, kind) in &of_app.types {
        let name = Operand::Text(name.clone());
        let reaches = roles.iter().map(|role| kind.scope.reach(role, Action::ReadChannel));
        let reach = reaches.fold(Reach::default(), Reach::or);
        if reach.any {
            open.push(name);
            continue;
        }
        if reach.own {
            own.push(name.clone());
        }
        let mut as_members: Vec<String> =
            kind.scope.roles_with(Action::ReadChannel).map(str::to_owned).collect();
        as_members.sort();
        if !as_members.is_empty() {
            by_membership.entry(as_members).or_default().push(name);
        }
    }
    if open.len() == of_app.types.len() {
        return None;
    }
    let kinds = |names: Vec<Operand>| comparison(&CHANNELS, "type", Operator::In, Operand::List(names));
    let mut ways = vec![kinds(open)];
    if let Some(id) = subject.id() {
        let creator = comparison(&CHANNELS, "created_by_id", Operator::Eq, Operand::Text(id.to_owned()));
        ways.push(Expression::All(vec![kinds(own), creator]));
        for (roles, names) in by_membership {
            let roles = roles.into_iter().map(Operand::Text).collect();
            let member = comparison(&CHANNELS, "channel_role", Operator::In, Operand::List(roles));
            ways.push(Expression::All(vec![kinds(names), member]));
        }
    }
    Some(Expression::Any(ways))
}

/// Whether a filter finds nothing but channels of which the user is a member: the query that clients make most, which needs
/// no other limit.
fn is_about_own(filter: &Expression, user_id: Option<&str>) -> bool {
    let Some(user_id) = user_id else { return false };
    let is_own = |operand: &Operand| matches!(operand, Operand::Text(text) if text == user_id);
    match filter {
        Expression::All(parts) => parts.iter().any(|part| is_about_own(part, Some(user_id))),
        Expression::Comparison(Comparison { field: FieldRef::Builtin(field), operator, operand })
            if field.name == "members" =>
        {
            match (operator, operand) {
                (Operator::In, Operand::List(list)) => list.iter().all(is_own) && !list.is_empty(),
                (Operator::Eq, Operand::List(list)) => list.iter().any(is_own),
                (Operator::Contains, operand) => is_own(operand),
                _ => false,
            }
        }
        _ => false,
    }
}

impl Limited {
    /// Takes out the channels that their own grants, or conditions, keep from the subject.
    pub(crate) fn retain<T>(
        &self,
        state: &State,
        caller: &Caller,
        subject: Option<&Subject>,
        channels: &mut Vec<T>,
        parts: impl Fn(&T) -> (&Channel, Option<&Member>),
    ) {
        let (Some(subject), Some(_)) = (subject, &self.nothing) else { return };
        channels.retain(|one| {
            let (channel, member) = parts(one);
            let role = member.map(|member| member.channel_role.as_str());
            access::rights_of(state, &caller.app, subject, channel, role).reads
        });
    }

    /// For a query that found nothing: whether that is because everything that it asks for is out of reach.
    ///
    /// # Errors
    /// Code 70 when it is.
    pub(crate) async fn check_reach(
        &self,
        state: &State,
        caller: &Caller,
        subject: Option<&Subject>,
    ) -> Result<()> {
        let is_out_of_reach = match (&self.nothing, subject) {
            (None | Some(Nothing::Empty), _) | (_, None) => false,
            (Some(Nothing::OutOfReach), _) => true,
            (Some(Nothing::Named(named)), Some(subject)) => {
                let named = list_named(state, caller, named, subject).await?;
                let may_read = |channel: &Channel| {
                    let role = named.members.get(&channel.pk).map(|member| member.channel_role.as_str());
                    access::rights_of(state, &caller.app, subject, channel, role).reads
                };
                !named.channels.is_empty() && !named.channels.values().any(may_read)
            }
        };
        if is_out_of_reach {
            return Err(Error::caller(
                ErrorCode::NoAccessToChannels,
                "none of the channels that the filter asks for may be read by the user",
            ));
        }
        Ok(())
    }
}

/// The channels with these names, and the subject's memberships in them.
async fn list_named(
    state: &State,
    caller: &Caller,
    names: &ChannelQuery,
    subject: &Subject,
) -> Result<NamedChannels> {
    let request = (caller.app.pk, names.clone(), subject.id().unwrap_or_default().to_owned());
    let read = state.store.read("list_named_channels", request, |tx, (app_pk, names, user_id)| {
        Box::pin(async move {
            let channels = tx.query_channels(*app_pk, names).await?;
            let pks = channels.into_iter().map(|channel| channel.pk).collect();
            NamedChannels::load(tx, Some(user_id), pks).await
        })
    });
    read.await
}
