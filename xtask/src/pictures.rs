//! `cargo xtask pictures`: the windows in the documentation, as a suite has seen them.

use std::fs;
use std::process::ExitCode;

use test_ground::DRAWN;

use crate::cargo;
use crate::problem::Problem;
use crate::suites;

/// The suite that draws.
const SUITE: &str = "registration";

pub(crate) fn run() -> Result<ExitCode, Problem> {
    let results = suites::run(&[SUITE.to_owned()])?;
    if results.tally.failed > 0 {
        return Ok(ExitCode::FAILURE);
    }
    let output = cargo::place()?.target.join(format!("ground/output/{SUITE}.txt"));
    let output = fs::read_to_string(&output).map_err(Problem::run(format!("cat {}", output.display())))?;
    let folder = cargo::repository().join("docs/pictures");
    fs::create_dir_all(&folder).map_err(Problem::run(format!("mkdir {}", folder.display())))?;
    for (name, svg) in output.lines().filter_map(|line| line.strip_prefix(DRAWN)?.split_once(' ')) {
        let file = folder.join(format!("{name}.svg"));
        fs::write(&file, format!("{svg}\n")).map_err(Problem::run(format!("touch {}", file.display())))?;
        println!("{}", file.display());
    }
    Ok(ExitCode::SUCCESS)
}
