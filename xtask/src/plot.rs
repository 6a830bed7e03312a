//! `docs/endurance.svg`: the table of a million faults in `docs/cost.md`, drawn. Flat is what it should be.

use anyhow::{Context, ensure};
use std::fmt::Write;
use std::path::Path;

const PAGE: &str = "docs/cost.md";
const PLOT: &str = "docs/endurance.svg";
/// The first words of the table's head.
const HEAD: &str = "| faults |";

/// Of one column, in SVG's units.
const PANEL: f64 = 84.0;
const WIDTH: f64 = 720.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 70.0;

/// Draws the table of the page.
///
/// # Errors
///
/// The page has no such table, or cannot be read, or the plot not written.
pub(crate) fn write(root: &Path) -> anyhow::Result<()> {
    let page = std::fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read `{PAGE}`"))?;
    std::fs::write(root.join(PLOT), draw(&page)?).with_context(|| format!("cannot write `{PLOT}`"))
}

/// A column but the first: what it is called, and its values, by what the first column has beside them.
struct Column<'t> {
    name: &'t str,
    points: Vec<(f64, f64)>,
}

fn columns(page: &str) -> anyhow::Result<Vec<Column<'_>>> {
    let mut lines = page.lines().skip_while(|line| !line.starts_with(HEAD)).take_while(|line| line.starts_with('|'));
    let head = lines.next().into_iter().flat_map(cells).skip(1);
    let mut columns: Vec<_> = head.map(|name| Column { name, points: Vec::new() }).collect();
    for line in lines.skip(1) {
        let row: Vec<_> = cells(line).collect();
        let [faults, values @ ..] = &row[..] else { continue };
        for (column, value) in columns.iter_mut().zip(values).filter(|(_, value)| !value.is_empty()) {
            column.points.push((faults.parse()?, value.parse()?));
        }
    }
    ensure!(columns.iter().all(|column| column.points.len() > 1) && !columns.is_empty(), "{PAGE}: no table `{HEAD}`");
    Ok(columns)
}

fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.trim_matches('|').split('|').map(str::trim)
}

fn draw(page: &str) -> anyhow::Result<String> {
    let columns = columns(page)?;
    let height = PANEL * columns.len() as f64 + 30.0;
    let last = columns.iter().flat_map(|column| &column.points).map(|(faults, _)| *faults).fold(1.0, f64::max);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <title>Memory, mappings, descriptors, keys and time over {last} faults in one process</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (column, top) in columns.iter().zip((0u32..).map(|index| PANEL.mul_add(f64::from(index), 10.0))) {
        let most = column.points.iter().map(|(_, value)| *value).fold(1.0, f64::max);
        let (bottom, tall) = (top + PANEL - 16.0, PANEL - 26.0);
        // From nothing to a quarter more than the most.
        let place = |(faults, value): &(f64, f64)| {
            let x = LEFT + (WIDTH - LEFT - RIGHT) * faults / last;
            format!("{x:.1},{:.1}", bottom - tall * value / (1.25 * most))
        };
        let points: Vec<_> = column.points.iter().map(place).collect();
        let (name, end) = (column.name, column.points.last().map_or(0.0, |(_, value)| *value));
        writeln!(svg, "<path d=\"M{LEFT} {top}V{bottom}H{}\" fill=\"none\" stroke=\"#999\"/>", WIDTH - RIGHT)?;
        writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>", LEFT - 24.0, top + tall / 2.0)?;
        writeln!(svg, "<text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\" fill=\"#666\">0</text>", LEFT - 6.0)?;
        writeln!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"#06c\" stroke-width=\"2\"/>", points.join(" "))?;
        let y = bottom - tall * end / (1.25 * most) + 4.0;
        writeln!(svg, "<text x=\"{}\" y=\"{y:.1}\" fill=\"#06c\">{end}</text>", WIDTH - RIGHT + 6.0)?;
    }
    writeln!(svg, "<text x=\"{LEFT}\" y=\"{}\" fill=\"#666\">0 faults</text>", height - 10.0)?;
    writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#666\">{last}</text>",
        WIDTH - RIGHT,
        height - 10.0
    )?;
    svg.push_str("</svg>\n");
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plot_is_fresh() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let expected = draw(&std::fs::read_to_string(root.join(PAGE)).unwrap()).unwrap();
        let present = std::fs::read_to_string(root.join(PLOT)).unwrap_or_default();
        assert!(present == expected, "{PLOT} is stale: run `cargo xtask generate`");
    }

    #[track_caller]
    fn check(table: &str, expected: &[(&str, &[(f64, f64)])]) {
        let columns =
            columns(table).map(|columns| columns.into_iter().map(|it| (it.name, it.points)).collect::<Vec<_>>());
        let expected: Vec<_> = expected.iter().map(|(name, points)| (*name, points.to_vec())).collect();
        assert_eq!(columns.unwrap_or_default(), expected);
    }

    #[test]
    fn what_is_empty_is_not_drawn() {
        let table = "a\n| faults | a | b |\n|---:|---:|---:|\n| 0 | 1 |  |\n| 5 | 2 | 3 |\n| 9 | 2 | 4 |\n\nb";
        check(table, &[("a", &[(0.0, 1.0), (5.0, 2.0), (9.0, 2.0)]), ("b", &[(5.0, 3.0), (9.0, 4.0)])]);
        check("no table", &[]);
        check("| faults | a |\n|---:|---:|\n| 0 | much |\n", &[]);
    }
}
