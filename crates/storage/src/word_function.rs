//! The function for words that SQLite lacks. PostgreSQL gets it from a migration.

use std::collections::HashSet;
use std::sync::Arc;

use natterjack_filter::words;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

/// Gives SQLite the function `natterjack_words_match(mode, text, words)`: whether `q` each of the words, `any` one of
/// them, `autocomplete` a beginning of each stands in the text. `words` is a JSON array; `NULL` text gives `NULL`.
pub(crate) fn register(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("natterjack_words_match", 3, flags, |context| {
        if context.get_raw(1) == ValueRef::Null {
            return Ok(None);
        }
        let wanted: Arc<Vec<String>> = context.get_or_create_aux(2, |value| -> rusqlite::Result<_> {
            serde_json::from_str(value.as_str()?)
                .map_err(|source| rusqlite::Error::UserFunctionError(source.into()))
        })?;
        let found: HashSet<String> = words(context.get_raw(1).as_str()?).collect();
        let holds = match context.get_raw(0).as_str()? {
            "autocomplete" => {
                wanted.iter().all(|start| found.iter().any(|word| word.starts_with(start.as_str())))
            }
            "any" => wanted.iter().any(|word| found.contains(word)),
            _ => wanted.iter().all(|word| found.contains(word)),
        };
        Ok(Some(holds))
    })
}
