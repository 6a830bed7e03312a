//! The report as a self-contained HTML page: it loads nothing else, and its script renders the embedded data.

mod data;
mod excerpt;
mod interior;
mod rows;

use super::model::{Command, Report};
use crate::names::Names;
use isolate_templates::report as template;
use std::io::{self, Write};

pub(super) fn print(out: &mut dyn Write, names: &Names<'_>, report: &Report) -> io::Result<()> {
    let data = data::data(names, report)?;
    let command = match report.command {
        Command::Audit | Command::Counts => "audit",
        Command::Check => "check",
    };
    let name = report.workspace_root.file_name().unwrap_or("workspace");
    let title = format!("{name}: cargo isolate {command}");
    let page = template::render(&title, &data.front()?, &data.parts()?).map_err(io::Error::other)?;
    out.write_all(page.as_bytes())
}
