//! The slash commands that every app has.

use natterjack_protocol::channel_types::Command;

/// Name, set, arguments and description of each.
const BUILT_IN: [(&str, &str, &str, &str); 6] = [
    ("giphy", "fun_set", "[text]", "Post a random gif to the channel"),
    ("ban", "moderation_set", "[@username] [text]", "Ban a user"),
    ("unban", "moderation_set", "[@username]", "Unban a user"),
    ("mute", "moderation_set", "[@username]", "Mute a user"),
    ("unmute", "moderation_set", "[@username]", "Unmute a user"),
    ("flag", "moderation_set", "[@username]", "Flag a user"),
];

/// The command with this name.
pub fn find(name: &str) -> Option<Command> {
    BUILT_IN.into_iter().find(|(built_in, ..)| *built_in == name).map(|(name, set, args, description)| {
        Command {
            name: name.to_owned(),
            set: set.to_owned(),
            args: args.to_owned(),
            description: description.to_owned(),
            ..Command::default()
        }
    })
}

/// The names that `name` stands for: itself, those of a set, or `all` of them. Empty when it is not known.
pub fn expand(name: &str) -> impl Iterator<Item = &'static str> {
    BUILT_IN
        .into_iter()
        .filter(move |(command, set, ..)| name == "all" || name == *set || name == *command)
        .map(|(command, ..)| command)
}
