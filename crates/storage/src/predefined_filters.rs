use natterjack_protocol::Timestamp;
use natterjack_protocol::predefined_filters::PredefinedFilter;

use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Row, json, json_unless_default, params};

const COLUMNS: &str = "name, operation, filter, sort, description, created_at, updated_at";

fn filter_from_row(row: Row<'_>) -> Result<PredefinedFilter> {
    Ok(PredefinedFilter {
        name: row.text(0)?,
        operation: row.text(1)?,
        filter: row.json(2, "predefined_filters.filter")?,
        sort: row.json(3, "predefined_filters.sort")?,
        description: row.text(4)?,
        created_at: row.time(5)?,
        updated_at: row.time(6)?,
    })
}

impl Tx {
    /// The stored filters of an app, by name, at most `limit`.
    pub async fn list_predefined_filters(
        &mut self,
        app_pk: i64,
        limit: i64,
    ) -> Result<Vec<PredefinedFilter>> {
        let sql =
            format!("SELECT {COLUMNS} FROM predefined_filters WHERE app_pk = $1 ORDER BY name LIMIT $2");
        self.query(&sql, params![app_pk, limit], filter_from_row).await
    }

    /// The stored filter of this name.
    pub async fn find_predefined_filter(
        &mut self,
        app_pk: i64,
        name: &str,
    ) -> Result<Option<PredefinedFilter>> {
        let sql = format!("SELECT {COLUMNS} FROM predefined_filters WHERE app_pk = $1 AND name = $2");
        self.query_optional(&sql, params![app_pk, name], filter_from_row).await
    }

    /// Stores a filter. `false` when the name is taken, or the app has `count_max` of them; calls for the same app wait
    /// for each other, so that there are never more.
    pub async fn insert_predefined_filter(
        &mut self,
        app_pk: i64,
        filter: &PredefinedFilter,
        count_max: i64,
    ) -> Result<bool> {
        self.lock_key("predefined_filters", app_pk, "").await?;
        let inserted = self
            .execute(
                "INSERT INTO predefined_filters \
                 (app_pk, name, operation, filter, sort, description, created_at, updated_at) \
                 SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), \
                 CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS BIGINT), CAST($8 AS BIGINT) \
                 WHERE (SELECT COUNT(*) FROM predefined_filters WHERE app_pk = $1) < $9 \
                 ON CONFLICT (app_pk, name) DO NOTHING",
                params![
                    app_pk,
                    &filter.name,
                    &filter.operation,
                    json(&filter.filter),
                    json_unless_default(&filter.sort),
                    &filter.description,
                    filter.created_at,
                    filter.updated_at,
                    count_max
                ],
            )
            .await?;
        Ok(inserted == 1)
    }

    /// Replaces a stored filter. `None` when there is none of that name.
    pub async fn update_predefined_filter(
        &mut self,
        app_pk: i64,
        filter: &PredefinedFilter,
        now: Timestamp,
    ) -> Result<Option<PredefinedFilter>> {
        let sql = format!(
            "UPDATE predefined_filters SET operation = $1, filter = $2, sort = $3, description = $4, \
             updated_at = $5 WHERE app_pk = $6 AND name = $7 RETURNING {COLUMNS}"
        );
        let params = params![
            &filter.operation,
            json(&filter.filter),
            json_unless_default(&filter.sort),
            &filter.description,
            now,
            app_pk,
            &filter.name
        ];
        self.query_optional(&sql, params, filter_from_row).await
    }

    /// Removes a stored filter. `false` when there is none of that name.
    pub async fn delete_predefined_filter(&mut self, app_pk: i64, name: &str) -> Result<bool> {
        let sql = "DELETE FROM predefined_filters WHERE app_pk = $1 AND name = $2";
        Ok(self.execute(sql, params![app_pk, name]).await? > 0)
    }
}
