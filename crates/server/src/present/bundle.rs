use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use natterjack_protocol::members::ChannelMemberPartialResponse;
use natterjack_protocol::message_types::MessageResponse;
use natterjack_protocol::reactions::{ReactionGroupResponse, ReactionGroupUserResponse};
use natterjack_protocol::{Custom, Timestamp};
use natterjack_storage::{Message, Reaction, Tx, together};

use super::{Users, markdown, only, reaction, user};
use crate::auth::{Caller, Who};
use crate::error::Result;
use crate::limits::{LATEST_REACTIONS_MAX, THREAD_PARTICIPANTS_MAX};
use crate::state::CachedUser;

/// Stands for somebody without a token where a user is asked for; nobody can have this id.
const ANONYMOUS: &str = "!anon";

/// For whom and how messages are shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct MessageContext {
    pub(crate) app_pk: i64,
    /// The user for whom messages are shown; `None` is the server.
    pub(crate) viewer: Option<String>,
    /// Keys of the sender's member data to be shown with each message.
    pub(crate) member_custom_include: Vec<String>,
    /// Whether the content of deleted messages is shown.
    pub(crate) show_deleted: bool,
}

impl MessageContext {
    /// As the caller sees messages.
    pub(crate) fn of(caller: &Caller) -> Self {
        let viewer = match &caller.who {
            Who::Server => None,
            Who::User(id) => Some(id.as_str().to_owned()),
            Who::Anonymous => Some(ANONYMOUS.to_owned()),
        };
        Self { app_pk: caller.app.pk, viewer, ..Self::default() }
    }

    /// As the user sees messages for whom a server asks.
    pub(crate) fn seen_by(self, user: Option<&Arc<CachedUser>>) -> Self {
        let viewer = user.map(|user| user.user.id.clone()).or(self.viewer);
        Self { viewer, ..self }
    }
}

/// What messages refer to: the rows that a reply with messages needs beside them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bundle {
    pub(crate) users: Users,
    context: MessageContext,
    cids: HashMap<i64, Arc<str>>,
    quoted: HashMap<String, Message>,
    own_reactions: HashMap<i64, Vec<Reaction>>,
    hidden: HashSet<i64>,
    participants: HashMap<i64, Vec<String>>,
    member_custom: HashMap<(i64, String), Custom>,
    now: Timestamp,
}

/// The viewer's reactions to these messages, with the messages' keys.
async fn list_own_reactions(
    tx: &mut Tx,
    message_pks: Vec<i64>,
    viewer: Option<&str>,
) -> Result<Vec<(i64, Reaction)>> {
    match viewer {
        Some(viewer) if !message_pks.is_empty() => Ok(tx.list_own_reactions(message_pks, viewer).await?),
        _ => Ok(Vec::new()),
    }
}

/// Which of these messages the viewer has deleted for himself or herself.
async fn list_hidden(tx: &mut Tx, message_pks: Vec<i64>, viewer: Option<&str>) -> Result<Vec<i64>> {
    match viewer {
        Some(viewer) if !message_pks.is_empty() => {
            Ok(tx.list_messages_hidden_for(message_pks, viewer).await?)
        }
        _ => Ok(Vec::new()),
    }
}

impl Bundle {
    /// A bundle for messages that refer to nothing but these users.
    pub(crate) fn of_users(users: Users, context: MessageContext, now: Timestamp) -> Self {
        let users = users.seen_by(context.viewer.as_deref());
        Self { users, context, now, ..Self::default() }
    }

    /// What a write has read, for the reply to the caller: who is banned without being told does not learn it. Own
    /// reactions have not been read.
    pub(crate) fn seen_by(self, caller: &Caller) -> Self {
        match MessageContext::of(caller).viewer {
            Some(viewer) => self.shown_to(viewer),
            None => self,
        }
    }

    /// The same for one user.
    pub(crate) fn shown_to(mut self, viewer: String) -> Self {
        self.users = self.users.seen_by(Some(&viewer));
        self.context.viewer = Some(viewer);
        self
    }

    /// Tells the name of a channel whose messages will be shown.
    pub(crate) fn add_channel(&mut self, channel_pk: i64, cid: &str) {
        self.cids.insert(channel_pk, cid.into());
    }

    /// The user for whom is shown; `None` is the server.
    pub(crate) fn viewer(&self) -> Option<&str> {
        self.context.viewer.as_deref()
    }

    /// Forgets what not everybody sees of quoted messages and of users, for what is shown to many at once.
    pub(crate) fn keep_what_all_see(&mut self) {
        self.users.keep_what_all_see();
        self.quoted.retain(|_, message| message.restricted_visibility.is_empty() && !message.shadowed);
    }

    /// The messages that others quote.
    pub(crate) fn quoted(&self) -> impl Iterator<Item = &Message> {
        self.quoted.values()
    }

    /// The moment for which is shown.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Adds a message that another one quotes.
    pub(crate) fn add_quoted(&mut self, message: Message) {
        self.quoted.insert(message.id.clone(), message);
    }

    /// Reads what these messages refer to, and the users named in `more_users`.
    pub(crate) async fn load(
        tx: &mut Tx,
        context: MessageContext,
        messages: &[&Message],
        more_users: impl IntoIterator<Item = String>,
        now: Timestamp,
    ) -> Result<Self> {
        let mut bundle = Self { context, now, ..Self::default() };
        let quoted_ids: BTreeSet<String> =
            messages.iter().filter_map(|message| message.quoted_message_id.clone()).collect();
        let (app_pk, viewer) = (bundle.context.app_pk, bundle.context.viewer.as_deref());
        let quoted =
            tx.list_shown_messages_with_ids(app_pk, quoted_ids.into_iter().collect(), viewer).await?;
        bundle.quoted = quoted.into_iter().map(|message| (message.id.clone(), message)).collect();

        let reacted = messages.iter().filter(|message| !message.reactions.groups.is_empty());
        let reacted: Vec<i64> = reacted.map(|message| message.pk).collect();
        let shown = messages.iter().copied().chain(bundle.quoted.values());
        let all: Vec<i64> = shown.map(|message| message.pk).collect();
        // A pinned message may be among the newest, too: its participants are read once.
        let parents: BTreeSet<i64> = messages
            .iter()
            .filter(|message| message.reply_count + message.deleted_reply_count > 0)
            .map(|message| message.pk)
            .collect();
        let parents = Vec::from_iter(parents);
        let (own_reactions, hidden, participants) = together!(tx:
            list_own_reactions(tx, reacted, viewer),
            list_hidden(tx, all, viewer),
            tx.list_thread_participants(&parents, THREAD_PARTICIPANTS_MAX),
        );
        for (message_pk, reaction) in own_reactions {
            bundle.own_reactions.entry(message_pk).or_default().push(reaction);
        }
        bundle.hidden = hidden.into_iter().collect();
        for participant in participants {
            bundle.participants.entry(participant.parent_pk).or_default().push(participant.user_id);
        }
        bundle.load_member_custom(tx, messages).await?;
        bundle.load_users(tx, messages, more_users).await?;
        Ok(bundle)
    }

    async fn load_member_custom(&mut self, tx: &mut Tx, messages: &[&Message]) -> Result<()> {
        if self.context.member_custom_include.is_empty() {
            return Ok(());
        }
        let mut senders: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        for message in messages {
            senders.entry(message.channel_pk).or_default().insert(message.user_id.clone());
        }
        for (channel_pk, user_ids) in senders {
            for member in tx.list_members_with_ids(channel_pk, user_ids.into_iter().collect()).await? {
                let custom = only(&member.custom, &self.context.member_custom_include);
                self.member_custom.insert((channel_pk, member.user_id), custom);
            }
        }
        Ok(())
    }

    async fn load_users(
        &mut self,
        tx: &mut Tx,
        messages: &[&Message],
        more: impl IntoIterator<Item = String>,
    ) -> Result<()> {
        let mut ids: BTreeSet<String> = more.into_iter().collect();
        for message in messages.iter().copied().chain(self.quoted.values()) {
            ids.insert(message.user_id.clone());
            ids.extend(message.mentioned_user_ids.iter().cloned());
            ids.extend(message.pin.iter().map(|pin| pin.by_id.clone()));
            ids.extend(message.reactions.user_ids().map(str::to_owned));
        }
        ids.extend(self.own_reactions.values().flatten().map(|reaction| reaction.user_id.clone()));
        ids.extend(self.participants.values().flatten().cloned());
        let users = tx.list_users(self.context.app_pk, ids.into_iter().collect()).await?;
        let shown: Users = users.iter().map(|stored| Arc::new(user(stored, self.now))).collect();
        self.users = shown.seen_by(self.context.viewer.as_deref());
        Ok(())
    }

    /// A message as it travels on the wire.
    pub(crate) fn message(&self, message: &Message) -> MessageResponse {
        let mut response = self.without_quoted(message);
        if let Some(quoted) = message.quoted_message_id.as_ref().and_then(|id| self.quoted.get(id))
            && response.deleted_at.is_none()
            // The id of a message that is gone may be another one's by now.
            && quoted.channel_pk == message.channel_pk
            && self.context.viewer.as_ref().is_none_or(|viewer| quoted.is_visible_to(viewer))
        {
            response.quoted_message = Some(Box::new(self.without_quoted(quoted)));
        }
        response
    }

    fn without_quoted(&self, message: &Message) -> MessageResponse {
        let users = &self.users;
        let extra = &message.extra;
        let reactions = &message.reactions;
        let pin = message.pin.as_ref().filter(|pin| pin.expires.is_none_or(|expires| expires > self.now));
        let hidden_for_viewer = self.hidden.contains(&message.pk);
        let is_deleted = message.deleted_at.is_some() || hidden_for_viewer;
        let mut response = MessageResponse {
            id: message.id.clone(),
            cid: self.cids.get(&message.channel_pk).map(|cid| cid.as_ref().to_owned()).unwrap_or_default(),
            kind: if is_deleted { "deleted" } else { message.kind.as_str() }.to_owned(),
            user: users.get(&message.user_id),
            parent_id: message.parent_id.clone(),
            show_in_channel: extra.show_in_channel,
            reply_count: message.reply_count,
            deleted_reply_count: message.deleted_reply_count,
            silent: message.silent,
            shadowed: message.shadowed && self.context.viewer.as_ref() != Some(&message.user_id),
            quoted_message_id: message.quoted_message_id.clone(),
            restricted_visibility: message.restricted_visibility.clone(),
            custom: message.custom.clone(),
            mentioned_here: extra.mentioned_here,
            mentioned_channel: extra.mentioned_channel,
            mentioned_roles: (!extra.mentioned_roles.is_empty()).then(|| extra.mentioned_roles.clone()),
            mentioned_group_ids: (!extra.mentioned_group_ids.is_empty())
                .then(|| extra.mentioned_group_ids.clone()),
            created_at: message.created_at,
            updated_at: message.updated_at,
            message_text_updated_at: message.text_updated_at,
            deleted_at: message.deleted_at,
            deleted_for_me: hidden_for_viewer.then_some(true),
            pinned: pin.is_some(),
            pinned_at: pin.map(|pin| pin.at),
            pinned_by: pin.map(|pin| users.get(&pin.by_id)),
            pin_expires: pin.and_then(|pin| pin.expires),
            reaction_counts: reactions
                .groups
                .iter()
                .map(|(kind, group)| (kind.clone(), group.count))
                .collect(),
            reaction_scores: reactions
                .groups
                .iter()
                .map(|(kind, group)| (kind.clone(), group.sum_scores))
                .collect(),
            reaction_groups: self.reaction_groups(message),
            latest_reactions: reactions
                .latest
                .iter()
                .map(|stored| reaction(stored, &message.id, users))
                .collect(),
            own_reactions: self
                .own_reactions
                .get(&message.pk)
                .into_iter()
                .flatten()
                .take(LATEST_REACTIONS_MAX)
                .map(|stored| reaction(stored, &message.id, users))
                .collect(),
            thread_participants: self
                .participants
                .get(&message.pk)
                .map(|ids| ids.iter().map(|id| users.get(id)).collect()),
            member: self.sender_member(message),
            ..MessageResponse::default()
        };
        if !is_deleted || (self.context.show_deleted && !hidden_for_viewer) {
            response.text.clone_from(&message.text);
            response.html = extra.html.clone().unwrap_or_else(|| markdown::render(&message.text));
            response.mml.clone_from(&extra.mml);
            response.i18n.clone_from(&extra.i18n);
            response.attachments.clone_from(&message.attachments);
            response.mentioned_users = message.mentioned_user_ids.iter().map(|id| users.get(id)).collect();
        }
        response
    }

    fn sender_member(&self, message: &Message) -> Option<ChannelMemberPartialResponse> {
        let channel_role = message.extra.channel_role.clone()?;
        let custom = self.member_custom.get(&(message.channel_pk, message.user_id.clone())).cloned();
        Some(ChannelMemberPartialResponse { channel_role, notifications_muted: false, custom })
    }

    fn reaction_groups(&self, message: &Message) -> BTreeMap<String, ReactionGroupResponse> {
        let response = message.reactions.groups.iter().map(|(kind, group)| {
            let response = ReactionGroupResponse {
                count: group.count,
                sum_scores: group.sum_scores,
                first_reaction_at: group.first_reaction_at,
                last_reaction_at: group.last_reaction_at,
                latest_reactions_by: group
                    .latest_by
                    .iter()
                    .map(|reactor| ReactionGroupUserResponse {
                        created_at: reactor.created_at,
                        user_id: reactor.user_id.clone(),
                        user: Some(self.users.get(&reactor.user_id)),
                    })
                    .collect(),
            };
            (kind.clone(), response)
        });
        response.collect()
    }
}
