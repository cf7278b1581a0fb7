//! `countersign config`: what is wrong with the settings, and what holds.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use assembly::config::{Colour, Finding, Settings};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::command::Outcome;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// What is done with the settings.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say every mistake of the settings and of the clients file that they name.
    Check(Check),
    /// Show the settings; secrets are hidden.
    Show(Show),
}

/// Arguments of `config check`.
#[derive(Args)]
pub(crate) struct Check {
    /// The file to check, instead of the one in force.
    file: Option<PathBuf>,
}

/// Arguments of `config show`.
#[derive(Args)]
pub(crate) struct Show {
    /// With every default filled in.
    #[arg(long)]
    effective: bool,
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<Outcome, Failure> {
    match command {
        Command::Check(Check { file }) => check(context, file.as_ref().unwrap_or(&context.settings_file)),
        Command::Show(Show { effective: true }) => {
            let settings = context.settings()?;
            context.say(&Effective { text: settings.effective_text(), json: settings.effective_json() })?;
            Ok(Outcome::Done)
        }
        Command::Show(Show { effective: false }) => {
            let file = &context.settings_file;
            let text = fs::read_to_string(file).map_err(Failure::file("read", file))?;
            context.say(&AsWritten { file: file.clone(), text })?;
            Ok(Outcome::Done)
        }
    }
}

fn check(context: &Context, file: &Path) -> Result<Outcome, Failure> {
    let colour = if io::stdout().is_terminal() { Colour::Terminal } else { Colour::Plain };
    let (findings, text, outcome) = match Settings::load(file) {
        Ok(loaded) => {
            let shown = loaded.warnings.iter().map(|warning| format!("{}\n\n", warning.render(colour)));
            let text = format!("{}{}: no mistakes.\n", shown.collect::<String>(), file.display());
            (loaded.warnings, text, Outcome::Done)
        }
        // A file that is not there, or that others can write, has no findings: that is said as any failure is.
        Err(error) if error.findings().is_empty() => return Err(error.into()),
        Err(error) => (error.findings().to_vec(), error.render(colour), Outcome::Refused),
    };
    let sound = outcome == Outcome::Done;
    context.say(&Checked { file: file.to_owned(), sound, findings, text })?;
    Ok(outcome)
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Checked {
    file: PathBuf,
    sound: bool,
    findings: Vec<Finding>,
    #[serde(skip)]
    text: String,
}

impl Report for Checked {
    fn text(&self) -> String {
        self.text.clone()
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct Effective {
    #[serde(skip)]
    text: String,
    json: serde_json::Value,
}

impl Report for Effective {
    fn text(&self) -> String {
        self.text.clone()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct AsWritten {
    file: PathBuf,
    text: String,
}

impl Report for AsWritten {
    fn text(&self) -> String {
        self.text.clone()
    }
}
