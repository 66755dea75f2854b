//! What can be allowed: the actions, each once.

/// Where a permission is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// In the whole app, scope `.app`.
    App,
    /// In the channels of a type, scope its name.
    Channel,
}

impl Level {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Channel => "channel",
        }
    }
}

macro_rules! actions {
    ($($name:ident $id:literal $level:ident $resource:literal $description:literal;)*) => {
        /// Something that a role may be allowed to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(clippy::enum_variant_names, reason = "they are called as permissions call them")]
        pub(crate) enum Action { $(#[doc = $description] $name,)* }

        impl Action {
            /// Every action, in the order of their bits.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in refusals and in permissions: `CreateMessage`.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The name in the ids of permissions: `create-message`.
            pub(crate) const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            pub(crate) const fn level(self) -> Level {
                match self { $(Self::$name => Level::$level,)* }
            }

            /// What the owner form of the permission is about: whose the subject must be.
            pub(crate) const fn resource(self) -> &'static str {
                match self { $(Self::$name => $resource,)* }
            }

            /// What it allows, for people.
            pub(crate) const fn description(self) -> &'static str {
                match self { $(Self::$name => $description,)* }
            }
        }
    };
}

actions! {
    AddLinks "add-links" Channel "channel" "Adding links to messages";
    AddOwnChannelMembership "add-own-channel-membership" Channel "channel" "Joining a channel";
    BanChannelMember "ban-channel-member" Channel "channel" "Banning a member from a channel";
    BanUser "ban-user" Channel "channel" "Banning a user";
    CastVote "cast-vote" Channel "channel" "Voting in a poll";
    ClosePoll "close-poll" App "poll" "Closing a poll";
    CreateAttachment "create-attachment" Channel "channel" "Sending a message with attachments";
    CreateCall "create-call" Channel "channel" "Starting a call";
    CreateChannel "create-channel" Channel "channel" "Creating a channel";
    CreateDistinctChannelForOthers "create-distinct-channel-for-others" Channel "channel"
        "Creating a distinct channel without being one of its members";
    CreateMention "create-mention" Channel "channel" "Mentioning a user in a message";
    CreateMessage "create-message" Channel "channel" "Sending a message";
    CreatePoll "create-poll" App "poll" "Creating a poll";
    CreateReaction "create-reaction" Channel "channel" "Reacting to a message";
    CreateReply "create-reply" Channel "channel" "Replying to a message";
    CreateRestrictedVisibilityMessage "create-restricted-visibility-message" Channel "channel"
        "Sending a message that only some members see";
    CreateSystemMessage "create-system-message" Channel "channel" "Sending a system message";
    DeleteAttachment "delete-attachment" Channel "attachment" "Deleting an uploaded file";
    DeleteChannel "delete-channel" Channel "channel" "Deleting a channel";
    DeleteMessage "delete-message" Channel "message" "Deleting a message";
    DeletePoll "delete-poll" App "poll" "Deleting a poll";
    DeleteReaction "delete-reaction" Channel "reaction" "Deleting a reaction";
    FlagMessage "flag-message" Channel "channel" "Flagging a message";
    FlagUser "flag-user" App "user" "Flagging a user";
    JoinCall "join-call" Channel "channel" "Joining a call";
    MuteChannel "mute-channel" Channel "channel" "Muting a channel";
    MuteUser "mute-user" App "user" "Muting a user";
    PinMessage "pin-message" Channel "channel" "Pinning and unpinning a message";
    QueryPolls "query-polls" App "poll" "Finding polls";
    QueryVotes "query-votes" Channel "channel" "Finding the votes of a poll";
    ReadChannel "read-channel" Channel "channel" "Reading a channel";
    ReadChannelMembers "read-channel-members" Channel "channel" "Finding the members of a channel";
    ReadDisabledChannel "read-disabled-channel" Channel "channel" "Using a channel that is disabled";
    ReadFlagReports "read-flag-reports" App "user" "Reading reports about what was flagged";
    ReadMessageFlags "read-message-flags" Channel "channel" "Reading the flags of messages";
    ReadRestrictedVisibilityMessage "read-restricted-visibility-message" Channel "channel"
        "Reading messages that only some members see";
    RecreateChannel "recreate-channel" Channel "channel" "Creating a deleted channel again";
    RemoveOwnChannelMembership "remove-own-channel-membership" Channel "channel" "Leaving a channel";
    RunMessageAction "run-message-action" Channel "message" "Running an action of a message";
    SearchUser "search-user" App "user" "Finding users";
    SendCustomEvent "send-custom-event" Channel "channel" "Sending a custom event";
    SendPoll "send-poll" Channel "channel" "Sending a message with a poll";
    SkipChannelCooldown "skip-channel-cooldown" Channel "channel" "Sending messages without waiting in slow mode";
    SkipMessageModeration "skip-message-moderation" Channel "channel" "Sending messages without moderation";
    TruncateChannel "truncate-channel" Channel "channel" "Removing all messages of a channel";
    UnblockMessage "unblock-message" Channel "message" "Showing a message that moderation blocked";
    UpdateChannel "update-channel" Channel "channel" "Changing the data of a channel";
    UpdateChannelCooldown "update-channel-cooldown" Channel "channel" "Changing the slow mode of a channel";
    UpdateChannelFrozen "update-channel-frozen" Channel "channel" "Freezing a channel";
    UpdateChannelMembers "update-channel-members" Channel "channel" "Adding and removing members of a channel";
    UpdateFlagReport "update-flag-report" App "user" "Changing reports about what was flagged";
    UpdateMessage "update-message" Channel "message" "Changing a message";
    UpdatePoll "update-poll" App "poll" "Changing a poll";
    UpdateUser "update-user" App "user" "Changing a user";
    UpdateUserRole "update-user-role" App "user" "Changing the role of a user";
    UpdateUserTeams "update-user-teams" App "user" "Changing the teams of a user";
    UploadAttachment "upload-attachment" Channel "channel" "Uploading a file";
    UseFrozenChannel "use-frozen-channel" Channel "channel" "Sending messages and reactions to a frozen channel";
}

const _: () = assert!(Action::ALL.len() <= 64, "a set of actions has 64 bits");

impl Action {
    /// The action of this name, `CreateMessage`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }

    pub(super) const fn bit(self) -> u64 {
        1 << self as u32
    }
}

/// A permission: an action, and what it is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Permission {
    pub(crate) action: Action,
    /// Only on what is the subject's own.
    pub(crate) owner: bool,
    /// Only on what is of the subject's team.
    pub(crate) same_team: bool,
}

impl Permission {
    /// The built-in permission of this id: `create-message`, `create-message-owner`, `create-message-any-team`,
    /// `create-message-owner-any-team`.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        let (rest, same_team) = id.strip_suffix("-any-team").map_or((id, true), |rest| (rest, false));
        let (rest, owner) = rest.strip_suffix("-owner").map_or((rest, false), |rest| (rest, true));
        let action = Action::ALL.iter().copied().find(|action| action.id() == rest)?;
        Some(Self { action, owner, same_team })
    }

    pub(crate) fn id(self) -> String {
        let owner = if self.owner { "-owner" } else { "" };
        let team = if self.same_team { "" } else { "-any-team" };
        format!("{}{owner}{team}", self.action.id())
    }

    /// Every built-in permission, ordered by id.
    pub(crate) fn all() -> Vec<Self> {
        let forms = [(false, true), (true, true), (false, false), (true, false)];
        let mut all: Vec<Self> = Action::ALL
            .iter()
            .flat_map(|action| forms.map(|(owner, same_team)| Self { action: *action, owner, same_team }))
            .collect();
        all.sort_by_cached_key(|permission| permission.id());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Permission};

    #[test]
    fn the_id_of_an_action_is_its_name_in_another_spelling() {
        for action in Action::ALL {
            let camel: String =
                action.id().split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
            assert_eq!(camel, action.name());
            assert_eq!(Action::named(&camel), Some(*action));
        }
    }

    #[test]
    fn every_id_reads_back() {
        let all = Permission::all();
        assert_eq!(all.len(), 4 * Action::ALL.len());
        for permission in all {
            assert_eq!(Permission::parse(&permission.id()), Some(permission));
        }
        assert_eq!(Permission::parse("fly-owner"), None);
        assert_eq!(Permission::parse("create-message-any-team-owner"), None);
    }
}
