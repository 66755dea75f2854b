//! What clients are told about what their user may do in a channel.

use std::borrow::Cow;

use natterjack_protocol::channel_types::ChannelTypeConfig;

use super::actions::Action;
use super::subject::InChannel;

/// The capabilities of a user in a channel, by name: what the grants allow, as far as the channel has it switched on.
pub(crate) fn capabilities(view: &InChannel<'_>, config: &ChannelTypeConfig) -> Vec<Cow<'static, str>> {
    let may = |action| view.may(action);
    let may_own = |action| view.may_to(action, view.user_id());
    let may_any = |action| view.may_to(action, None);
    let channel = view.channel();
    let thawed = !channel.frozen || may(Action::UseFrozenChannel);
    let sends = may(Action::CreateMessage);
    let replies = sends || may(Action::CreateReply);
    let manages_members = may(Action::UpdateChannelMembers);
    let skips_cooldown = may(Action::SkipChannelCooldown);
    let all = [
        ("ban-channel-members", may(Action::BanChannelMember)),
        ("cast-poll-vote", may(Action::CastVote)),
        ("connect-events", config.connect_events),
        ("create-attachment", may(Action::CreateAttachment)),
        ("create-mention", may(Action::CreateMention)),
        ("delete-any-message", may_any(Action::DeleteMessage)),
        ("delete-channel", may(Action::DeleteChannel)),
        ("delete-own-message", may_own(Action::DeleteMessage)),
        ("delivery-events", config.delivery_events),
        ("flag-message", may(Action::FlagMessage)),
        ("freeze-channel", may(Action::UpdateChannelFrozen)),
        ("join-channel", manages_members || may(Action::AddOwnChannelMembership)),
        ("leave-channel", manages_members || may(Action::RemoveOwnChannelMembership)),
        ("mute-channel", may(Action::MuteChannel)),
        ("pin-message", may(Action::PinMessage)),
        ("query-poll-votes", may(Action::QueryVotes)),
        ("quote-message", config.quotes && sends),
        ("read-events", config.read_events),
        ("search-messages", config.search),
        ("send-custom-events", config.custom_events && may(Action::SendCustomEvent)),
        ("send-links", may(Action::AddLinks)),
        ("send-message", thawed && sends),
        ("send-poll", may(Action::SendPoll)),
        ("send-reaction", thawed && config.reactions && may(Action::CreateReaction)),
        ("send-reply", thawed && config.replies && replies),
        ("send-restricted-visibility-message", may(Action::CreateRestrictedVisibilityMessage)),
        ("send-typing-events", config.typing_events && sends),
        ("set-channel-cooldown", may(Action::UpdateChannelCooldown)),
        ("share-location", config.shared_locations && sends),
        ("skip-slow-mode", skips_cooldown),
        ("slow-mode", channel.cooldown > 0 && !skips_cooldown),
        ("typing-events", config.typing_events),
        ("update-any-message", may_any(Action::UpdateMessage)),
        ("update-channel", may(Action::UpdateChannel)),
        ("update-channel-members", manages_members),
        ("update-own-message", may_own(Action::UpdateMessage)),
        ("update-thread", replies),
        ("upload-file", config.uploads && may(Action::UploadAttachment)),
    ];
    all.into_iter().filter(|(_, has)| *has).map(|(name, _)| Cow::Borrowed(name)).collect()
}
