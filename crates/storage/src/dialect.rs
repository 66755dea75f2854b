//! The places where the two databases need different words. Nothing else in the crate names a database in its
//! SQL, except the text index, which is another thing in each (`search/index.rs`).
//!
//! Everything else is written once: `$1` parameters (which first appear in the order of their numbers), `RETURNING`,
//! `ON CONFLICT`, common table expressions and window functions mean the same on both. So does the function
//! `natterjack_words_match(mode, text, words)`, which each connection to SQLite registers and a migration creates in
//! PostgreSQL.

use crate::value::Param;

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

    /// The opposite of [`Dialect::is_in`], for lists that are mostly empty: then SQLite does not make a table of them each time.
    pub(crate) fn is_not_in(self, column: &str, number: usize) -> String {
        match self {
            Self::Sqlite => format!("(${number} = '[]' OR NOT {})", self.is_in(column, number)),
            Self::Postgres => format!("{column} <> ALL(${number})"),
        }
    }

    /// The elements of the JSON array of texts in `column`, as a table `each(value)`.
    pub(crate) fn json_texts(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each({column}) AS each"),
            Self::Postgres => format!("jsonb_array_elements_text({column}::jsonb) AS each(value)"),
        }
    }

    /// The parameters for [`JsonValue::at_path`].
    pub(crate) fn json_path(self, path: &[String]) -> Vec<Param<'static>> {
        match self {
            Self::Sqlite => {
                let steps: String = path.iter().map(|segment| format!(".\"{segment}\"")).collect();
                vec![Param::Owned(format!("${steps}"))]
            }
            Self::Postgres => path.iter().cloned().map(Param::Owned).collect(),
        }
    }

    /// The elements of the JSON array in `column`, as a table `element(value)`.
    pub(crate) fn json_elements(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each({column}) AS element"),
            Self::Postgres => format!("jsonb_array_elements({column}::jsonb) AS element(value)"),
        }
    }

    /// The elements of the list in parameter `number`, which are of the type `kind`, `TEXT` for [`Param::Texts`] and
    /// `BIGINT` for [`Param::Ints`], as a table `each(value)`.
    pub(crate) fn listed(self, number: usize, kind: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each(${number}) AS each"),
            Self::Postgres => format!("UNNEST(CAST(${number} AS {kind}[])) AS each(value)"),
        }
    }

    /// What stands behind `FROM` for the rows `m` of a table whose unique key is `column`, of the type `kind`, one of the
    /// list `$1`, together with `other`, which is `$2`. PostgreSQL, which guesses how many rows have the `other` alone,
    /// would sometimes rather go through all of these.
    pub(crate) fn found_by_each(self, table: &str, column: &str, kind: &str, other: &str) -> String {
        match self {
            Self::Sqlite => {
                format!("{table} m WHERE {} AND m.{other} = $2", self.is_in(&format!("m.{column}"), 1))
            }
            Self::Postgres => format!(
                "{} CROSS JOIN LATERAL (SELECT * FROM {table} x WHERE x.{column} = each.value \
                 AND x.{other} = $2 LIMIT 1) AS m",
                self.listed(1, kind)
            ),
        }
    }

    /// A query for the pairs of integers in parameter `number`, the JSON text of an array of arrays of two.
    pub(crate) fn listed_pairs(self, number: usize) -> String {
        match self {
            Self::Sqlite => {
                format!(
                    "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(${number})"
                )
            }
            Self::Postgres => format!(
                "SELECT CAST(pair ->> 0 AS BIGINT), CAST(pair ->> 1 AS BIGINT) \
                 FROM json_array_elements(CAST(CAST(${number} AS TEXT) AS JSON)) AS pairs(pair)"
            ),
        }
    }

    /// Stands before a column whose index must not be used. PostgreSQL has statistics and decides for itself.
    pub(crate) const fn no_index(self) -> &'static str {
        match self {
            Self::Sqlite => "+",
            Self::Postgres => "",
        }
    }

    /// Behind a table's name: reads it by this index. SQLite would walk all members of a channel to find the few that
    /// a partial index holds.
    pub(crate) fn indexed_by(self, index: &str) -> String {
        match self {
            Self::Sqlite => format!("INDEXED BY {index}"),
            Self::Postgres => String::new(),
        }
    }

    /// Stands in an `INSERT` that gives the key which the database would have given out.
    pub(crate) const fn overriding_identity(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "OVERRIDING SYSTEM VALUE",
        }
    }

    /// Locks the rows of a `SELECT` until the end of the transaction. SQLite has one writer and needs none.
    pub(crate) const fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// Keeps the rows of a `SELECT` from changing until the end of the transaction, together with others who do the
    /// same. SQLite has one writer and needs none.
    pub(crate) const fn for_share(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR SHARE",
        }
    }

    /// As [`Dialect::for_update`], and passes over rows that another transaction has locked.
    pub(crate) const fn for_update_skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }
}

/// A type of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonKind {
    Text,
    Number,
    Boolean,
    Array,
}

/// A value inside a JSON column, as SQL.
#[derive(Debug, Clone)]
pub(crate) struct JsonValue {
    dialect: Dialect,
    /// The value. In SQLite it is extracted: text without quotes, a number.
    value: String,
    /// Its type.
    kind: String,
    /// Its JSON text.
    json: String,
    /// The arguments of `json_each` in SQLite.
    source: String,
}

impl JsonValue {
    /// The value at a path through objects in `column`. `steps` are the placeholders of [`Dialect::json_path`].
    pub(crate) fn at_path(dialect: Dialect, column: &str, steps: &[String]) -> Self {
        match dialect {
            Dialect::Sqlite => {
                let source = format!("{column}, {}", steps.concat());
                Self {
                    dialect,
                    value: format!("json_extract({source})"),
                    kind: format!("json_type({source})"),
                    json: format!("({column} -> {})", steps.concat()),
                    source,
                }
            }
            Dialect::Postgres => {
                // Unlike `#>`, this operator with a text never goes into an array.
                let steps: String = steps.iter().map(|step| format!(" -> {step}::text")).collect();
                let value = format!("({column}::jsonb{steps})");
                Self {
                    dialect,
                    kind: format!("jsonb_typeof({value})"),
                    value,
                    json: format!("({column}::json{steps})"),
                    source: String::new(),
                }
            }
        }
    }

    /// The value under `key`, a plain name, of the object in `column`.
    pub(crate) fn of_key(dialect: Dialect, column: &str, key: &str) -> Self {
        let step = match dialect {
            Dialect::Sqlite => format!("'$.\"{key}\"'"),
            Dialect::Postgres => format!("'{key}'"),
        };
        Self::at_path(dialect, column, &[step])
    }

    /// Whether there is a value other than `null`.
    pub(crate) fn exists(&self) -> String {
        format!("(COALESCE({}, 'null') <> 'null')", self.kind)
    }

    /// Whether the value is of this type; `NULL` when there is none.
    pub(crate) fn is(&self, kind: JsonKind) -> String {
        let names = match (self.dialect, kind) {
            (Dialect::Sqlite, JsonKind::Text) => "'text'",
            (Dialect::Sqlite, JsonKind::Number) => "'integer', 'real'",
            (Dialect::Sqlite, JsonKind::Boolean) => "'true', 'false'",
            (Dialect::Postgres, JsonKind::Text) => "'string'",
            (Dialect::Postgres, JsonKind::Number) => "'number'",
            (Dialect::Postgres, JsonKind::Boolean) => "'boolean'",
            (_, JsonKind::Array) => "'array'",
        };
        format!("{} IN ({names})", self.kind)
    }

    /// The value, which is known to be of this type.
    pub(crate) fn get(&self, kind: JsonKind) -> String {
        let value = &self.value;
        match (self.dialect, kind) {
            (Dialect::Sqlite, JsonKind::Number) => format!("CAST({value} AS REAL)"),
            (Dialect::Sqlite, _) | (Dialect::Postgres, JsonKind::Array) => value.clone(),
            (Dialect::Postgres, JsonKind::Text) => format!("(({value} #>> '{{}}') COLLATE \"C\")"),
            (Dialect::Postgres, JsonKind::Number) => format!("{value}::double precision"),
            (Dialect::Postgres, JsonKind::Boolean) => format!("{value}::boolean"),
        }
    }

    /// The value as text to sort by: numbers and booleans as they are written, `NULL` for arrays and objects.
    pub(crate) fn as_text(&self) -> String {
        let (text, other) = match self.dialect {
            Dialect::Sqlite => (self.value.clone(), self.json.clone()),
            Dialect::Postgres => {
                let text = format!("(({} #>> '{{}}') COLLATE \"C\")", self.json);
                (text.clone(), text)
            }
        };
        format!(
            "CASE WHEN {} THEN {text} WHEN {} OR {} THEN {other} END",
            self.is(JsonKind::Text),
            self.is(JsonKind::Number),
            self.is(JsonKind::Boolean)
        )
    }

    /// A table of the elements of the value, which is known to be an array, and an element of it.
    pub(crate) fn elements(&self) -> (String, Self) {
        let (table, kind) = match self.dialect {
            Dialect::Sqlite => (format!("json_each({}) AS element", self.source), "element.type"),
            Dialect::Postgres => (
                format!("jsonb_array_elements({}) AS element(value)", self.value),
                "jsonb_typeof(element.value)",
            ),
        };
        let value = "element.value".to_owned();
        let element = Self {
            dialect: self.dialect,
            json: value.clone(),
            value,
            kind: kind.to_owned(),
            source: String::new(),
        };
        (table, element)
    }
}
