//! The report for people: aligned plain text.

use std::fmt::Write as _;

use super::fanout;
use super::report::{Bound, Figures, Measurement, Report, Truncation};

/// Writes the whole report.
pub fn write(report: &Report) -> String {
    let machine = &report.machine;
    let mut text = format!(
        "natterjack {}{}, {} cores of {}, {} MiB, {}\n{} s for each measurement\n",
        machine.version,
        if machine.optimised { "" } else { " (NOT OPTIMISED)" },
        machine.cores,
        machine.cpu,
        machine.memory_mib,
        machine.kernel,
        report.seconds
    );
    for figures in &report.databases {
        // Writing to a string does not fail.
        let _ = write_database(&mut text, figures);
    }
    text
}

fn write_database(text: &mut String, figures: &Figures) -> std::fmt::Result {
    writeln!(text, "\n== {} ==", figures.database)?;
    if !figures.measurements.is_empty() {
        write_requests(text, figures)?;
    }
    if let Some(found) = &figures.fan_out {
        fanout::write(text, found)?;
    }
    writeln!(text, "\nTargets")?;
    for target in &figures.targets {
        let bound = if target.bound == Bound::AtLeast { "≥" } else { "≤" };
        let met = if target.met { "met" } else { "not met" };
        let (found, limit) = (number(target.found), number(target.limit));
        writeln!(text, "  {met:<7}  {found:>9}  {bound} {limit:<9} {}", target.name)?;
    }
    Ok(())
}

fn write_requests(text: &mut String, figures: &Figures) -> std::fmt::Result {
    writeln!(text, "\nLimits of this machine")?;
    for commits in &figures.group_commits {
        let (rate, p50, p99) =
            (count(commits.rows_per_second), time(commits.sync.p50_us), time(commits.sync.p99_us));
        writeln!(
            text,
            "  bare database, groups of {:>3}: {rate:>8} rows/s; one 4 KiB write with its sync then: \
             p50 {p50}, p99 {p99}",
            commits.group
        )?;
    }
    writeln!(text)?;
    let all: Vec<&Measurement> = figures.no_ops.iter().chain(&figures.measurements).collect();
    text.push_str(&columns(&all));
    for failed in all.iter().filter(|one| one.failure.is_some()) {
        let reason = failed.failure.as_deref().unwrap_or_default();
        writeln!(text, "  failed: {}, {} in flight: {reason}", failed.name, failed.in_flight)?;
    }
    writeln!(text, "\n  loaded {} messages at {} a second", figures.messages, count(figures.load_rate))?;
    let (empty, loaded) = (figures.ready_empty_ms, figures.ready_loaded_ms);
    writeln!(
        text,
        "  ready {empty:.1} ms after the start on an empty database, {loaded:.1} ms on the loaded one"
    )?;
    for memory in &figures.memory {
        let resident = memory.resident;
        let (moment, now, peak) = (memory.moment, resident.now_mib, resident.peak_mib);
        writeln!(text, "  resident memory {moment}: {now:.1} MiB, at most {peak:.1} MiB so far")?;
    }
    if let Some(truncation) = &figures.truncation {
        write_truncation(text, truncation)?;
    }
    Ok(())
}

fn write_truncation(text: &mut String, truncation: &Truncation) -> std::fmt::Result {
    let (messages, before) = (count(truncation.messages as f64), count(truncation.sends_before));
    let during = truncation.sends_during.map_or_else(|| "too short to tell".to_owned(), count);
    writeln!(
        text,
        "  a channel of {messages} messages truncated in {:.1} ms; sends elsewhere before: {before}/s, while they \
         are removed: {during}",
        truncation.answer_ms
    )?;
    if let Some([without, full, after]) = truncation.file_mib {
        writeln!(
            text,
            "  database file without them {without:.1} MiB, with them {full:.1} MiB, without them again {after:.1} MiB"
        )?;
    }
    Ok(())
}

/// Header and one line for each measurement; the first column is aligned left, the others right.
fn columns(measurements: &[&Measurement]) -> String {
    const HEADER: [&str; 11] = [
        "request",
        "in flight",
        "req/s",
        "median/s",
        "p50",
        "p99",
        "server CPU",
        "client CPU",
        "answer",
        "of commit",
        "of no-op",
    ];
    let mut rows: Vec<Vec<String>> = vec![HEADER.map(str::to_owned).to_vec()];
    for one in measurements.iter().filter(|one| one.failure.is_none()) {
        let part = |part: Option<f64>| part.map(|part| format!("{part:.3}")).unwrap_or_default();
        rows.push(vec![
            one.name.clone(),
            one.in_flight.to_string(),
            count(one.per_second),
            count(one.per_second_median),
            time(one.p50_us),
            time(one.p99_us),
            time(one.server_cpu_us),
            time(one.generator_cpu_us),
            format!("{:.1} KiB", one.answer_bytes / 1024.0),
            part(one.of_group_commit),
            part(one.of_no_op),
        ]);
    }
    columns_of(&rows)
}

/// Aligned columns, the first to the left and the others to the right.
pub fn columns_of(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = format!("  {:<width$}", row[0], width = widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            let _ = write!(line, "  {cell:>width$}");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A whole number, its thousands set apart.
pub fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn number(value: f64) -> String {
    if value >= 1000.0 { count(value) } else { format!("{value:.3}") }
}

/// Microseconds in the unit that suits.
pub fn time(micros: f64) -> String {
    if micros < 1000.0 {
        format!("{micros:.1} µs")
    } else if micros < 1e6 {
        format!("{:.2} ms", micros / 1e3)
    } else {
        format!("{:.2} s", micros / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::{count, time};

    #[test]
    fn numbers_are_readable() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,568"].map(str::to_owned),
            [0.2, 999.0, 999.9, 1_234_567.8].map(count)
        );
        assert_eq!(["12.3 µs", "1.50 ms", "2.00 s"].map(str::to_owned), [12.34, 1500.0, 2e6].map(time));
    }
}
