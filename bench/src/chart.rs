//! The chart: a few figures of one webhook, a bar for each side, drawn to the longest. It is readable on
//! light and on dark ground and needs no font of its own.

use crate::measure::Figures;
use crate::report::{Over, Report};
use crate::side::Who;
use std::fmt::Write;

/// A group of bars: what it shows, under which condition, how it is read off and written.
type Group = (&'static str, Over, fn(&Figures) -> Option<u64>, fn(u64) -> String);

const GROUPS: [Group; 5] = [
    ("start to ready", Over::Plain, |f| Some(f.ready), |us| format!("{:.1} ms", us as f64 / 1e3)),
    (
        "cold start at 128 MB, with TLS: start to first answer",
        Over::ShareTls,
        |f| Some(f.cold),
        |us| format!("{:.0} ms", us as f64 / 1e3),
    ),
    (
        "CPU of a new event",
        Over::Plain,
        |f| Some(f.warm.as_ref()?.cpu),
        |ns| format!("{:.2} ms", ns as f64 / 1e6),
    ),
    (
        "peak memory",
        Over::Plain,
        |f| Some(f.warm.as_ref()?.peak),
        |bytes| format!("{:.0} MB", bytes as f64 / 1e6),
    ),
    (
        "network calls of a new event",
        Over::Plain,
        |f| Some(f.warm.as_ref()?.counts.total() / f.warm.as_ref()?.events as u64),
        |calls| calls.to_string(),
    ),
];

const SIDES: [(Who, &str); 3] =
    [(Who::Throughline, "ours"), (Who::Node, "node"), (Who::Powertools, "powertools")];

/// Widths and heights in pixels.
const WIDTH: usize = 760;
const NAMES: usize = 150;
const BARS: usize = 480;
const LINE: usize = 22;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}\
.ours{fill:#d9622b}.node{fill:#8a94a0}.powertools{fill:#5f6b78}\
@media (prefers-color-scheme:dark){text{fill:#d5dbe1}.node{fill:#7d8894}.powertools{fill:#a5afba}}";

/// Draws a run.
pub(crate) fn draw(report: &Report) -> String {
    let mut body = String::new();
    let mut y = 24;
    for group in &GROUPS {
        y = draw_group(&mut body, report, group, y);
    }
    let height = y - 10;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"One Stripe webhook: Throughline beside Node\"><style>{STYLE}</style>\n{body}</svg>\n"
    )
}

/// Draws one group from a height on, and answers where the next begins.
fn draw_group(body: &mut String, report: &Report, group: &Group, top: usize) -> usize {
    let (title, over, pick, write) = group;
    let section = report
        .sections
        .iter()
        .find(|section| section.job == "stripe-webhook, new" && section.over == *over);
    let Some(section) = section else { return top };
    let value = |who| section.figures.iter().find(|figures| figures.who == who).and_then(pick);
    let longest = SIDES.iter().filter_map(|(who, _)| value(*who)).max().unwrap_or(1).max(1);
    let mut y = top;
    let mut put = |text: String| {
        if writeln!(body, "{text}").is_err() {
            // A text in memory takes every line.
        }
    };
    put(format!("<text class=\"title\" x=\"0\" y=\"{y}\">{title}</text>"));
    for (who, class) in SIDES {
        let Some(value) = value(who) else { continue };
        y += LINE;
        let share = value as f64 / longest as f64;
        let width = (share * BARS as f64).max(2.0);
        let (bar, end) = (y - 12, NAMES as f64 + width + 8.0);
        put(format!("<text x=\"0\" y=\"{y}\">{}</text>", who.name()));
        put(format!(
            "<rect class=\"{class}\" x=\"{NAMES}\" y=\"{bar}\" width=\"{width:.0}\" height=\"14\" rx=\"2\"/>"
        ));
        put(format!("<text x=\"{end:.0}\" y=\"{y}\">{}</text>", write(value)));
    }
    y + LINE + 14
}
