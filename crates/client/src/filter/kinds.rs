//! Kinds of fields: what a field holds and which operators it takes. Only used as the parameter of
//! [`Field`](super::Field).

/// A kind of field, and what its operators compare with.
pub trait Kind: Send + Sync + 'static {
    /// What the field's values are compared with: [`Text`], [`Number`], [`Time`], [`Flag`] or [`Anything`].
    type Compared;
}

/// Takes `$eq`.
pub trait Equal: Kind {}
/// Takes `$ne`.
pub trait NotEqual: Kind {}
/// Takes `$gt`, `$gte`, `$lt`, `$lte`.
pub trait Ordered: Kind {}
/// Takes `$in`.
pub trait OneOf: Kind {}
/// Takes `$nin`.
pub trait NoneOf: Kind {}
/// Takes `$exists`.
pub trait Optional: Kind {}
/// Takes `$contains`.
pub trait Containing: Kind {}
/// Takes `$autocomplete`.
pub trait Autocompleted: Kind {}
/// Takes `$q`.
pub trait Searched: Kind {}
/// Takes `$eq` with a list.
pub trait ExactSet: Kind {}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident($compared:ty): $($capability:ident)*;)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub enum $name {}

        impl Kind for $name {
            type Compared = $compared;
        }
        $(impl $capability for $name {})*
    )* };
}

kinds! {
    /// Text, compared as a whole: ids, types.
    Text(Text): Equal Ordered OneOf Optional;
    /// Text that is also searched by words: names.
    Name(Text): Equal Ordered OneOf Optional Autocompleted Searched;
    /// Text that is completed while it is typed, or equals.
    Completed(Text): Equal Autocompleted;
    /// Text that is compared, or completed while it is typed.
    Remark(Text): Equal Ordered Autocompleted;
    /// Text that is completed, searched or one of some.
    Lookup(Text): Equal OneOf Autocompleted Searched;
    /// The id of a user in a query of users, which may also be excluded.
    UserKey(Text): Equal NotEqual Ordered OneOf NoneOf Optional Autocompleted;
    /// The name of a user in a query of users.
    UserName(Text): Equal Ordered OneOf Optional Autocompleted;
    /// One word of a few, or some of them.
    Word(Text): Equal OneOf;
    /// One word of a few.
    Choice(Text): Equal;
    /// A number.
    Number(Number): Equal Ordered OneOf Optional;
    /// A moment.
    Time(Time): Equal Ordered OneOf Optional;
    /// A moment that is always there.
    Moment(Time): Equal Ordered OneOf;
    /// True or false.
    Flag(Flag): Equal;
    /// True or false, where `$ne` is allowed too.
    Switch(Flag): Equal NotEqual;
    /// A set of texts of which some are asked for, or all.
    Set(Text): OneOf ExactSet;
    /// A list of texts.
    List(Text): Containing Equal OneOf;
    /// A list that is only asked whether it holds something.
    Holder(Text): Containing;
    /// Something that is there or not.
    Presence(Flag): Optional;
    /// Custom data, of any type, with every operator that custom data takes.
    Anything(Anything): Equal Ordered OneOf Optional Containing Autocompleted Searched;
}
