use crate::dialect::Dialect;
use crate::error::Result;
use crate::tx::Tx;
use crate::value::params;

/// Changed rows of a table from which on PostgreSQL is to look at it again, beside half of what it holds.
const CHANGES_MIN: i64 = 200;

impl Tx {
    /// The tables of which PostgreSQL's statistics are so old that its plans may be bad ones. With SQLite there are none:
    /// it plans by the indexes alone.
    pub async fn list_grown_tables(&mut self) -> Result<Vec<String>> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(Vec::new());
        }
        // Autovacuum does the same, but only once a minute, and for a table that was empty that is a minute of plans
        // for an empty table.
        self.query(
            "SELECT CAST(s.relname AS TEXT) FROM pg_stat_user_tables s WHERE s.schemaname = current_schema() \
             AND s.n_mod_since_analyze > $1 AND s.n_mod_since_analyze > (SELECT c.reltuples / 2 FROM pg_class c \
             WHERE c.oid = s.relid) ORDER BY s.relname",
            params![CHANGES_MIN],
            |row| row.text(0),
        )
        .await
    }

    /// Has PostgreSQL look at a table that [`Tx::list_grown_tables`] named.
    pub async fn analyze_table(&mut self, table: &str) -> Result<()> {
        self.execute(&format!("ANALYZE \"{}\"", table.replace('"', "\"\"")), &[]).await?;
        Ok(())
    }
}
