//! A query about each of several things, as one statement.

use std::fmt::Write as _;

use tokio_postgres::types::{Kind, ToSql, Type};

use crate::value::Param;

/// A statement that runs a `SELECT` with each list of parameters. Its rows have one column more, the last: which of the
/// lists they belong to, from 1. Those of one list come in the order of the `SELECT`.
pub(super) struct Each<'a> {
    pub(super) sql: String,
    params: Vec<Column<'a>>,
}

/// A parameter of the joined statement.
enum Column<'a> {
    /// One value for each list.
    Values(Vec<&'a Param<'a>>),
    /// A list that is the same for all: PostgreSQL has no arrays of arrays.
    Same(&'a Param<'a>),
}

impl<'a> Each<'a> {
    /// `types` are those of the parameters of `sql`. `None` where a parameter is a list and not the same for all.
    pub(super) fn of(sql: &str, types: &[Type], params: &'a [Vec<Param<'a>>]) -> Option<Self> {
        let mut columns = Vec::with_capacity(types.len());
        let (mut arrays, mut names, mut stand_ins) = (String::new(), String::new(), Vec::new());
        for (index, kind) in types.iter().enumerate() {
            let mut values = params.iter().map(|params| &params[index]);
            let number = index + 1;
            if matches!(kind.kind(), Kind::Array(_)) {
                let first = values.next()?;
                if values.any(|value| value != first) {
                    return None;
                }
                columns.push(Column::Same(first));
                stand_ins.push(format!("${number}"));
            } else {
                columns.push(Column::Values(values.collect()));
                let _ = write!(arrays, "CAST(${number} AS {}[]), ", kind.name());
                let _ = write!(names, "p{number}, ");
                stand_ins.push(format!("listed.p{number}"));
            }
        }
        let arrays = arrays.strip_suffix(", ")?;
        // `OFFSET 0` keeps the planner from joining in another way than list by list.
        let sql = format!(
            "SELECT found.*, listed.position FROM UNNEST({arrays}) WITH ORDINALITY AS listed({names}position) \
             CROSS JOIN LATERAL (SELECT * FROM ({}) AS one OFFSET 0) AS found",
            with_stand_ins(sql, &stand_ins)
        );
        Some(Self { sql, params: columns })
    }

    pub(super) fn references(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.params
            .iter()
            .map(|column| match column {
                Column::Values(values) => values as &(dyn ToSql + Sync),
                Column::Same(value) => *value as &(dyn ToSql + Sync),
            })
            .collect()
    }
}

/// Puts the first of `stand_ins` in place of `$1`, and so on.
fn with_stand_ins(sql: &str, stand_ins: &[String]) -> String {
    let mut parts = sql.split('$');
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number = part[..digits].parse::<usize>().ok();
        match number.and_then(|number| stand_ins.get(number.checked_sub(1)?)) {
            Some(stand_in) => written.push_str(stand_in),
            None => {
                written.push('$');
                written.push_str(&part[..digits]);
            }
        }
        written.push_str(&part[digits..]);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::{Each, Param, Type};

    #[test]
    fn a_value_for_each_becomes_a_column_and_a_list_for_all_stays_a_parameter() {
        let params = [
            vec![Param::Int(1), Param::Texts(vec!["a".to_owned()])],
            vec![Param::Int(2), Param::Texts(vec!["a".to_owned()])],
        ];
        let each =
            Each::of("SELECT $1, $2, $1", &[Type::INT8, Type::TEXT_ARRAY], &params).expect("one statement");
        assert!(each.sql.contains("UNNEST(CAST($1 AS int8[]))"), "{}", each.sql);
        assert!(each.sql.contains("(SELECT listed.p1, $2, listed.p1)"), "{}", each.sql);
    }

    #[test]
    fn lists_that_differ_cannot_be_joined() {
        let params = [vec![Param::Ints(vec![1])], vec![Param::Ints(vec![2])]];
        assert!(Each::of("SELECT $1", &[Type::INT8_ARRAY], &params).is_none());
    }
}
