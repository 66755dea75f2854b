//! House rules that a machine can check: `cargo xtask tidy`, and `cargo test` through `tests/tidy.rs`.
//!
//! Each rule is a function from text to complaints, so that its tests need no files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The most lines that a source file may have.
const MAX_LINES: usize = 900;

/// Endings of the files whose length counts.
const SOURCE_ENDINGS: [&str; 6] = ["rs", "sql", "ts", "js", "svelte", "css"];

/// Checks the workspace at `root` and returns one complaint per line that breaks a rule.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for path in source_files(root)? {
        let name = relative(root, &path);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
        complaints.extend(length(&name, &text));
        if path.extension().is_some_and(|ending| ending == "rs") {
            complaints.extend(unwraps(&name, &text));
            complaints.extend(sql(&name, &text));
        }
    }
    complaints.extend(dependency_reasons(&fs::read_to_string(root.join("Cargo.toml"))?));
    let migrations = root.join("crates/storage/migrations");
    complaints.extend(migration_names(
        &file_names(&migrations.join("sqlite"))?,
        &file_names(&migrations.join("postgres"))?,
    ));
    Ok(complaints)
}

/// No source file is longer than [`MAX_LINES`].
fn length(name: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > MAX_LINES).then(|| format!("{name}: {lines} lines, more than {MAX_LINES}: split the file"))
}

/// Code that is not a test returns errors or says with `expect` why there is none.
fn unwraps(name: &str, text: &str) -> Vec<String> {
    let in_sources = name.starts_with("crates/") && name.contains("/src/");
    let is_test = name.ends_with("/tests.rs") || name.ends_with("_tests.rs") || name.contains("/tests/");
    if !in_sources || is_test {
        return Vec::new();
    }
    let needle = concat!(".unwrap", "()");
    code_lines(before_tests(text))
        .filter(|(_, line)| line.contains(needle))
        .map(|(number, _)| format!("{name}:{number}: {needle} outside tests: return the error"))
        .collect()
}

/// Only the crate `storage` contains SQL.
fn sql(name: &str, text: &str) -> Vec<String> {
    if name.starts_with("crates/storage/") {
        return Vec::new();
    }
    let needles = [concat!("SELECT", " "), concat!("INSERT", " INTO")];
    code_lines(text)
        .filter(|(_, line)| needles.iter().any(|needle| line.contains(needle)))
        .map(|(number, _)| format!("{name}:{number}: SQL outside crates/storage: move it there"))
        .collect()
}

/// Every dependency of the workspace says why it is there; our own crates need no reason.
fn dependency_reasons(manifest: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut inside = false;
    for (number, line) in numbered(manifest) {
        if line.starts_with('[') {
            inside = line.trim() == "[workspace.dependencies]";
            continue;
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        if !inside || line.trim_start().starts_with('#') || value.contains("path =") {
            continue;
        }
        let outside_strings: String = value.split('"').step_by(2).collect();
        let reason = outside_strings.split_once('#').map_or("", |(_, reason)| reason.trim());
        if reason.is_empty() {
            complaints.push(format!("Cargo.toml:{number}: {} has no `# reason` after it", name.trim()));
        }
    }
    complaints
}

/// Both databases have the same migrations.
fn migration_names(sqlite: &BTreeSet<String>, postgres: &BTreeSet<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (has, lacks, folder) in [(sqlite, postgres, "postgres"), (postgres, sqlite, "sqlite")] {
        for name in has.difference(lacks) {
            complaints.push(format!("crates/storage/migrations/{folder}/{name} is missing"));
        }
    }
    complaints
}

/// The text up to the `#[cfg(test)]` that belongs to a module.
fn before_tests(text: &str) -> &str {
    let mut offset = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let module_follows = lines.peek().is_some_and(|next| next.trim_start().starts_with("mod "));
        if line.trim_end() == "#[cfg(test)]" && module_follows {
            return &text[..offset];
        }
        offset += line.len();
    }
    text
}

/// The lines that are not comments, with their numbers.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    numbered(text).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// All source files below `root`, except built, downloaded and hidden ones, in a fixed order.
fn source_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let entry = entry?;
            let (name, path) = (entry.file_name(), entry.path());
            let name = name.to_string_lossy();
            let kind = entry.file_type()?;
            if name.starts_with('.') || ["target", "node_modules", "dist"].contains(&name.as_ref()) {
                continue;
            }
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && SOURCE_ENDINGS.contains(&ending) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The names in a folder; none when it does not exist.
fn file_names(folder: &Path) -> Result<BTreeSet<String>> {
    if !folder.exists() {
        return Ok(BTreeSet::new());
    }
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_named() {
        assert_eq!(length("a.rs", &"x\n".repeat(MAX_LINES)), None);
        let complaint = length("a.rs", &"x\n".repeat(MAX_LINES + 1)).unwrap();
        assert!(complaint.starts_with("a.rs: 901 lines"), "{complaint}");
    }

    #[test]
    fn unwraps_count_only_in_code_that_ships() {
        let text = "fn f() {\n    g().unwrap();\n}\n// h().unwrap()\n\
                    #[cfg(test)]\nmod tests {\n    g().unwrap();\n}\n";
        let complaints = unwraps("crates/server/src/a.rs", text);
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert!(complaints[0].starts_with("crates/server/src/a.rs:2:"), "{complaints:?}");
        assert!(unwraps("crates/server/tests/a.rs", text).is_empty());
        assert!(unwraps("crates/server/src/api/tests.rs", text).is_empty());
    }

    #[test]
    fn a_test_only_item_does_not_hide_the_code_after_it() {
        let text = "#[cfg(test)]\nuse std::fmt;\nfn f() { g().unwrap(); }\n";
        assert_eq!(unwraps("crates/server/src/a.rs", text).len(), 1);
    }

    #[test]
    fn sql_lives_in_storage() {
        for statement in [concat!("SELECT", " 1"), concat!("INSERT", " INTO t")] {
            let text = format!("fn f() {{\n    run(\"{statement}\");\n}}\n");
            assert_eq!(sql("crates/server/src/a.rs", &text).len(), 1);
            assert!(sql("crates/storage/src/a.rs", &text).is_empty());
        }
        assert!(sql("crates/server/src/a.rs", concat!("// never SELECT", " here\n")).is_empty());
    }

    #[test]
    fn dependencies_need_a_reason() {
        let manifest = "[workspace.dependencies]\nours = { path = \"crates/ours\" }\n# a comment = 1\n\
                        good = \"1\" # because\n\
                        bad = { version = \"1\", features = [\"a#b\"] }\nworse = \"1\" #\n\
                        [profile.dev]\ndebug = 1\n";
        let complaints = dependency_reasons(manifest);
        assert_eq!(complaints.len(), 2, "{complaints:?}");
        assert!(complaints[0].starts_with("Cargo.toml:5: bad "), "{complaints:?}");
        assert!(complaints[1].starts_with("Cargo.toml:6: worse "), "{complaints:?}");
    }

    #[test]
    fn migrations_come_in_pairs() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let complaints = migration_names(&set(&["0001_a.sql", "0002_b.sql"]), &set(&["0001_a.sql"]));
        assert_eq!(complaints, ["crates/storage/migrations/postgres/0002_b.sql is missing"]);
    }
}
