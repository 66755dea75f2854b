//! The places where the two databases need different words. Nothing else in the crate names a database in its SQL.
//!
//! Everything else is written once: `$1` parameters (which first appear in the order of their numbers), `RETURNING`,
//! `ON CONFLICT`, common table expressions and window functions mean the same on both.

/// Which database the SQL is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The embedded database.
    Sqlite,
    /// The database server.
    Postgres,
}

impl Dialect {
    /// The name in configuration and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// `column` is one of the list in parameter `number` ([`Param::Texts`](crate::value::Param) or `Ints`).
    pub(crate) fn is_in(self, column: &str, number: usize) -> String {
        match self {
            Self::Sqlite => format!("{column} IN (SELECT value FROM json_each(${number}))"),
            Self::Postgres => format!("{column} = ANY(${number})"),
        }
    }

    /// The elements of the JSON array of texts in `column`, as a table `each(value)`.
    pub(crate) fn json_texts(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each({column}) AS each"),
            Self::Postgres => format!("jsonb_array_elements_text({column}::jsonb) AS each(value)"),
        }
    }

    /// Locks the rows of a `SELECT` until the end of the transaction. SQLite has one writer and needs none.
    pub(crate) const fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }
}
