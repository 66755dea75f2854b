//! The house rules hold in this workspace.

#[test]
fn the_workspace_is_tidy() {
    let complaints = xtask::tidy::check(&xtask::workspace_root()).unwrap();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
