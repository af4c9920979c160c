//! The documents that hold figures: what stands between their marks is written by a whole run, and by
//! nobody's hand.

use crate::chart;
use crate::machine::Machine;
use crate::report::{self, Over, Report};
use anyhow::{Context, Result};
use std::fmt::Write;
use std::path::Path;

/// Writes the chart, all figures, and what stands between the marks.
pub(crate) fn write(root: &Path, report: &Report) -> Result<()> {
    let chart = root.join("docs/performance.svg");
    std::fs::write(&chart, chart::draw(report)).context("docs/performance.svg")?;
    let all = serde_json::to_string_pretty(report)? + "\n";
    std::fs::write(root.join("docs/performance.json"), all).context("docs/performance.json")?;
    between(&root.join("docs/performance.md"), "machine", &format!("{}\n", report.machine.line()))?;
    between(
        &root.join("docs/performance.md"),
        "targets",
        &report::verdicts_markdown(&report.verdicts),
    )?;
    between(&root.join("docs/performance.md"), "figures", &figures(report)?)?;
    between(&root.join("README.md"), "performance", &summary(report))
}

/// Writes what a growth run printed.
pub(crate) fn write_growth(root: &Path, machine: &Machine, told: &str) -> Result<()> {
    let text = format!("{}\n\n```\n{}\n```\n", machine.line(), told.trim_end());
    between(&root.join("docs/performance.md"), "growth", &text)
}

fn figures(report: &Report) -> Result<String> {
    let mut text = String::new();
    for section in &report.sections {
        writeln!(text, "{}", report::markdown(section))?;
    }
    Ok(text.trim_end().to_owned() + "\n")
}

/// The one table that the README shows.
fn summary(report: &Report) -> String {
    let new = report
        .sections
        .iter()
        .find(|section| section.job == "stripe-webhook, new" && section.over == Over::Plain);
    new.map(report::markdown).unwrap_or_default()
}

/// Replaces what stands between `<!-- bench:NAME -->` and the next `<!-- bench -->`.
fn between(file: &Path, name: &str, new: &str) -> Result<()> {
    let named = || format!("{} has no marks for {name}", file.display());
    let text = std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
    let begin = format!("<!-- bench:{name} -->\n");
    let (before, rest) = text.split_once(&begin).with_context(named)?;
    let (_, after) = rest.split_once("<!-- bench -->").with_context(named)?;
    std::fs::write(file, format!("{before}{begin}\n{new}\n<!-- bench -->{after}"))
        .with_context(|| format!("cannot write {}", file.display()))
}
