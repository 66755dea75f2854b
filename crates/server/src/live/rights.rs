//! What those who are connected may read of a channel when they are told of it.
//!
//! It follows from the user, the membership, the channel and the app. Nobody is looked at again before one of them moved.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use natterjack_storage::{Channel, LogEntry, Member};

use super::load::{Batch, Ids, Rows};
use crate::error::{Error, Result};
use crate::limits::BATCH_MAX;
use crate::state::access::{self, Rights};
use crate::state::{CachedUser, State};

/// What most of those may who were allowed to watch a channel, or are members.
const USUAL: Rights = Rights { reads: true, reads_restricted: false, reads_disabled: false };

/// The rights of those who may be told of a channel.
#[derive(Debug, Default)]
pub(super) struct KnownRights {
    as_of: Option<AsOf>,
    /// The rights of those who have others than most.
    unusual: HashMap<Arc<str>, Rights>,
    /// Who comes or goes in the part of the log that is being delivered.
    comers: HashMap<String, Arc<CachedUser>>,
}

/// What rights in a channel follow from, beside users and memberships.
#[derive(Debug, Clone, PartialEq)]
struct AsOf {
    app_version: i64,
    /// How many users had moved.
    moves: u64,
    /// What of the channel decides, and nothing of what each message changes.
    channel: Option<Box<Channel>>,
}

impl AsOf {
    /// Whether nothing moved that decides. The number of members does only where a condition asks for it.
    fn holds(&self, app_version: i64, channel: &Channel, asks_member_count: bool) -> bool {
        self.app_version == app_version
            && self.channel.as_ref().is_some_and(|was| {
                (!asks_member_count || was.member_count == channel.member_count)
                    && was.team == channel.team
                    && was.created_by_id == channel.created_by_id
                    && was.frozen == channel.frozen
                    && was.disabled == channel.disabled
                    && was.custom == channel.custom
                    && was.config_overrides == channel.config_overrides
            })
    }
}

impl KnownRights {
    /// How many are kept.
    pub(super) fn len(&self) -> usize {
        self.unusual.len()
    }

    pub(super) fn of(&self, user_id: &str) -> Rights {
        self.unusual.get(user_id).copied().unwrap_or(USUAL)
    }

    fn set(&mut self, user_id: &str, rights: Rights) {
        if rights == USUAL {
            self.unusual.remove(user_id);
        } else {
            self.unusual.insert(user_id.into(), rights);
        }
    }

    /// Looks again at whose rights may have changed, before a part of the log is delivered. Answers who may not read the
    /// channel any more; of those who come and go in this part it is decided at their entries.
    pub(super) async fn refresh(
        &mut self,
        state: &State,
        channel: &Channel,
        batch: &Batch,
    ) -> Result<Vec<Arc<str>>> {
        let hub = &state.live.hub;
        let app_version = state.app_with_pk(channel.app_pk).map_or(0, |app| app.version);
        let asks_member_count = state.asks_member_count(channel.app_pk);
        let was = self.as_of.take().filter(|was| was.holds(app_version, channel, asks_member_count));
        let (moves, moved) = hub.moved_since(channel.app_pk, was.as_ref().map(|was| was.moves));
        let mut ids: Ids = match moved {
            Some(moved) => {
                let is_told = |id: &Arc<str>| {
                    let own = hub.of_user(channel.app_pk, id);
                    batch.members.contains(id)
                        || own.iter().any(|own| own.interests().channels.contains(&channel.pk))
                };
                moved.into_iter().filter(is_told).collect()
            }
            None => {
                self.unusual.clear();
                let (watchers, others) = hub.receivers(channel.app_pk, channel.pk, &batch.members);
                watchers.iter().chain(&others).map(|connection| Arc::clone(&connection.user_id)).collect()
            }
        };
        ids.extend(strangers(&batch.rows, &batch.members).filter(|id| hub.is_connected(channel.app_pk, id)));
        let comers: HashMap<&str, &LogEntry> = batch
            .entries
            .iter()
            .rev()
            .filter(|entry| entry.kind.starts_with("member."))
            .filter_map(|entry| Some((entry.user_id.as_deref()?, entry)))
            .collect();
        ids.retain(|id| !comers.contains_key(&**id));
        let mut lost = Vec::new();
        for (id, rights) in find(state, channel, ids.into_iter().collect(), &batch.members).await? {
            self.set(&id, rights);
            if !rights.reads {
                lost.push(id);
            }
        }
        self.comers = state.users(channel.app_pk, comers.keys().copied()).await?;
        for (user_id, entry) in comers {
            self.set_member(state, channel, &batch.rows, user_id, entry.kind != "member.added");
        }
        let channel = match was {
            Some(was) => was.channel,
            None => Some(Box::new(channel.clone())),
        };
        self.as_of = Some(AsOf { app_version, moves, channel });
        Ok(lost)
    }

    /// Notes that a user who comes or goes in this part of the log is a member from now on, or is none. Answers whether he
    /// or she may read the channel.
    pub(super) fn set_member(
        &mut self,
        state: &State,
        channel: &Channel,
        rows: &Rows,
        user_id: &str,
        is_member: bool,
    ) -> bool {
        let member = rows.members.get(user_id);
        let role = member.map_or("channel_member", |member| &member.channel_role);
        // An invite that was not accepted lets nobody listen.
        let is_member = is_member && member.is_none_or(|member| !member.is_pending());
        let app = state.app_with_pk(channel.app_pk);
        let rights = match (app, self.comers.get(user_id)) {
            (Some(app), Some(user)) => {
                access::rights(state, &app, Some(Arc::clone(user)), channel, is_member.then_some(role))
            }
            _ => Rights { reads: false, ..USUAL },
        };
        self.set(user_id, rights);
        rights.reads
    }
}

/// Those who are told of messages although they neither watch nor are members: authors, and who takes part in threads.
fn strangers<'a>(rows: &'a Rows, members: &'a Ids) -> impl Iterator<Item = Arc<str>> + 'a {
    let authors = rows.messages.values().map(|message| message.user_id.as_str());
    let participants = rows.threads.values().flat_map(|(_, participants)| participants);
    let all: HashSet<&str> = authors.chain(participants.map(|found| found.user_id.as_str())).collect();
    all.into_iter().filter(|id| !members.contains(*id)).map(Arc::from)
}

/// The rights that these users have in a channel now, where these were its members when the log was read. The membership of
/// those is looked up who are known as members, or may not read the channel without.
pub(super) async fn find(
    state: &State,
    channel: &Channel,
    ids: Vec<Arc<str>>,
    members: &Ids,
) -> Result<Vec<(Arc<str>, Rights)>> {
    let Some(app) = state.app_with_pk(channel.app_pk) else { return Ok(Vec::new()) };
    let mut found = Vec::with_capacity(ids.len());
    for part in ids.chunks(BATCH_MAX) {
        let users = state.users(channel.app_pk, part.iter().map(|id| &**id)).await?;
        let mut looked_up: Vec<(&Arc<str>, Arc<CachedUser>)> = Vec::new();
        for id in part {
            let user = users.get(&**id).cloned();
            if user.is_none() && !is_anonymous(state, channel.app_pk, id) {
                found.push((Arc::clone(id), Rights { reads: false, ..USUAL }));
                continue;
            }
            let rights = access::rights(state, &app, user.clone(), channel, None);
            match user {
                Some(user) if !rights.reads || members.contains(id) => looked_up.push((id, user)),
                _ => found.push((Arc::clone(id), rights)),
            }
        }
        if looked_up.is_empty() {
            continue;
        }
        let request = (channel.pk, looked_up.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>());
        let read = state.store.read("list_members_with_ids", request, |tx, (channel_pk, ids)| {
            Box::pin(async move {
                Ok::<Vec<Member>, Error>(tx.list_members_with_ids(*channel_pk, ids.clone()).await?)
            })
        });
        let members_now = read.await?.into_iter().filter(|member| !member.is_pending());
        let roles: HashMap<String, String> =
            members_now.map(|member| (member.user_id, member.channel_role)).collect();
        found.extend(looked_up.into_iter().map(|(id, user)| {
            // Who was removed since is a member until the log says so.
            let was_member = members.contains(id).then_some("channel_member");
            let role = roles.get(&**id).map(String::as_str).or(was_member);
            (Arc::clone(id), access::rights(state, &app, Some(user), channel, role))
        }));
    }
    Ok(found)
}

fn is_anonymous(state: &State, app_pk: i64, user_id: &str) -> bool {
    state.live.hub.of_user(app_pk, user_id).iter().any(|connection| connection.is_anonymous)
}
