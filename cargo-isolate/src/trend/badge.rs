//! A summary of an audit as a badge or a single line.

use super::{
    change::{Totals, generated, totals},
    snapshot::Snapshot,
};
use crate::terminal::words::some;

/// The form of the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BadgeFormat {
    /// A picture, as SVG
    #[default]
    Svg,
    /// A sentence
    Line,
}

/// Summarises the hand-written code of an audit's members. The line also has the sum of the dependencies.
pub(crate) fn badge(audit: &Snapshot, format: BadgeFormat) -> String {
    let (members, dependencies) = (totals(audit, true), totals(audit, false));
    match format {
        BadgeFormat::Svg => picture(&message(&members, audit.complete), colour(&members, audit.complete)),
        BadgeFormat::Line => {
            let incomplete = if audit.complete { "" } else { " (not every file could be read)" };
            let constructs = |totals: &Totals| some(totals.unsafes, "unsafe construct");
            let dependencies = match dependencies.packages {
                0 => "no dependencies".to_owned(),
                1 => format!("{} in 1 dependency", constructs(&dependencies)),
                count => format!("{} in {count} dependencies", constructs(&dependencies)),
            };
            let (calls, packages) = (some(members.foreign_calls, "foreign call"), some(members.packages, "package"));
            let wrappers = generated(audit).map(|generated| format!("; {generated}")).unwrap_or_default();
            format!("{} and {calls} in {packages}{wrappers}; {dependencies}{incomplete}", constructs(&members))
        }
    }
}

fn message(Totals { unsafes, foreign_calls, .. }: &Totals, complete: bool) -> String {
    if !complete {
        return "incomplete".to_owned();
    }
    match (unsafes, foreign_calls) {
        (0, 0) => "none".to_owned(),
        (unsafes, 0) => unsafes.to_string(),
        (unsafes, calls) => format!("{unsafes} + {}", some(*calls, "foreign call")),
    }
}

/// Green if there is nothing unsafe; otherwise a neutral colour.
fn colour(Totals { unsafes, foreign_calls, .. }: &Totals, complete: bool) -> &'static str {
    match (complete, unsafes + foreign_calls) {
        (false, _) => "#9f9f9f",
        (true, 0) => "#3d8b37",
        (true, _) => "#2f6f9f",
    }
}

/// The badge as SVG: two fields side by side, 20 pixels high.
fn picture(message: &str, colour: &str) -> String {
    const LABEL: &str = "unsafe";
    let (left, right) = (width(LABEL) + 12, width(message) + 12);
    let text = |text: &str, start: usize, field: usize| {
        let (middle, length) = (start as f64 + field as f64 / 2.0, field - 12);
        format!("    <text x=\"{middle}\" y=\"14\" textLength=\"{length}\">{text}</text>\n")
    };
    let (all, edge) = (left + right, left - 3);
    // Elements have no ids, so that several badges can be part of one page.
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" aria-label=\"{LABEL}: {message}\">\n  \
           <title>{LABEL}: {message}</title>\n  \
           <rect width=\"{all}\" height=\"20\" rx=\"3\" fill=\"{colour}\"/>\n  \
           <path d=\"M3 0h{edge}v20h-{edge}a3 3 0 0 1-3-3v-14a3 3 0 0 1 3-3z\" fill=\"#444\"/>\n  \
           <g fill=\"#fff\" text-anchor=\"middle\" font-family=\"Verdana, DejaVu Sans, sans-serif\" font-size=\"11\">\n\
         {}{}  </g>\n</svg>",
        text(LABEL, 0, left),
        text(message, left, right)
    )
}

/// Approximate width of a text in Verdana at 11 pixels; `textLength` adjusts it exactly.
fn width(text: &str) -> usize {
    let tenths = text.chars().map(|c| match c {
        'f' | 'i' | 'l' | 'r' | 't' | ' ' => 43,
        'm' | '+' => 95,
        _ => 68,
    });
    tenths.sum::<usize>().div_ceil(10)
}
