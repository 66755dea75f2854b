//! Sorts: the order of what a query finds. Requests take a list of [`SortParam`]; the first entry counts most.
//!
//! ```
//! use natterjack_client::protocol::SortParam;
//! use natterjack_client::sort::channels;
//!
//! let sort = vec![channels::pinned_at().descending(), channels::last_message_at().descending()];
//! assert_eq!(sort[1], SortParam::descending("last_message_at"));
//! ```

use natterjack_protocol::SortParam;

/// A field that a query can be ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a sort field says nothing without a direction"]
pub struct SortField {
    name: String,
    kind: Option<&'static str>,
}

impl SortField {
    /// A field by its name; custom ones are compared as text.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: None }
    }

    /// Compares this custom field as a number.
    pub fn as_number(mut self) -> Self {
        self.kind = Some("number");
        self
    }

    /// Compares this custom field as true or false.
    pub fn as_boolean(mut self) -> Self {
        self.kind = Some("boolean");
        self
    }

    /// Smallest, oldest, or A first.
    pub fn ascending(self) -> SortParam {
        SortParam { kind: self.kind.map(str::to_owned), ..SortParam::ascending(self.name) }
    }

    /// Largest, newest, or Z first.
    pub fn descending(self) -> SortParam {
        SortParam { kind: self.kind.map(str::to_owned), ..SortParam::descending(self.name) }
    }
}

/// Declares a module with a function for each field that its query can be ordered by.
macro_rules! sort_fields {
    ($($(#[$doc:meta])* $module:ident { $($(#[$field_doc:meta])* $field:ident,)* })*) => { $(
        $(#[$doc])*
        pub mod $module {
            use super::SortField;

            $($(#[$field_doc])*
            pub fn $field() -> SortField {
                SortField::named(stringify!($field))
            })*

            /// A field of the custom data, compared as text unless said otherwise.
            pub fn custom(name: impl Into<String>) -> SortField {
                SortField::named(name)
            }
        }
    )* };
}

sort_fields! {
    /// Orders of queries of channels; at most five entries.
    channels {
        /// The later of creation and latest message. Descending is the order of a query without a sort.
        last_updated,
        /// When the latest message was sent.
        last_message_at,
        /// When the channel was made.
        created_at,
        /// When the channel was last changed.
        updated_at,
        /// How many members there are.
        member_count,
        /// How many messages the acting user has not read.
        unread_count,
        /// Whether the acting user has unread messages.
        has_unread,
        /// When the acting user pinned the channel.
        pinned_at,
    }
    /// Orders of queries of users; at most five entries.
    users {
        /// The user's id.
        id,
        /// The user's name.
        name,
        /// When the user was made. Descending is the order of a query without a sort.
        created_at,
        /// When the user was last changed.
        updated_at,
        /// When the user was last active.
        last_active,
    }
    /// Orders of queries of members; one entry.
    members {
        /// When the member was added. Ascending is the order of a query without a sort.
        created_at,
        /// The member's user id.
        user_id,
        /// The member's name.
        name,
    }
    /// Orders of queries of threads: one of these alone, or `last_message_at` and `parent_message_id`, or
    /// `has_unread` before both.
    threads {
        /// Whether the acting user has not read replies. Descending is the order of a query without a sort.
        has_unread,
        /// When the last reply was sent.
        last_message_at,
        /// The id of the message that the thread hangs on.
        parent_message_id,
        /// When the first reply was sent.
        created_at,
        /// When the thread was last changed.
        updated_at,
        /// How many replies there are.
        reply_count,
        /// How many users take part.
        participant_count,
        /// How many users take part who have not left.
        active_participant_count,
    }
    /// Orders of searches.
    messages {
        /// How well the message fits the words. Descending is the order of a search without a sort.
        relevance,
        /// The message's id.
        id,
        /// When the message was sent.
        created_at,
        /// When the message was last changed.
        updated_at,
        /// How many replies the message has.
        reply_count,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::channels;

    #[test]
    fn custom_fields_say_how_they_compare() {
        let sort =
            vec![channels::custom("price").as_number().descending(), channels::created_at().ascending()];
        assert_eq!(
            json!(sort),
            json!([{"field": "price", "direction": -1, "type": "number"}, {"field": "created_at", "direction": 1}])
        );
    }
}
