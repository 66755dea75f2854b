use crate::error::Result;
use crate::state::State;

/// Has the database look at tables that have grown much, so that it plans for what they hold.
pub(crate) async fn run(state: &State) -> Result<()> {
    let grown = state.store.read("list_grown_tables", (), |tx, ()| Box::pin(tx.list_grown_tables())).await?;
    for table in grown {
        state.store.write("analyze_table", table, |tx, table| Box::pin(tx.analyze_table(table))).await?;
    }
    Ok(())
}
