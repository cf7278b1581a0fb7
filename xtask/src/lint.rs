//! `cargo xtask lint`: every rule about the code that a program can hold. All are tried, whatever the first ones say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cargo;
use crate::policy;
use crate::problem::Problem;

/// A file longer than this should be split by noun; it is named, not refused.
const LINES_COMFORTABLE: usize = 400;

/// True when nothing was found.
type Check = fn() -> Result<bool, Problem>;

pub(crate) fn run() -> Result<ExitCode, Problem> {
    let checks: [(&str, Check); 4] = [
        ("formatting", || cargo::succeeds(&["fmt", "--all", "--check"])),
        ("clippy", clippy),
        ("dependency policy", dependency_policy),
        ("file lengths", file_lengths),
    ];
    let mut failed = Vec::new();
    for (name, check) in checks {
        eprintln!("lint: {name}");
        let passed = check().unwrap_or_else(|problem| {
            eprintln!("lint: {problem:?}");
            false
        });
        if !passed {
            failed.push(name);
        }
    }
    println!("lint: {} checks passed, {} failed", checks.len().saturating_sub(failed.len()), failed.len());
    match failed.as_slice() {
        [] => Ok(ExitCode::SUCCESS),
        names => {
            println!("lint: failed: {}", names.join(", "));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn clippy() -> Result<bool, Problem> {
    cargo::succeeds(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"])
}

fn dependency_policy() -> Result<bool, Problem> {
    let findings = policy::findings()?;
    for finding in &findings {
        println!("policy: {finding}");
    }
    Ok(findings.is_empty())
}

fn file_lengths() -> Result<bool, Problem> {
    for (file, lines) in sources(cargo::repository())? {
        if lines > LINES_COMFORTABLE {
            println!("long file: {} has {lines} lines", file.display());
        }
    }
    Ok(true)
}

/// All Rust files of the checkout with their numbers of lines.
fn sources(folder: &Path) -> Result<Vec<(PathBuf, usize)>, Problem> {
    let reading = || Problem::run(format!("ls {}", folder.display()));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(reading())? {
        let path = entry.map_err(reading())?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(sources(&path)?);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).map_err(reading())?;
            found.push((path, text.lines().count()));
        }
    }
    Ok(found)
}
