use natterjack_protocol::{JsonMap, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::tx::Tx;
use crate::value::{Row, json, json_unless_default, params};

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskStatus {
    /// Nobody has begun it.
    Waiting,
    /// Somebody has begun it.
    Running,
    /// It is done; its result says what became of each thing that it was about.
    Completed,
    /// It was given up.
    Failed,
}

impl TaskStatus {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        match text {
            "waiting" => Ok(Self::Waiting),
            "running" => Ok(Self::Running),
            "completed" => Ok(Self::Completed),
            "failed" => Ok(Self::Failed),
            other => Err(Error::Corrupt { column: "tasks.status", source: other.to_owned().into() }),
        }
    }
}

/// Why a task was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    /// The kind of failure.
    pub kind: String,
    /// What happened, for people to read.
    pub description: String,
}

/// A task as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    pub id: String,
    pub app_pk: i64,
    pub kind: String,
    /// JSON of what to do.
    pub payload: String,
    /// JSON of how far it has come; `None` at the beginning.
    pub progress: Option<String>,
    pub status: TaskStatus,
    /// What became of each thing that it is about, as far as it has come.
    pub result: JsonMap,
    pub error: Option<TaskError>,
    /// How often it was taken up since it last made progress.
    pub attempts: i64,
    /// Grows each time somebody takes it up.
    pub lease: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Task {
    /// The hold on the task of the one who has just taken it up.
    pub fn lease(&self) -> Lease {
        Lease { task_id: self.id.clone(), number: self.lease }
    }
}

/// A task to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    pub id: String,
    pub app_pk: i64,
    pub kind: &'static str,
    /// JSON of what to do.
    pub payload: String,
    /// JSON of how far it has come already.
    pub progress: Option<String>,
}

/// That somebody works on a task. It does not hold any more once somebody else has taken the task up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub task_id: String,
    pub number: i64,
}

const TASK_COLUMNS: &str =
    "id, app_pk, kind, payload, progress, status, result, error, attempts, lease, created_at, updated_at";

fn task_from_row(row: Row<'_>) -> Result<Task> {
    Ok(Task {
        id: row.text(0)?,
        app_pk: row.int(1)?,
        kind: row.text(2)?,
        payload: row.text(3)?,
        progress: row.optional_text(4)?,
        status: TaskStatus::parse(&row.text(5)?)?,
        result: row.json(6, "tasks.result")?,
        error: row.json(7, "tasks.error")?,
        attempts: row.int(8)?,
        lease: row.int(9)?,
        created_at: row.time(10)?,
        updated_at: row.time(11)?,
    })
}

impl Tx {
    /// Stores a task, to be taken up by anybody; with `held_until` the one who stores it begins with it at once.
    pub async fn insert_task(
        &mut self,
        task: &NewTask,
        held_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Task> {
        let status = if held_until.is_some() { TaskStatus::Running } else { TaskStatus::Waiting };
        let sql = format!(
            "INSERT INTO tasks (id, app_pk, kind, payload, progress, status, attempts, lease, leased_until, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $9) RETURNING {TASK_COLUMNS}"
        );
        let params = params![
            &task.id,
            task.app_pk,
            task.kind,
            &task.payload,
            task.progress.as_deref(),
            status.as_str(),
            i64::from(held_until.is_some()),
            held_until.unwrap_or(now),
            now
        ];
        let stored = self.query_optional(&sql, params, task_from_row).await?;
        Ok(stored.expect("an insert returns its row"))
    }

    /// The task of an app with this id.
    pub async fn find_task(&mut self, app_pk: i64, id: &str) -> Result<Option<Task>> {
        let sql = format!("SELECT {TASK_COLUMNS} FROM tasks WHERE app_pk = $1 AND id = $2");
        self.query_optional(&sql, params![app_pk, id], task_from_row).await
    }

    /// Takes up a task on which nobody works, for as long as `until`: the one that has waited longest. `None` when
    /// there is none.
    pub async fn claim_task(&mut self, until: Timestamp, now: Timestamp) -> Result<Option<Task>> {
        let sql = format!(
            "UPDATE tasks SET status = 'running', attempts = attempts + 1, lease = lease + 1, leased_until = $1, \
             updated_at = $2 WHERE id = (SELECT id FROM tasks WHERE status IN ('waiting', 'running') \
             AND leased_until <= $2 ORDER BY leased_until, id LIMIT 1{}) RETURNING {TASK_COLUMNS}",
            self.dialect().for_update_skip_locked()
        );
        self.query_optional(&sql, params![until, now], task_from_row).await
    }

    /// Records how far a task has come and holds it until `until`. `false` when somebody else has taken it up; then
    /// nothing of what went before may be committed.
    pub async fn advance_task(
        &mut self,
        lease: &Lease,
        progress: &str,
        result: &JsonMap,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let changed = self
            .execute(
                "UPDATE tasks SET progress = $1, result = $2, attempts = 0, leased_until = $3, updated_at = $4 \
                 WHERE id = $5 AND lease = $6 AND status = 'running'",
                params![
                    progress,
                    json_unless_default(result),
                    until,
                    now,
                    &lease.task_id,
                    lease.number
                ],
            )
            .await?;
        Ok(changed == 1)
    }

    /// Ends a task, with an error when it is given up. `false` when somebody else has taken it up.
    pub async fn end_task(
        &mut self,
        lease: &Lease,
        result: &JsonMap,
        error: Option<&TaskError>,
        now: Timestamp,
    ) -> Result<bool> {
        let status = if error.is_some() { TaskStatus::Failed } else { TaskStatus::Completed };
        let changed = self
            .execute(
                "UPDATE tasks SET status = $1, result = $2, error = $3, progress = NULL, updated_at = $4 \
                 WHERE id = $5 AND lease = $6 AND status = 'running'",
                params![
                    status.as_str(),
                    json_unless_default(result),
                    error.map(json),
                    now,
                    &lease.task_id,
                    lease.number
                ],
            )
            .await?;
        Ok(changed == 1)
    }

    /// Removes at most `limit` tasks that ended before `before`. Answers how many.
    pub async fn prune_tasks(&mut self, before: Timestamp, limit: i64) -> Result<u64> {
        self.execute(
            "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE status IN ('completed', 'failed') \
             AND updated_at < $1 ORDER BY updated_at LIMIT $2)",
            params![before, limit],
        )
        .await
    }
}
